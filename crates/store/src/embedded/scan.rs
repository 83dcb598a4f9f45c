//! Reads the frames of a segment one after the other, and says which may follow which.

use std::io;

use crate::disk::Disk;
use crate::embedded::segment::{FRAMES_AT, Segment};
use crate::frame::{self, HEADER_BYTES, Header, SECTOR};

const READ_BYTES: usize = 1024 * 1024;

/// A frame whose checksum is right.
pub(crate) struct Frame<'a> {
    pub header: Header,
    pub position: u64,
    /// The encoded records.
    pub body: &'a [u8],
}

/// Frames of a segment from a place on.
pub(crate) struct Scanner<'a, D> {
    disk: &'a D,
    segment: &'a Segment,
    position: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
    read_bytes: usize,
}

impl<'a, D: Disk> Scanner<'a, D> {
    pub fn new(disk: &'a D, segment: &'a Segment, position: u64) -> Self {
        let (buffer, buffer_at) = (Vec::new(), position);
        Self { disk, segment, position, buffer, buffer_at, read_bytes: READ_BYTES }
    }

    /// Reads at least this many bytes at once.
    pub fn reading(mut self, bytes: usize) -> Self {
        self.read_bytes = bytes.clamp(SECTOR, READ_BYTES);
        self
    }

    /// Place of the next frame, or of what is there instead.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next frame; `None` where the bytes are not a frame of this segment.
    pub fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        let Some(header) = self.peek()? else {
            return Ok(None);
        };
        let salt = self.segment.salt;
        let position = self.position;
        let bytes = self.bytes(position, header.length as usize)?;
        if !frame::verify(bytes, &header, salt) {
            return Ok(None);
        }
        self.position += u64::from(header.length);
        let start = (position - self.buffer_at) as usize + HEADER_BYTES;
        let body = &self.buffer[start..start + header.body_bytes as usize];
        Ok(Some(Frame { header, position, body }))
    }

    /// Skips to the next sector that could begin a frame at or after an offset; `false` at the end.
    pub fn seek(&mut self, offset: u64) -> io::Result<bool> {
        while self.position < self.segment.length {
            if self.peek()?.is_some_and(|header| header.first_offset >= offset) {
                return Ok(true);
            }
            self.position += SECTOR as u64;
        }
        Ok(false)
    }

    /// Steps over one sector.
    pub fn skip(&mut self) {
        self.position += SECTOR as u64;
    }

    fn peek(&mut self) -> io::Result<Option<Header>> {
        let rest = self.segment.length.saturating_sub(self.position);
        let bytes = self.bytes(self.position, HEADER_BYTES)?;
        Ok(frame::parse(bytes).filter(|header| u64::from(header.length) <= rest))
    }

    /// Bytes of the file, fewer only at its end.
    fn bytes(&mut self, position: u64, length: usize) -> io::Result<&[u8]> {
        let buffered = self.buffer_at + self.buffer.len() as u64;
        if position < self.buffer_at || position + length as u64 > buffered {
            let rest = self.segment.length.saturating_sub(position) as usize;
            self.buffer.resize(length.max(self.read_bytes).min(rest), 0);
            self.buffer_at = position;
            let read = self.disk.read_at(&self.segment.name, position, &mut self.buffer)?;
            self.buffer.truncate(read);
        }
        let start = (position - self.buffer_at) as usize;
        Ok(&self.buffer[start..self.buffer.len().min(start + length)])
    }
}

/// The first frame of a segment, if it has one.
pub(crate) fn first<D: Disk>(disk: &D, segment: &Segment) -> io::Result<Option<Header>> {
    let mut scanner = Scanner::new(disk, segment, FRAMES_AT).reading(4096);
    Ok(scanner.next()?.map(|frame| frame.header))
}

/// What the log is known to be up to a place: which frame may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Offset of the next record.
    pub next: u64,
    /// Checksum of the last frame.
    pub crc: u32,
    /// Start that wrote the last frame.
    pub boot: u64,
    /// Record time of the last frame.
    pub time_micros: u64,
}

impl Chain {
    /// The state of a log without a frame.
    pub fn start(boot: u64) -> Self {
        Self { next: 0, crc: 0, boot, time_micros: 0 }
    }

    /// The state that the first frame of a segment continues.
    pub fn before(first: &Header) -> Self {
        Self {
            next: first.first_offset,
            crc: first.previous_crc,
            boot: first.boot,
            time_micros: first.time_micros,
        }
    }

    /// Whether a frame continues the log. Another start may begin only with a seal, or with the
    /// first frame of a segment, where it found the log to be durable.
    pub fn accepts(&self, header: &Header, first_in_segment: bool) -> bool {
        header.first_offset == self.next
            && header.durable_before == self.next
            && header.previous_crc == self.crc
            && (header.boot == self.boot || header.is_seal() || first_in_segment)
    }

    /// Whether the next segment, which begins with this frame, takes over here.
    pub fn continues_in(&self, first: &Header) -> bool {
        self.next == first.first_offset && self.crc == first.previous_crc
    }

    pub fn advance(&mut self, header: &Header) {
        self.next = header.end();
        self.crc = header.crc;
        self.boot = header.boot;
        self.time_micros = self.time_micros.max(header.time_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_follows_only_the_frame_that_it_was_written_after() {
        let chain = Chain { next: 7, crc: 70, boot: 700, time_micros: 0 };
        let follows = Header {
            count: 2,
            first_offset: 7,
            durable_before: 7,
            previous_crc: 70,
            boot: 700,
            ..Header::default()
        };
        let other_boot = Header { boot: 701, ..follows };
        let seal = Header { count: 0, ..other_boot };
        let cases = [
            ("the next frame", follows, false, true),
            ("of an earlier place", Header { first_offset: 6, ..follows }, false, false),
            ("of a later place", Header { first_offset: 8, ..follows }, false, false),
            ("before another was synced", Header { durable_before: 6, ..follows }, false, false),
            ("after another frame", Header { previous_crc: 71, ..follows }, false, false),
            ("of another start", other_boot, false, false),
            ("of another start, in a new segment", other_boot, true, true),
            ("a seal of another start", seal, false, true),
            ("a seal after another frame", Header { previous_crc: 71, ..seal }, false, false),
        ];
        for (name, header, first_in_segment, expected) in cases {
            assert_eq!(chain.accepts(&header, first_in_segment), expected, "{name}");
        }
    }
}
