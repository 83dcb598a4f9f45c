//! One file of the log: its name, its header, and the sparse index of its frames.
//!
//! A segment is 512 bytes of header and then frames. It gets its name only when the header is
//! synced, so a file with a segment's name and a damaged header is damage, never a torn start.

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::StoreError;
use crate::disk::{self, Disk};
use crate::frame::{FORMAT, SECTOR, u32_at, u64_at};

/// Place of the first frame.
pub(crate) const FRAMES_AT: u64 = SECTOR as u64;

/// A file under this name is being made and of no use at a start.
pub(crate) const UNFINISHED: &str = "log.new";
/// A segment that retention let go of, to be used again.
pub(crate) const SPARE: &str = "log.spare";

const PREFIX: &str = "log-";
const MAGIC: [u8; 4] = *b"ONXS";
const CRC_AT: usize = SECTOR - 4;

/// Segments are not made shorter than this for want of room.
pub(crate) const LENGTH_MIN: u64 = 64 * 1024;

/// Frames are indexed at most once in this many bytes.
const INDEX_STEP_BYTES: u64 = 32 * 1024;

/// A file of the log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub number: u64,
    pub name: String,
    pub length: u64,
    /// Where the checksums of its frames begin: different for each use of the same file.
    pub salt: u32,
    index: Mutex<Index>,
}

/// Places of some frames, in order; the first frame is always among them once one is known.
#[derive(Debug, Default)]
struct Index {
    places: Vec<Place>,
    /// Whether it reaches the last frame.
    complete: bool,
    /// Whether it stands in a file too.
    saved: bool,
    /// Whether it came from there, and not from the frames.
    loaded: bool,
}

/// Where a frame begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: u64,
    pub position: u64,
    pub time_micros: u64,
}

impl Segment {
    /// A segment to be made by the start that drew `entropy`.
    pub fn new(number: u64, length: u64, entropy: u64) -> Self {
        Self::with_salt(number, length, salt(number, entropy))
    }

    fn with_salt(number: u64, length: u64, salt: u32) -> Self {
        Self { number, name: name_of(number), length, salt, index: Mutex::default() }
    }

    /// Notes a frame that follows all noted ones.
    pub fn note(&self, place: Place) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let far = |last: &Place| {
            place.position >= last.position + INDEX_STEP_BYTES && place.offset > last.offset
        };
        if index.places.last().is_none_or(far) {
            index.places.push(place);
        }
    }

    /// Says that the noted frames reach to the end of the segment.
    pub fn complete(&self) {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).complete = true;
    }

    pub fn is_complete(&self) -> bool {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).complete
    }

    /// The noted frames of a segment that is complete, unless they are saved.
    pub fn unsaved(&self) -> Option<Vec<Place>> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        (index.complete && !index.saved).then(|| index.places.clone())
    }

    /// Says that they are saved now.
    pub fn saved(&self) {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).saved = true;
    }

    /// Takes over what was saved.
    pub fn load(&self, places: Vec<Place>) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if !index.complete {
            *index = Index { places, complete: true, saved: true, loaded: true };
        }
    }

    /// Forgets what was saved, if that is all that is known.
    pub fn forget_loaded(&self) -> bool {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = index.loaded;
        if loaded {
            *index = Index::default();
        }
        loaded
    }

    /// The last noted frame that begins at or before an offset.
    pub fn place_of(&self, offset: u64) -> Option<Place> {
        self.last_place(|place| place.offset <= offset)
    }

    /// The last noted frame before a record time.
    pub fn place_before(&self, micros: u64) -> Option<Place> {
        self.last_place(|place| place.time_micros < micros)
    }

    fn last_place(&self, wanted: impl Fn(&Place) -> bool) -> Option<Place> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let count = index.places.partition_point(wanted);
        index.places[..count].last().copied()
    }
}

/// The salt of a segment that the start that drew `entropy` makes.
pub(crate) fn salt(number: u64, entropy: u64) -> u32 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&entropy.to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    crc32c::crc32c(&bytes)
}

/// Name of the segment with a number.
pub(crate) fn name_of(number: u64) -> String {
    format!("{PREFIX}{number:010}")
}

/// Number of the segment with a name; `None` for other files.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix(PREFIX)?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

