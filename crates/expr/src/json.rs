//! JSON text to values and back (RFC 8259), and the canonical form for hashing (RFC 8785).

use alloc::string::String;
use core::fmt;

mod parse;
mod plain;
mod write;

pub(crate) mod number;

pub use number::decimal;
pub use parse::parse;
pub(crate) use plain::plain;
pub(crate) use write::key_text;
pub use write::{canonical, to_string, write};

/// How many bytes from the front stand for themselves within a JSON string. Looked at many at a time,
/// without a branch for each.
fn plain_length(bytes: &[u8]) -> usize {
    const AT_ONCE: usize = 32;
    let is_special = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < 0x20);
    let plain = |chunk: &&[u8]| !chunk.iter().fold(false, |any, byte| any | is_special(byte));
    let at = bytes.chunks_exact(AT_ONCE).take_while(plain).count() * AT_ONCE;
    let rest = &bytes[at..];
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Bounds on what is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep lists and maps may nest; never more than `DEPTH_MAX`.
    pub depth_max: usize,
}

/// The deepest nesting that is read whatever the limits say: reading recurses.
pub const DEPTH_MAX: usize = 256;

impl Default for Limits {
    fn default() -> Self {
        Limits { depth_max: 64 }
    }
}

/// Why a text is no JSON that we take.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonError {
    /// Byte offset of the fault.
    pub at: usize,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Whether it is that lists and maps nest deeper than they may.
    pub too_deep: bool,
}

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at byte {}", self.message, self.at)
    }
}

impl core::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_needs_an_escape_is_found_wherever_it_stands() {
        for length in 0..100 {
            let plain = alloc::vec![b'a'; length];
            assert_eq!(plain_length(&plain), length);
            for at in 0..length {
                for special in [b'"', b'\\', 0, 0x1f] {
                    let mut bytes = plain.clone();
                    bytes[at] = special;
                    assert_eq!(plain_length(&bytes), at);
                }
                let mut bytes = plain.clone();
                bytes[at] = 0xff;
                assert_eq!(plain_length(&bytes), length);
            }
        }
    }
}
