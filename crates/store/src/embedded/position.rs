//! How far the log had come: a note beside it, so that a log that ends earlier is refused.
//!
//! It is written after each synced frame and itself synced only at checkpoints and seals, so it
//! may fall behind after a loss of power, and never says more than what is durable. It is a second
//! witness and no part of the truth: what cannot be written or read back changes nothing.

use std::io;

use crate::StoreError;
use crate::disk::Disk;
use crate::embedded::segment::{self, FRAMES_AT};
use crate::frame::{SECTOR, u32_at, u64_at};

/// The note. It exists only while there is a segment.
pub(crate) const FILE: &str = "position";

const MAGIC: [u8; 4] = *b"ONXP";
const FORMAT: u32 = 1;

/// Written in turn, so that a torn one leaves the one before.
const SLOTS: u64 = 2;

const CRC_AT: usize = 32;
const BYTES: usize = 36;

/// What the log was known to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// All records below were durable.
    pub offset: u64,
    /// The last segment that held a frame, or was to hold the first.
    pub segment: u64,
}

/// Writes notes.
#[derive(Debug)]
pub(crate) struct Note {
    written: u64,
    usable: bool,
    unsynced: bool,
}

impl Note {
    /// Goes on with the note of a disk, or makes one. The log has a segment.
    pub fn start<D: Disk>(disk: &D) -> Note {
        let found = newest(disk).ok().flatten();
        let written = found.map_or(0, |(written, _)| written);
        let there = disk.list().is_ok_and(|files| files.iter().any(|(name, _)| name == FILE));
        let usable = there || disk.create(FILE, SLOTS * SECTOR as u64).is_ok();
        Note { written, usable, unsynced: false }
    }

    /// Notes what is durable.
    pub fn write<D: Disk>(&mut self, disk: &D, position: Position) {
        if self.usable {
            self.written += 1;
            let at = self.written % SLOTS * SECTOR as u64;
            self.usable = disk.write_at(FILE, at, &encode(self.written, position)).is_ok();
            self.unsynced = self.usable;
        }
    }

    /// Makes the last note durable.
    pub fn sync<D: Disk>(&mut self, disk: &D) {
        if std::mem::take(&mut self.unsynced) {
            self.usable = disk.sync(FILE).is_ok();
        }
    }
}

/// Refuses a log that ends before what was noted.
pub(crate) fn refuse_behind<D: Disk>(
    disk: &D,
    found: Position,
    name: &str,
    end: u64,
) -> Result<(), StoreError> {
    refuse_earlier(noted(disk)?, found, name, end)
}

/// What was noted, if a note is whole.
pub(crate) fn noted<D: Disk>(disk: &D) -> Result<Option<Position>, StoreError> {
    let newest = newest(disk).map_err(|error| StoreError::io("reading the position", error))?;
    Ok(newest.map(|(_, noted)| noted))
}

/// Refuses a log that ends before a note.
pub(crate) fn refuse_earlier(
    noted: Option<Position>,
    found: Position,
    name: &str,
    end: u64,
) -> Result<(), StoreError> {
    let Some(noted) = noted else { return Ok(()) };
    if found.segment < noted.segment {
        let name = segment::name_of(found.segment + 1);
        return Err(StoreError::corrupt(name, 0, "this segment is missing"));
    }
    if found.offset < noted.offset {
        let detail = format!(
            "the log ends at offset {}, and all before offset {} was synced",
            found.offset, noted.offset
        );
        return Err(StoreError::corrupt(name, end.max(FRAMES_AT), detail));
    }
    Ok(())
}

/// Refuses a start without any segment where there was one.
pub(crate) fn refuse_without_log<D: Disk>(disk: &D) -> Result<(), StoreError> {
    let files = disk.list().map_err(|error| StoreError::io("listing files", error))?;
    if files.iter().any(|(name, _)| name == FILE) {
        let detail = "the log is gone: there is its position and no segment";
        return Err(StoreError::corrupt(FILE, 0, detail));
    }
    Ok(())
}

/// The newest note that is whole.
fn newest<D: Disk>(disk: &D) -> io::Result<Option<(u64, Position)>> {
    let mut newest: Option<(u64, Position)> = None;
    for slot in 0..SLOTS {
        let mut bytes = [0; BYTES];
        let read = match disk.read_at(FILE, slot * SECTOR as u64, &mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let noted = decode(&bytes[..read]);
        newest = newest.into_iter().chain(noted).max_by_key(|(written, _)| *written);
    }
    Ok(newest)
}

/// Magic, format u32, number of the note u64, offset u64, segment u64, checksum of all before.
fn encode(written: u64, position: Position) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[0..4].copy_from_slice(&MAGIC);
    bytes[4..8].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[8..16].copy_from_slice(&written.to_le_bytes());
    bytes[16..24].copy_from_slice(&position.offset.to_le_bytes());
    bytes[24..32].copy_from_slice(&position.segment.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..CRC_AT]);
    bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(u64, Position)> {
    let bytes = bytes.first_chunk::<BYTES>()?;
    let whole = bytes[0..4] == MAGIC
        && u32_at(bytes, 4) == FORMAT
        && u32_at(bytes, CRC_AT) == crc32c::crc32c(&bytes[..CRC_AT]);
    let position = Position { offset: u64_at(bytes, 16), segment: u64_at(bytes, 24) };
    whole.then(|| (u64_at(bytes, 8), position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Memory;

    #[test]
    fn the_newest_whole_note_counts() {
        let disk = Memory::new();
        let mut note = Note::start(&disk);
        let noted = |disk: &Memory| newest(disk).expect("reads").map(|(_, noted)| noted);
        assert_eq!(noted(&disk), None);
        for offset in 1..=5 {
            note.write(&disk, Position { offset, segment: 1 });
            assert_eq!(noted(&disk), Some(Position { offset, segment: 1 }));
        }
        let at = 5 % SLOTS * SECTOR as u64;
        disk.flip_bit(FILE, at + 20, 3).expect("flips");
        assert_eq!(noted(&disk), Some(Position { offset: 4, segment: 1 }));
        Note::start(&disk).write(&disk, Position { offset: 9, segment: 2 });
        assert_eq!(noted(&disk), Some(Position { offset: 9, segment: 2 }));
    }

    #[test]
    fn a_note_keeps_its_bytes() {
        let position = Position { offset: 298, segment: 3 };
        let bytes = encode(7, position);
        assert_eq!(bytes[..12], *b"ONXP\x01\0\0\0\x07\0\0\0");
        assert_eq!(decode(&bytes), Some((7, position)));
        assert_eq!(decode(&bytes[..35]), None);
    }
}
