//! Reads a backup part by part, and refuses what is cut off or damaged.

use std::io::{self, Read};

use super::{END, FORMAT, MAGIC, PAYLOAD, PIECE_BYTES, ROWS, SEGMENT, Summary};
use crate::embedded::claims;
use crate::store::{KEY_BYTES_MAX, RECORD_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{StoreError, backup};

/// Longest name of a payload's file.
const NAME_BYTES_MAX: usize = 256;

/// Who takes the parts.
pub(super) trait Take {
    /// A row.
    fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// A segment begins.
    fn segment(&mut self, number: u64, length: u64) -> Result<(), StoreError>;

    /// Bytes of the segment that began last, from a position on.
    fn piece(&mut self, position: u64, bytes: &[u8]) -> Result<(), StoreError>;

    /// The segment that began last is whole.
    fn segment_end(&mut self) -> Result<(), StoreError>;

    /// The file of a large payload.
    fn payload(&mut self, name: &str, content: &[u8]) -> Result<(), StoreError>;
}

/// Reads a whole backup and says what it holds.
///
/// # Errors
/// `Corrupt` when it is cut off or damaged, `Format` when another version wrote it.
pub fn verify(from: &mut dyn Read) -> Result<Summary, StoreError> {
    struct Nobody;
    impl Take for Nobody {
        fn row(&mut self, _: &[u8], _: &[u8]) -> Result<(), StoreError> {
            Ok(())
        }
        fn segment(&mut self, _: u64, _: u64) -> Result<(), StoreError> {
            Ok(())
        }
        fn piece(&mut self, _: u64, _: &[u8]) -> Result<(), StoreError> {
            Ok(())
        }
        fn segment_end(&mut self) -> Result<(), StoreError> {
            Ok(())
        }
        fn payload(&mut self, _: &str, _: &[u8]) -> Result<(), StoreError> {
            Ok(())
        }
    }
    read(from, &mut Nobody)
}

/// Reads a whole backup. What was taken counts only when this returns a summary.
pub(super) fn read(from: &mut dyn Read, take: &mut dyn Take) -> Result<Summary, StoreError> {
    let mut source = Source { from, hasher: blake3::Hasher::new(), position: 0 };
    if source.array::<4>()? != MAGIC {
        return Err(damaged(0, "it is no backup"));
    }
    let format = u32::from_le_bytes(source.array()?);
    if format != FORMAT {
        let file = "the backup".to_owned();
        return Err(StoreError::Format { file, found: format, supported: FORMAT });
    }
    let mut found = Summary::default();
    loop {
        let position = source.position;
        match source.array::<1>()? {
            [SEGMENT] => {
                found.segments += 1;
                segment(&mut source, take)?;
            }
            [PAYLOAD] => {
                found.payloads += 1;
                payload(&mut source, take)?;
            }
            [ROWS] => found.rows += rows(&mut source, take)?,
            [END] => {
                let summary = Summary::from_bytes(&source.array()?);
                let digest = *source.hasher.finalize().as_bytes();
                if source.array::<32>()? != digest {
                    return Err(damaged(source.position, "its digest differs"));
                }
                let counts = |one: &Summary| (one.rows, one.segments, one.payloads);
                if counts(&summary) != counts(&found) {
                    return Err(damaged(position, "parts of it are missing"));
                }
                return Ok(summary);
            }
            _ => return Err(damaged(position, "no part of a backup begins here")),
        }
    }
}

fn segment(source: &mut Source<'_>, take: &mut dyn Take) -> Result<(), StoreError> {
    let place = source.position;
    let number = u64::from_le_bytes(source.array()?);
    let length = u64::from_le_bytes(source.array()?);
    let bytes = u64::from_le_bytes(source.array()?);
    if bytes > length {
        return Err(damaged(place, "a segment is longer than its file"));
    }
    take.segment(number, length)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut position = 0;
    while position < bytes {
        let wanted = PIECE_BYTES.min(usize::try_from(bytes - position).unwrap_or(PIECE_BYTES));
        source.fill(&mut piece[..wanted])?;
        take.piece(position, &piece[..wanted])?;
        position += wanted as u64;
    }
    take.segment_end()
}

fn payload(source: &mut Source<'_>, take: &mut dyn Take) -> Result<(), StoreError> {
    let place = source.position;
    let name_bytes = u32::from_le_bytes(source.array()?) as usize;
    let bytes = u64::from_le_bytes(source.array()?);
    if name_bytes > NAME_BYTES_MAX || bytes > RECORD_BYTES_MAX as u64 {
        return Err(damaged(place, "a payload is too long"));
    }
    let mut name = vec![0; name_bytes];
    source.fill(&mut name)?;
    let name = String::from_utf8(name).ok().filter(|name| claims::is_file(name));
    let name = name.ok_or_else(|| damaged(place, "this is no name of a payload"))?;
    let mut content = vec![0; bytes as usize];
    source.fill(&mut content)?;
    take.payload(&name, &content)
}

fn rows(source: &mut Source<'_>, take: &mut dyn Take) -> Result<u64, StoreError> {
    const PART_BYTES_MAX: usize =
        backup::ROWS_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX + 2 * size_of::<u32>();
    let place = source.position;
    let length = u32::from_le_bytes(source.array()?) as usize;
    if length > PART_BYTES_MAX {
        return Err(damaged(place, "a part of rows is too long"));
    }
    let mut part = vec![0; length];
    source.fill(&mut part)?;
    let (mut rest, mut count) = (part.as_slice(), 0);
    while !rest.is_empty() {
        let Some((key, value, behind)) = row(rest) else {
            return Err(damaged(place, "a row is malformed"));
        };
        take.row(key, value)?;
        (rest, count) = (behind, count + 1);
    }
    Ok(count)
}

fn row(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value) as usize)?;
    Some((key, value, rest))
}

/// The stream, and what it was up to here.
struct Source<'a> {
    from: &'a mut dyn Read,
    hasher: blake3::Hasher,
    position: u64,
}

impl Source<'_> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(self.position, "it ends early"),
            _ => StoreError::io("reading the backup", error),
        })?;
        self.hasher.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

fn damaged(position: u64, detail: &str) -> StoreError {
    StoreError::corrupt("the backup", position, detail)
}
