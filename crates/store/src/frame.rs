//! Bytes of a frame, the unit of one sync, format 2.
//!
//! A frame is a header of 64 bytes, the records, and zeros up to the next 512-byte boundary.
//! The checksum covers all of it and begins with the salt of its segment, so that bytes of an
//! earlier use of a segment never look like a frame of this one.

use crate::embedded::claims::Claim;
use crate::{Record, codec};

/// Frames begin and end on this boundary: what a disk writes whole or not at all.
pub(crate) const SECTOR: usize = 512;
/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 64;
/// Format number of frames and segments.
pub(crate) const FORMAT: u16 = 2;
/// First bytes of every frame.
pub(crate) const MAGIC: [u8; 4] = *b"ONXF";

const CRC_AT: usize = 60;

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the frame, padding included.
    pub length: u32,
    /// Number of records; a frame without any is a seal.
    pub count: u32,
    /// Offset of the first record; for a seal that of the next one.
    pub first_offset: u64,
    /// All records below were known to be synced when the frame was written.
    pub durable_before: u64,
    /// Record time of the turn.
    pub time_micros: u64,
    /// Number drawn by the start that wrote the frame.
    pub boot: u64,
    /// Checksum of the frame before it in the log.
    pub previous_crc: u32,
    /// Bytes of the records.
    pub body_bytes: u32,
    /// Checksum of this frame.
    pub crc: u32,
}

impl Header {
    /// Offset after the last record.
    pub fn end(&self) -> u64 {
        self.first_offset + u64::from(self.count)
    }

    /// Whether this frame only says that everything before it is synced.
    pub fn is_seal(&self) -> bool {
        self.count == 0
    }
}

/// Bytes of a frame whose records take `body_bytes`.
pub(crate) fn frame_bytes(body_bytes: usize) -> usize {
    (HEADER_BYTES + body_bytes).next_multiple_of(SECTOR)
}

/// Replaces the content of `buffer` by room for a header and the records; `claims` says what stands
/// for the payload of each, or is empty.
pub(crate) fn begin(buffer: &mut Vec<u8>, records: &[Record], claims: &[Option<Claim>]) {
    buffer.clear();
    buffer.resize(HEADER_BYTES, 0);
    for (index, record) in records.iter().enumerate() {
        codec::encode(record, claims.get(index).copied().flatten(), buffer);
    }
}

/// Pads the frame that starts at `start` of the buffer, completes its header and returns it.
pub(crate) fn finish(buffer: &mut Vec<u8>, start: usize, salt: u32, header: Header) -> Header {
    let body_bytes = buffer.len() - start - HEADER_BYTES;
    let length = frame_bytes(body_bytes);
    buffer.resize(start + length, 0);
    let mut header = Header { length: length as u32, body_bytes: body_bytes as u32, ..header };
    let frame = &mut buffer[start..];
    frame[0..4].copy_from_slice(&MAGIC);
    frame[4..6].copy_from_slice(&FORMAT.to_le_bytes());
    frame[8..12].copy_from_slice(&header.length.to_le_bytes());
    frame[12..16].copy_from_slice(&header.count.to_le_bytes());
    frame[16..24].copy_from_slice(&header.first_offset.to_le_bytes());
    frame[24..32].copy_from_slice(&header.durable_before.to_le_bytes());
    frame[32..40].copy_from_slice(&header.time_micros.to_le_bytes());
    frame[40..48].copy_from_slice(&header.boot.to_le_bytes());
    frame[48..52].copy_from_slice(&header.previous_crc.to_le_bytes());
    frame[52..56].copy_from_slice(&header.body_bytes.to_le_bytes());
    header.crc = checksum(frame, salt);
    frame[CRC_AT..HEADER_BYTES].copy_from_slice(&header.crc.to_le_bytes());
    header
}

/// Reads a header without judging the bytes behind it; `None` when it cannot be one.
pub(crate) fn parse(bytes: &[u8]) -> Option<Header> {
    let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
    if bytes[0..4] != MAGIC || bytes[4..6] != FORMAT.to_le_bytes() {
        return None;
    }
    let header = Header {
        length: u32_at(bytes, 8),
        count: u32_at(bytes, 12),
        first_offset: u64_at(bytes, 16),
        durable_before: u64_at(bytes, 24),
        time_micros: u64_at(bytes, 32),
        boot: u64_at(bytes, 40),
        previous_crc: u32_at(bytes, 48),
        body_bytes: u32_at(bytes, 52),
        crc: u32_at(bytes, CRC_AT),
    };
    let fits = header.length as usize == frame_bytes(header.body_bytes as usize);
    let ordered = header.durable_before <= header.first_offset
        && header.first_offset.checked_add(u64::from(header.count)).is_some();
    (fits && ordered).then_some(header)
}

/// Whether a whole frame is what was written into a segment with this salt.
pub(crate) fn verify(frame: &[u8], header: &Header, salt: u32) -> bool {
    frame.len() == header.length as usize && checksum(frame, salt) == header.crc
}

fn checksum(frame: &[u8], salt: u32) -> u32 {
    let crc = crc32c::crc32c_append(salt, &frame[..CRC_AT]);
    crc32c::crc32c_append(crc, &frame[HEADER_BYTES..])
}

/// Little-endian number at a place of a fixed-size header.
pub(crate) fn u32_at<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

/// Little-endian number at a place of a fixed-size header.
pub(crate) fn u64_at<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
