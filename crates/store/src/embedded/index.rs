//! Where the frames of a full segment begin, saved beside it, so that a read in the middle of it
//! after a start need not follow it from its first frame.
//!
//! It is no part of the truth: what is missing or damaged is worked out again, and what it says is
//! held against the numbers of the frame that stands there.

use std::io;

use crate::StoreError;
use crate::disk::{self, Disk};
use crate::embedded::segment::{Place, Segment};
use crate::frame::{u32_at, u64_at};

/// The folder of the files.
pub(crate) const FOLDER: &str = "index";

const MAGIC: [u8; 4] = *b"ONXI";
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 24;
const PLACE_BYTES: usize = 24;

/// Saves what is known of a segment that is complete. Without room it is left.
pub(crate) fn save<D: Disk>(disk: &D, segment: &Segment) -> Result<(), StoreError> {
    let Some(places) = segment.unsaved() else {
        return Ok(());
    };
    match disk.put(&name_of(segment.number), &[&encode(segment, &places)]) {
        Err(error) if disk::is_full(&error) => return Ok(()),
        put => put.map_err(|error| {
            StoreError::io(format!("saving the index of {}", segment.name), error)
        })?,
    }
    segment.saved();
    Ok(())
}

/// What was saved of a segment; `None` when it is missing, damaged or of another use of the file.
pub(crate) fn load<D: Disk>(disk: &D, segment: &Segment) -> Option<Vec<Place>> {
    let name = name_of(segment.number);
    let mut header = [0; HEADER_BYTES];
    let read = disk.read_at(&name, 0, &mut header).ok()?;
    let count = u32_at(&header, 20) as u64;
    // No segment has more places than sectors.
    let fits = read == HEADER_BYTES && count <= segment.length / crate::frame::SECTOR as u64;
    let mut bytes = vec![0; fits.then(|| file_bytes(count as usize))?];
    let whole = disk.read_at(&name, 0, &mut bytes).ok()? == bytes.len();
    let (content, crc) = bytes.split_last_chunk::<4>()?;
    let header = content.first_chunk::<HEADER_BYTES>()?;
    let ours = whole
        && header[0..4] == MAGIC
        && u32_at(header, 4) == FORMAT
        && u64_at(header, 8) == segment.number
        && u32_at(header, 16) == segment.salt
        && u32::from_le_bytes(*crc) == crc32c::crc32c(content);
    let place = |bytes: &[u8; PLACE_BYTES]| Place {
        offset: u64_at(bytes, 0),
        position: u64_at(bytes, 8),
        time_micros: u64_at(bytes, 16),
    };
    let (places, _) = content[HEADER_BYTES..].as_chunks::<PLACE_BYTES>();
    ours.then(|| places.iter().map(place).collect())
}

/// Removes what was saved of a segment that is gone.
pub(crate) fn remove<D: Disk>(disk: &D, number: u64) -> io::Result<()> {
    match disk.remove(&name_of(number)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what was saved of segments before the oldest.
pub(crate) fn remove_before<D: Disk>(disk: &D, oldest: u64) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("looking for indexes", error);
    let oldest = name_of(oldest);
    for (name, _) in disk.list_in(FOLDER).map_err(failed)? {
        if name < oldest {
            disk.remove(&name).map_err(failed)?;
        }
    }
    Ok(())
}

fn name_of(number: u64) -> String {
    format!("{FOLDER}/{number:010}")
}

fn file_bytes(count: usize) -> usize {
    HEADER_BYTES + count * PLACE_BYTES + 4
}

/// Magic, format u32, number u64, salt u32, count u32, places, checksum of all before.
fn encode(segment: &Segment, places: &[Place]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(file_bytes(places.len()));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&segment.number.to_le_bytes());
    bytes.extend_from_slice(&segment.salt.to_le_bytes());
    bytes.extend_from_slice(&(places.len() as u32).to_le_bytes());
    for Place { offset, position, time_micros } in places {
        for number in [offset, position, time_micros] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}
