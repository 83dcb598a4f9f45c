//! Where the next frame goes, and how a start makes sure that all before it is durable.

use std::sync::Arc;

use crate::StoreError;
use crate::disk::Disk;
use crate::embedded::Options;
use crate::embedded::log::Used;
use crate::embedded::recover::LastFrame;
use crate::embedded::scan::{Chain, Scanner};
use crate::embedded::segment::{self, FRAMES_AT, Place, Room, Segment};
use crate::frame::{self, HEADER_BYTES, Header, SECTOR};

/// Where the next frame goes.
#[derive(Debug)]
pub(crate) struct Tail {
    pub segment: Arc<Segment>,
    pub position: u64,
    pub chain: Chain,
    /// Whether the last frame says that all records are synced.
    pub sealed: bool,
    pub buffer: Vec<u8>,
}

impl Tail {
    /// The tail of a log whose last frame is a seal, which is to be written anew: what a former
    /// start wrote may have been read from memory only.
    pub fn before_seal(segment: Arc<Segment>, seal: &LastFrame) -> Self {
        let (chain, position) = (seal.before, seal.position);
        Self { segment, position, chain, sealed: false, buffer: Vec::new() }
    }
}

/// The tail of a log without a frame, in its only segment, which is made when there is none.
pub(crate) fn empty<D: Disk>(
    disk: &D,
    options: &Options,
    segment: Option<Segment>,
) -> Result<(Vec<Used>, Tail), StoreError> {
    let segment = match segment {
        Some(segment) => segment,
        None => {
            let room = options.room(options.segment_first_bytes, 0);
            segment::create_fitting(disk, 1, room, options.entropy, &[])
                .map_err(|error| StoreError::room("making the first segment", error))?
        }
    };
    segment.complete();
    let segment = Arc::new(segment);
    let used = vec![Used { segment: Arc::clone(&segment), base: 0, since_micros: 0 }];
    let chain = Chain::start(options.entropy);
    let tail = Tail { segment, position: FRAMES_AT, chain, sealed: true, buffer: Vec::new() };
    Ok((used, tail))
}

/// Copies the last frame, which may be whole and yet not durable, to a segment of its own,
/// followed by a seal. A segment that held nothing else is replaced.
pub(crate) fn copy_unsealed<D: Disk>(
    disk: &D,
    options: &Options,
    mut used: Vec<Used>,
    last_frame: &LastFrame,
) -> Result<(Vec<Used>, Tail), StoreError> {
    let last = Arc::clone(&used[used.len() - 1].segment);
    let failed = |error| StoreError::room(format!("copying the tail of {}", last.name), error);
    let mut scanner = Scanner::new(disk, &last, last_frame.position);
    let frame = scanner.next().map_err(failed)?.ok_or_else(|| {
        StoreError::corrupt(&last.name, last_frame.position, "the last frame changed while read")
    })?;
    let mut chain = last_frame.before;
    let alone = last_frame.position == FRAMES_AT;
    let number = if alone { last.number } else { last.number + 1 };
    let needed = FRAMES_AT + u64::from(frame.header.length) + SECTOR as u64;
    let salt = segment::salt(number, options.entropy);
    let mut buffer = Vec::new();
    for (count, body) in [(frame.header.count, frame.body), (0, &[])] {
        let start = buffer.len();
        buffer.resize(start + HEADER_BYTES, 0);
        buffer.extend_from_slice(body);
        let header = Header {
            count,
            first_offset: chain.next,
            durable_before: chain.next,
            time_micros: frame.header.time_micros,
            boot: options.entropy,
            previous_crc: chain.crc,
            ..Header::default()
        };
        chain.advance(&frame::finish(&mut buffer, start, salt, header));
    }
    let room = options.room(options.segment_first_bytes, needed);
    // A start should work on a disk that is all but full.
    let room = Room { least: needed.next_multiple_of(SECTOR as u64), ..room };
    let segment =
        segment::create_fitting(disk, number, room, options.entropy, &buffer).map_err(failed)?;
    let (base, since_micros) = (frame.header.first_offset, frame.header.time_micros);
    segment.note(Place { offset: base, position: FRAMES_AT, time_micros: since_micros });
    segment.complete();
    let segment = Arc::new(segment);
    if alone {
        used.pop();
    }
    used.push(Used { segment: Arc::clone(&segment), base, since_micros });
    let position = FRAMES_AT + buffer.len() as u64;
    Ok((used, Tail { segment, position, chain, sealed: true, buffer }))
}