/// Makes a segment that begins with these frames, from a spare one of its length if there is one.
///
/// It replaces a segment of the same number, as a whole or not at all.
fn create<D: Disk>(disk: &D, segment: &Segment, frames: &[u8]) -> io::Result<()> {
    let length = segment.length;
    let files = disk.list()?;
    if files.iter().any(|(name, _)| name == UNFINISHED) {
        disk.remove(UNFINISHED)?;
    }
    if files.iter().any(|(name, spare)| name == SPARE && *spare == length) {
        disk.rename(SPARE, UNFINISHED)?;
    } else {
        disk.create(UNFINISHED, length)?;
    }
    disk.write_at(UNFINISHED, 0, &encode_header(segment))?;
    if !frames.is_empty() {
        disk.write_at(UNFINISHED, FRAMES_AT, frames)?;
    }
    disk.sync(UNFINISHED)?;
    disk.rename(UNFINISHED, &segment.name)
}

/// Makes a segment, shorter than wanted when there is no room.
pub(crate) fn create_fitting<D: Disk>(
    disk: &D,
    number: u64,
    room: Room,
    entropy: u64,
    frames: &[u8],
) -> io::Result<Segment> {
    let mut length = room.length(disk)?;
    loop {
        let segment = Segment::new(number, length, entropy);
        match create(disk, &segment, frames) {
            Err(error) if disk::is_full(&error) && length > room.least => {
                length = room.shorter(length);
            }
            made => return made.map(|()| segment),
        }
    }
}

/// How long a segment should be, and how much room it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Its length when there is plenty.
    pub wanted: u64,
    /// Its length when there is little, at least.
    pub least: u64,
    /// Up to this length it takes all that is free, above it half: the checkpoint needs some too.
    pub reserve: u64,
}

impl Room {
    /// Room for a segment that must hold so much.
    pub fn new(wanted: u64, needed: u64, reserve: u64) -> Self {
        let least = needed.max(wanted.min(LENGTH_MIN)).next_multiple_of(SECTOR as u64);
        Self { wanted, least, reserve }
    }

    /// The length to begin with.
    pub fn length<D: Disk>(&self, disk: &D) -> io::Result<u64> {
        let wanted = self.wanted.max(self.least);
        let free = disk.free()?;
        if free / 2 >= wanted || disk.list()?.contains(&(SPARE.to_owned(), wanted)) {
            return Ok(wanted);
        }
        let most = (free / 2).max(self.reserve.min(free));
        let mut length = wanted;
        while length > most && length > self.least {
            length = self.shorter(length);
        }
        // Half of what is too long may be less than the reserve, and the disk full for good.
        let reserve = self.reserve.next_multiple_of(SECTOR as u64).min(wanted);
        Ok(if reserve <= free { length.max(reserve) } else { length })
    }

    fn shorter(&self, length: u64) -> u64 {
        (length / 2).next_multiple_of(SECTOR as u64).max(self.least)
    }
}

/// Opens a file that has the name of a segment.
pub(crate) fn open<D: Disk>(disk: &D, number: u64, length: u64) -> Result<Segment, StoreError> {
    let name = name_of(number);
    let mut bytes = [0; SECTOR];
    let read = disk
        .read_at(&name, 0, &mut bytes)
        .map_err(|error| StoreError::io(format!("reading {name}"), error))?;
    let damaged = |detail: &str| StoreError::corrupt(&name, 0, detail);
    if read < SECTOR || bytes[0..4] != MAGIC {
        return Err(damaged("not a segment of the log"));
    }
    if u32_at(&bytes, CRC_AT) != crc32c::crc32c(&bytes[..CRC_AT]) {
        return Err(damaged("checksum of the segment's header differs"));
    }
    let format = u32_at(&bytes, 4);
    if format != u32::from(FORMAT) {
        let supported = u32::from(FORMAT);
        return Err(StoreError::Format { file: name, found: format, supported });
    }
    if u64_at(&bytes, 8) != number {
        return Err(damaged("the segment has another number"));
    }
    if u64_at(&bytes, 16) != length {
        return Err(StoreError::corrupt(&name, length, "the segment has another length"));
    }
    Ok(Segment::with_salt(number, length, u32_at(&bytes, 24)))
}

/// Header: magic, format u32, number u64, length u64, salt u32, zeros, checksum of all before.
///
/// Magic, format and checksum stay where they are in every format, so that a newer file is told
/// from a damaged one.
fn encode_header(segment: &Segment) -> [u8; SECTOR] {
    let mut bytes = [0; SECTOR];
    bytes[0..4].copy_from_slice(&MAGIC);
    bytes[4..8].copy_from_slice(&u32::from(FORMAT).to_le_bytes());
    bytes[8..16].copy_from_slice(&segment.number.to_le_bytes());
    bytes[16..24].copy_from_slice(&segment.length.to_le_bytes());
    bytes[24..28].copy_from_slice(&segment.salt.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..CRC_AT]);
    bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    bytes
}
