//! Numbers, text and ids as bytes.

use alloc::vec::Vec;

use onex_expr::Text;
use onex_kernel::{Id, Micros};

use super::Corrupt;

/// Appends a number, seven bits a byte, low ones first.
pub fn put_u64(out: &mut Vec<u8>, mut number: u64) {
    let mut bytes = [0; 10];
    let mut last = 0;
    while number >= 0x80 {
        bytes[last] = number as u8 | 0x80;
        number >>= 7;
        last += 1;
    }
    bytes[last] = number as u8;
    out.extend_from_slice(&bytes[..=last]);
}

/// Appends bytes after their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends text after its length.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// Appends 1 and what `put` appends, or 0.
pub fn put_option<T>(out: &mut Vec<u8>, option: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    match option {
        Some(value) => {
            out.push(1);
            put(out, value);
        }
        None => out.push(0),
    }
}

/// Reads from the front of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; errors say that `what` is corrupt.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Reader { rest: bytes, what }
    }

    /// The error of this reader.
    pub fn corrupt(&self) -> Corrupt {
        Corrupt { what: self.what }
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Corrupt> {
        let (first, rest) = self.rest.split_first().ok_or(self.corrupt())?;
        self.rest = rest;
        Ok(*first)
    }

    /// The format number, which must be ours.
    pub fn format(&mut self) -> Result<(), Corrupt> {
        if self.u8()? == super::FORMAT { Ok(()) } else { Err(self.corrupt()) }
    }

    /// A number.
    pub fn u64(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.corrupt())
    }

    /// A number that fits 32 bits.
    pub fn u32(&mut self) -> Result<u32, Corrupt> {
        u32::try_from(self.u64()?).map_err(|_| self.corrupt())
    }

    /// A number that fits 16 bits.
    pub fn u16(&mut self) -> Result<u16, Corrupt> {
        u16::try_from(self.u64()?).map_err(|_| self.corrupt())
    }

    /// A truth value.
    pub fn bool(&mut self) -> Result<bool, Corrupt> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.corrupt()),
        }
    }

    /// So many bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        if length > self.rest.len() {
            return Err(self.corrupt());
        }
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(taken)
    }

    /// Bytes after their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Corrupt> {
        let length = usize::try_from(self.u64()?).map_err(|_| self.corrupt())?;
        self.take(length)
    }

    /// A count of things that each take at least one byte.
    pub fn count(&mut self) -> Result<usize, Corrupt> {
        let count = usize::try_from(self.u64()?).map_err(|_| self.corrupt())?;
        if count > self.rest.len() { Err(self.corrupt()) } else { Ok(count) }
    }

    /// Text.
    pub fn str(&mut self) -> Result<&'a str, Corrupt> {
        let bytes = self.bytes()?;
        core::str::from_utf8(bytes).map_err(|_| self.corrupt())
    }

    /// Text of its own.
    pub fn text(&mut self) -> Result<Text, Corrupt> {
        self.str().map(Text::from)
    }

    /// An id.
    pub fn id(&mut self) -> Result<Id, Corrupt> {
        self.array().map(Id)
    }

    /// So many bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let bytes = self.take(N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| self.corrupt())
    }

    /// A time.
    pub fn micros(&mut self) -> Result<Micros, Corrupt> {
        self.u64().map(Micros)
    }

    /// What `read` reads, if it is there.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Corrupt>,
    ) -> Result<Option<T>, Corrupt> {
        if self.bool()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Everything that was not read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
