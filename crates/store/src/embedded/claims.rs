//! Large payloads beside the log, each a file of its own that is durable before the record that
//! names it is written.
//!
//! A file is named by the BLAKE3 of its content, and by the segment that was the tail when it was
//! written: it goes when the log has let go of that segment and the one behind it, into which the
//! record may have come. What a crash leaves without a record goes with them. No file is trusted
//! to be durable because it is there: each start writes it anew before it names it.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::{self, Disk};
use crate::{Record, StoreError};

/// The folder of the files.
pub(crate) const FOLDER: &str = "claims";

/// Bytes of a claim inside a record.
pub(crate) const CLAIM_BYTES: usize = 48;

const MAGIC: [u8; 4] = *b"ONXC";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 16;

/// What a record holds in place of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The tail when the file was written.
    pub segment: u64,
    /// Length of the payload.
    pub bytes: u64,
    /// BLAKE3 of the payload.
    pub hash: [u8; 32],
}

impl Claim {
    /// The claim of a payload.
    fn of(segment: u64, payload: &[u8]) -> Self {
        let hash = *blake3::hash(payload).as_bytes();
        Self { segment, bytes: payload.len() as u64, hash }
    }

    /// As it stands in a record: segment u64, bytes u64, hash.
    pub fn to_bytes(self) -> [u8; CLAIM_BYTES] {
        let mut bytes = [0; CLAIM_BYTES];
        bytes[..8].copy_from_slice(&self.segment.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[16..].copy_from_slice(&self.hash);
        bytes
    }

    /// Reads [`Claim::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (segment, rest) = bytes.split_first_chunk()?;
        let (length, hash) = rest.split_first_chunk()?;
        Some(Self {
            segment: u64::from_le_bytes(*segment),
            bytes: u64::from_le_bytes(*length),
            hash: hash.try_into().ok()?,
        })
    }

    /// The file that holds the payload.
    pub fn file(&self) -> String {
        file_of(self.segment, self.hash)
    }

    /// Length of the file.
    pub fn file_bytes(&self) -> u64 {
        self.bytes + HEADER_BYTES as u64
    }

    /// Refuses what is not there as it was written; its content is not looked at.
    pub fn refuse_missing(&self, files: &BTreeMap<String, u64>) -> Result<(), StoreError> {
        let file = self.file();
        match files.get(&file) {
            None => Err(StoreError::corrupt(file, 0, "a record names this payload; it is missing")),
            Some(length) if *length != self.file_bytes() => {
                Err(StoreError::corrupt(file, *length, "the payload has another length"))
            }
            Some(_) => Ok(()),
        }
    }
}

/// The files of a log.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    state: Mutex<State>,
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Files and their bytes, by segment and hash.
    files: BTreeMap<(u64, [u8; 32]), u64>,
    /// What this start has made durable for the tail.
    durable: HashSet<[u8; 32]>,
    tail: u64,
}

