//! JSON text to values: strict (RFC 8259), in one pass, and with as few allocations as the value
//! itself needs.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{DEPTH_MAX, JsonError, Limits};
use crate::Text;
use crate::value::{Key, Map, Value};

/// How many items and entries fit before the scratch space grows: most messages.
const SCRATCH: usize = 16;

/// Reads one JSON value (RFC 8259); a number without point and exponent must fit i64, and no key
/// may be in a map twice.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    let text = core::str::from_utf8(text)
        .map_err(|error| fault_at(error.valid_up_to(), "text is not UTF-8"))?;
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth_left: limits.depth_max.min(DEPTH_MAX),
        items: Vec::with_capacity(SCRATCH),
        entries: Vec::with_capacity(SCRATCH),
    };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < reader.bytes.len() {
        return Err(reader.fault("something follows the value"));
    }
    Ok(value)
}

fn fault_at(at: usize, message: impl Into<String>) -> JsonError {
    JsonError { at, message: message.into(), too_deep: false }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_left: usize,
    /// Items of the lists still open, so that each list is allocated once, at its exact size.
    items: Vec<Value>,
    /// Entries of the maps still open.
    entries: Vec<(Key, Value)>,
}

impl Reader<'_> {
    fn fault(&self, message: &str) -> JsonError {
        fault_at(self.at, message)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.fault("expected a value")),
            None => Err(self.fault("the text ends where a value should be")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, JsonError>,
    ) -> Result<Value, JsonError> {
        if self.depth_left == 0 {
            let fault = self.fault("lists and maps nest too deep");
            return Err(JsonError { too_deep: true, ..fault });
        }
        self.depth_left -= 1;
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, JsonError> {
        let start = self.items.len();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(Arc::default()));
        }
        loop {
            let item = self.value()?;
            self.items.push(item);
            if self.ends(b']', "expected `,` or `]`")? {
                return Ok(Value::List(Arc::new(self.items.drain(start..).collect())));
            }
        }
    }

    fn map(&mut self) -> Result<Value, JsonError> {
        let start = self.entries.len();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(Arc::default()));
        }
        let opened = self.at;
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a key in double quotes"));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fault("expected `:`"));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value()?;
            self.entries.push((Key::String(key), value));
            if self.ends(b'}', "expected `,` or `}`")? {
                break;
            }
        }
        match Map::from_unique(self.entries.drain(start..).collect()) {
            Ok(map) => Ok(Value::Map(Arc::new(map))),
            Err(key) => {
                let name = crate::brief(key.as_str().unwrap_or_default());
                Err(fault_at(opened, format!("key `{name}` is there twice")))
            }
        }
    }

    /// After an item: true at the closing bracket, false after a comma.
    fn ends(&mut self, close: u8, otherwise: &str) -> Result<bool, JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.fault(otherwise)),
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        let mut whole: Option<i64> = Some(0);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            // Counted downwards, because i64 reaches further below zero than above.
            whole = whole.and_then(|n| n.checked_mul(10)?.checked_sub(i64::from(digit - b'0')));
            self.at += 1;
        }
        let digits = self.at - start - usize::from(self.bytes[start] == b'-');
        if digits == 0 {
            return Err(self.fault("expected a digit"));
        }
        if first == Some(b'0') && digits > 1 {
            return Err(fault_at(start, "a number must not begin with a needless 0"));
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return self.double(start);
        }
        let number =
            if self.bytes[start] == b'-' { whole } else { whole.and_then(i64::checked_neg) };
        number.map(Value::Int).ok_or_else(|| {
            let range =
                "a whole number must be within -9223372036854775808 and 9223372036854775807";
            fault_at(start, range)
        })
    }

    /// The rest of a number that has a point or an exponent.
    fn double(&mut self, start: usize) -> Result<Value, JsonError> {
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Double(number)),
            _ => Err(fault_at(start, "the number is too large")),
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.fault("expected a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        match self.peek() {
            Some(b'"') => {
                let text = Text::new(&self.text[start..self.at]);
                self.at += 1;
                Ok(text)
            }
            Some(b'\\') => self.escaped_string(start),
            _ => Err(self.unfinished_string()),
        }
    }

    /// Goes to the next byte of a string that does not stand for itself.
    fn skip_plain(&mut self) {
        self.at += super::plain_length(&self.bytes[self.at..]);
    }

    #[cold]
    fn unfinished_string(&self) -> JsonError {
        match self.peek() {
            Some(_) => self.fault("a control character must be escaped"),
            None => self.fault("the text ends inside a string"),
        }
    }

    /// A string from its first backslash on.
    fn escaped_string(&mut self, start: usize) -> Result<Text, JsonError> {
        let mut out = String::from(&self.text[start..self.at]);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out.into());
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.unfinished_string()),
            }
            let done = self.at;
            self.skip_plain();
            out.push_str(&self.text[done..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let found = match self.bytes.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fault("unknown escape")),
        };
        self.at += 2;
        Ok(found)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        let unit = self.hex4()?;
        let code = match unit {
            0xD800..0xDC00 if self.bytes[self.at..].starts_with(b"\\u") => match self.hex4()? {
                low @ 0xDC00..0xE000 => 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00),
                _ => unit,
            },
            _ => unit,
        };
        char::from_u32(code).ok_or_else(|| fault_at(start, "half of a surrogate pair stands alone"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.bytes.get(self.at + 2..self.at + 6).unwrap_or_default();
        let mut code = 0;
        for digit in digits {
            code = code * 16
                + char::from(*digit)
                    .to_digit(16)
                    .ok_or_else(|| self.fault("expected four hex digits"))?;
        }
        if digits.len() != 4 {
            return Err(self.fault("expected four hex digits"));
        }
        self.at += 6;
        Ok(code)
    }
}
