//! How rows and records look in bytes. Format 1.
//!
//! Every row and record begins with the format number. Numbers are little-endian base-128
//! (`wire`); a value is a tag and its content (`value`). An unknown format or a short row is an
//! error that names the row, never a panic.

pub mod record;
pub mod row;
mod value;
pub mod wire;

/// The number of this format.
pub const FORMAT: u8 = 1;

/// Bytes that are no row or record of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// What was being read.
    pub what: &'static str,
}

impl core::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} cannot be read: not written in format {FORMAT}, or damaged", self.what)
    }
}

impl core::error::Error for Corrupt {}
