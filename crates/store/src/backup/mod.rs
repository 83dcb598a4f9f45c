//! A backup: the rows of a checkpoint and the log up to an offset, as one stream. Format 2.
//!
//! Magic `ONXB`, format u32, then parts, each a byte that says what it is:
//!
//! | byte | part |
//! |---|---|
//! | 1 | a segment: number u64, length u64, how many of its bytes follow u64, the bytes |
//! | 2 | rows: how many bytes follow u32, then key length u32, value length u32, key, value of each |
//! | 3 | a large payload beside the log: name length u32, content length u64, name, content |
//! | 0 | the end: [`Summary`] as six u64, then BLAKE3 of everything before the digest |
//!
//! Numbers are little-endian. What does not end with its digest is no backup.

mod read;
mod restore;
mod write;

pub use read::verify;
pub use restore::restore;
pub(crate) use write::Writer;

const MAGIC: [u8; 4] = *b"ONXB";
const FORMAT: u32 = 2;

const SEGMENT: u8 = 1;
const ROWS: u8 = 2;
const PAYLOAD: u8 = 3;
const END: u8 = 0;

/// Bytes of one part of rows, unless a single row is larger.
const ROWS_BYTES: usize = 1024 * 1024;

/// Bytes of a segment that are handed over at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Everything before this offset is in it, and nothing else.
    pub offset: u64,
    /// Offset that its rows cover at least.
    pub covered: u64,
    /// Record time of its last record, in microseconds.
    pub time_micros: u64,
    /// Rows outside the log.
    pub rows: u64,
    /// Segments of the log.
    pub segments: u64,
    /// Large payloads beside it.
    pub payloads: u64,
}

impl Summary {
    fn to_bytes(self) -> [u8; 48] {
        let mut bytes = [0; 48];
        let Self { offset, covered, time_micros, rows, segments, payloads } = self;
        let fields = [offset, covered, time_micros, rows, segments, payloads];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; 48]) -> Summary {
        let mut fields = bytes.chunks_exact(8).map(|place| {
            let mut field = [0; 8];
            field.copy_from_slice(place);
            u64::from_le_bytes(field)
        });
        let mut next = || fields.next().unwrap_or_default();
        let (offset, covered, time_micros) = (next(), next(), next());
        let (rows, segments, payloads) = (next(), next(), next());
        Summary { offset, covered, time_micros, rows, segments, payloads }
    }
}
