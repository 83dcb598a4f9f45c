//! JSON text to values and back.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Value;

/// Bounds on what is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep lists and maps may nest.
    pub depth_max: usize,
}

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
}

/// Reads one JSON value (RFC 8259); a number without point and exponent must fit i64.
pub fn parse(_text: &[u8], _limits: &Limits) -> Result<Value, JsonError> {
    unimplemented!()
}

/// Appends compact JSON: keys sorted, a double always with a point or exponent.
/// Timestamps are RFC 3339, durations `"90s"`, bytes base64, an optional its value or null.
/// NaN and infinity are written as null; a template refuses them before they get here.
pub fn write(_value: &Value, _out: &mut Vec<u8>) {
    unimplemented!()
}

/// Compact JSON as text.
pub fn to_string(_value: &Value) -> String {
    unimplemented!()
}