impl Claims {
    /// Takes stock of a disk, and removes what no record of a segment from `oldest` on can name.
    pub fn start<D: Disk>(disk: &D, oldest: u64) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("looking for large payloads", error);
        let claims = Self::default();
        let mut state = State::default();
        for (name, length) in disk.list_in(FOLDER).map_err(failed)? {
            match named(&name) {
                Some(file) if file.0 + 1 >= oldest => {
                    state.files.insert(file, length);
                }
                _ => disk.remove(&name).map_err(failed)?,
            }
        }
        claims.note(&state);
        *claims.lock() = state;
        Ok(claims)
    }

    /// Makes the large payloads of a turn durable, and says what stands for them; as many as there
    /// are records, or none when none is large. What there is no room for stays in its record.
    pub fn put<D: Disk>(
        &self,
        disk: &D,
        segment: u64,
        records: &[Record],
        limits: Limits,
    ) -> io::Result<Vec<Option<Claim>>> {
        let is_large = |record: &Record| record.payload_bytes as u64 > limits.inline_bytes_max;
        if !records.iter().any(is_large) {
            return Ok(Vec::new());
        }
        let mut state = self.lock();
        if state.tail != segment {
            state.durable.clear();
            state.tail = segment;
        }
        let mut claims = Vec::with_capacity(records.len());
        for record in records {
            let claim = match is_large(record) {
                true => state.put(disk, segment, payload(record), limits)?,
                false => None,
            };
            claims.push(claim);
        }
        self.note(&state);
        Ok(claims)
    }

    /// Removes what no record of a segment from `oldest` on can name.
    pub fn let_go<D: Disk>(&self, disk: &D, oldest: u64) -> io::Result<()> {
        let gone = |segment: u64| segment + 1 < oldest;
        let files: Vec<(u64, [u8; 32])> = self.lock().files.keys().copied().collect();
        for (segment, hash) in files.into_iter().take_while(|(segment, _)| gone(*segment)) {
            match disk.remove(&file_of(segment, hash)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut state = self.lock();
            state.files.remove(&(segment, hash));
            self.note(&state);
        }
        Ok(())
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the files that records of a segment name.
    pub fn bytes_of(&self, segment: u64) -> u64 {
        let state = self.lock();
        state
            .files
            .range((segment, [0; 32])..=(segment, [u8::MAX; 32]))
            .map(|(_, bytes)| bytes)
            .sum()
    }

    fn note(&self, state: &State) {
        self.bytes.store(state.files.values().sum(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is large, and what a disk needs for other things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Longest payload that stays in its record.
    pub inline_bytes_max: u64,
    /// Bytes that files leave free.
    pub reserve_bytes: u64,
}

impl State {
    fn put<D: Disk>(
        &mut self,
        disk: &D,
        segment: u64,
        payload: &[u8],
        limits: Limits,
    ) -> io::Result<Option<Claim>> {
        let claim = Claim::of(segment, payload);
        if self.durable.contains(&claim.hash) {
            return Ok(Some(claim));
        }
        if disk.free()? < claim.file_bytes().saturating_add(limits.reserve_bytes) {
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        header[0..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&FORMAT.to_le_bytes());
        header[8..16].copy_from_slice(&claim.bytes.to_le_bytes());
        match disk.put(&claim.file(), &[&header, payload]) {
            Err(error) if disk::is_full(&error) => return Ok(None),
            put => put?,
        }
        self.durable.insert(claim.hash);
        self.files.insert((segment, claim.hash), claim.file_bytes());
        Ok(Some(claim))
    }
}

/// Reads a payload, and refuses one that is not as it was written.
pub(crate) fn read<D: Disk>(disk: &D, claim: &Claim) -> Result<Vec<u8>, StoreError> {
    let name = claim.file();
    let damaged = |detail: &str| Err(StoreError::corrupt(&name, 0, detail));
    let mut bytes = vec![0; claim.file_bytes() as usize];
    let read = match disk.read_at(&name, 0, &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return damaged("a record names this payload; it is missing");
        }
        read => read.map_err(|error| StoreError::io(format!("reading {name}"), error))?,
    };
    if read < bytes.len() || bytes[0..4] != MAGIC {
        return damaged("not a payload of the log");
    }
    let format = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    if format != FORMAT {
        return Err(StoreError::Format { file: name, found: format, supported: FORMAT });
    }
    bytes.drain(..HEADER_BYTES);
    if *blake3::hash(&bytes).as_bytes() != claim.hash {
        return damaged("the payload differs from what its record names");
    }
    Ok(bytes)
}

/// Names and lengths of the files of a disk.
pub(crate) fn list<D: Disk>(disk: &D) -> Result<BTreeMap<String, u64>, StoreError> {
    let files = disk.list_in(FOLDER);
    let files = files.map_err(|error| StoreError::io("looking for large payloads", error))?;
    Ok(files.into_iter().filter(|(name, _)| is_file(name)).collect())
}

/// Whether a name is that of a payload.
pub(crate) fn is_file(name: &str) -> bool {
    named(name).is_some()
}

/// Name of the file of a payload.
fn file_of(segment: u64, hash: [u8; 32]) -> String {
    format!("{FOLDER}/{segment:010}-{}", blake3::Hash::from_bytes(hash).to_hex())
}

/// The segment and the hash in the name of a file; `None` for other files.
fn named(name: &str) -> Option<(u64, [u8; 32])> {
    let (segment, hash) = name.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('-')?;
    let segment: u64 = segment.parse().ok()?;
    let hash = *blake3::Hash::from_hex(hash).ok()?.as_bytes();
    (file_of(segment, hash) == name).then_some((segment, hash))
}

/// The part of a record that may be kept beside the log.
fn payload(record: &Record) -> &[u8] {
    &record.body[head_bytes(record)..]
}

/// Length of the part of a record that stays in it.
pub(crate) fn head_bytes(record: &Record) -> usize {
    record.body.len().saturating_sub(record.payload_bytes)
}
