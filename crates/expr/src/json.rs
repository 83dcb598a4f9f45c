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
