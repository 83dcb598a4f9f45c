//! Takes secrets out of what an effect gives back: no secret leaves in an error, an outcome, the
//! log or a dead letter, even when a target repeats what it was sent, in another form or in part.
//!
//! Known forms: any case; percent-encoded and escaped as in JSON; hex; base64 of both alphabets at
//! any place of a longer text, such as `user:secret`. Of each also a beginning or an end, from
//! eight bytes of the secret on.

use std::ops::Range;
use std::sync::Arc;

use onex_expr::{Key, Text, Value};
use onex_kernel::port::CallError;

const MASK: &str = "***";

/// As much of a secret's beginning or end is masked too.
const PART_BYTES: usize = 8;

/// The forms of one secret.
#[derive(Debug)]
pub(crate) struct Forms {
    /// In lower case, to be found in any: as it is, and hex.
    caseless: Vec<Needle>,
    /// Base64 at the three places it can have in a longer text, in the standard alphabet.
    base64: Vec<Needle>,
}

#[derive(Debug)]
struct Needle {
    bytes: Vec<u8>,
    /// Length from which on a beginning or an end of it is masked.
    part: usize,
}

impl Forms {
    /// The forms of a secret.
    pub fn of(secret: &str) -> Forms {
        let plain = secret.to_ascii_lowercase().into_bytes();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        Forms {
            caseless: vec![
                Needle::new(plain, PART_BYTES),
                Needle::new(hex.into_bytes(), 2 * PART_BYTES),
            ],
            base64: (0..3).map(|before| base64(secret.as_bytes(), before)).collect(),
        }
    }
}

impl Needle {
    fn new(bytes: Vec<u8>, part: usize) -> Needle {
        let part = part.min(bytes.len());
        Needle { bytes, part }
    }

    /// Adds where it, a long beginning or a long end of it stands.
    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        let (length, part) = (self.bytes.len(), self.part);
        let (begin, end) = (&self.bytes[..part], &self.bytes[length - part..]);
        if part == 0 || text.len() < part {
            return;
        }
        for (at, window) in text.windows(part).enumerate() {
            if window == begin {
                let rest = text[at + part..].iter().zip(&self.bytes[part..]);
                let more = rest.take_while(|(one, other)| one == other).count();
                found.push(at..at + part + more);
            }
            if window == end {
                let before = text[..at].iter().rev().zip(self.bytes[..length - part].iter().rev());
                let more = before.take_while(|(one, other)| one == other).count();
                found.push(at - more..at + part);
            }
        }
    }
}

/// What base64 makes of the bytes when `before` others, modulo three, stand before them: only the
/// characters that depend on nothing else.
fn base64(secret: &[u8], before: usize) -> Needle {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| u8::from(secret[at / 8 - before] & (0x80 >> (at % 8)) != 0);
    let (first, last) = ((8 * before).div_ceil(6), 8 * (before + secret.len()) / 6);
    let character = |number: usize| {
        let sextet = (6 * number..6 * number + 6).fold(0, |sextet, at| sextet << 1 | bit(at));
        ALPHABET[usize::from(sextet)]
    };
    Needle::new((first..last).map(character).collect(), 8 * PART_BYTES / 6)
}

/// The answer of an attempt without these secrets.
pub(crate) fn answer(
    answer: Result<Value, CallError>,
    secrets: &[Arc<Forms>],
) -> Result<Value, CallError> {
    if secrets.is_empty() {
        return answer;
    }
    match answer {
        Ok(given) => Ok(value(&given, secrets)),
        Err(error) => Err(CallError { message: text(&error.message, secrets), ..error }),
    }
}

/// A text without these secrets.
pub(crate) fn text(found: &Text, secrets: &[Arc<Forms>]) -> Text {
    let mut ranges = places(found.as_bytes(), secrets);
    if ranges.is_empty() {
        return found.clone();
    }
    for range in &mut ranges {
        // A part of a secret may end within a character.
        range.start = found.floor_char_boundary(range.start);
        range.end = found.ceil_char_boundary(range.end);
    }
    let mut clean = String::with_capacity(found.len());
    let mut from = 0;
    for range in merged(ranges) {
        clean.push_str(&found[from..range.start]);
        clean.push_str(MASK);
        from = range.end;
    }
    clean.push_str(&found[from..]);
    clean.into()
}

/// Where anything of the secrets stands.
fn places(text: &[u8], secrets: &[Arc<Forms>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    search(text, secrets, &mut found);
    if text.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'+')) {
        let (decoded, starts) = decode(text);
        let mut within = Vec::new();
        search(&decoded, secrets, &mut within);
        if decoded.contains(&b'+') {
            let spaced: Vec<u8> = spaced(&decoded);
            search(&spaced, secrets, &mut within);
        }
        found.extend(within.into_iter().map(|range| starts[range.start]..starts[range.end]));
    }
    found
}

fn search(text: &[u8], secrets: &[Arc<Forms>], found: &mut Vec<Range<usize>>) {
    let lower = text.to_ascii_lowercase();
    let standard: Vec<u8> = text.iter().map(|byte| in_standard_alphabet(*byte)).collect();
    for forms in secrets {
        forms.caseless.iter().for_each(|needle| needle.find(&lower, found));
        for needle in &forms.base64 {
            let known = found.len();
            needle.find(&standard, found);
            // The characters beside it hold some of its bits.
            for range in &mut found[known..] {
                let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
                let before = range.start.checked_sub(1).and_then(|at| standard.get(at));
                range.start -= usize::from(before.is_some_and(is_digit));
                range.end += usize::from(standard.get(range.end).is_some_and(is_digit));
            }
        }
    }
}

fn in_standard_alphabet(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

fn spaced(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}

/// The text with `%41`, `\u0041` and `\"` resolved, and where each byte of it began; one more place
/// is the end.
fn decode(text: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut decoded, mut starts) = (Vec::with_capacity(text.len()), Vec::new());
    let mut at = 0;
    while at < text.len() {
        let mut buffer = [0; 4];
        let (bytes, length) = unit(&text[at..], &mut buffer);
        decoded.extend_from_slice(bytes);
        starts.extend(bytes.iter().map(|_| at));
        at += length;
    }
    starts.push(text.len());
    (decoded, starts)
}

/// What a text begins with, and how long that is.
fn unit<'b>(text: &[u8], buffer: &'b mut [u8; 4]) -> (&'b [u8], usize) {
    let hex = |range: Range<usize>| {
        let digits = text.get(range).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let escaped = match text {
        [b'%', ..] => hex(1..3).and_then(|byte| Some((u8::try_from(byte).ok()?, 3))),
        [b'\\', b'u', ..] => {
            if let Some(character) = hex(2..6).and_then(char::from_u32) {
                let length = character.encode_utf8(buffer).len();
                return (&buffer[..length], 6);
            }
            None
        }
        [b'\\', b'n', ..] => Some((b'\n', 2)),
        [b'\\', b't', ..] => Some((b'\t', 2)),
        [b'\\', b'r', ..] => Some((b'\r', 2)),
        [b'\\', other @ (b'"' | b'\\' | b'/'), ..] => Some((*other, 2)),
        _ => None,
    };
    let (byte, length) = escaped.unwrap_or_else(|| (text[0], 1));
    buffer[0] = byte;
    (&buffer[..1], length)
}

/// The same places in order, those that touch as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn value(found: &Value, secrets: &[Arc<Forms>]) -> Value {
    match found {
        Value::String(held) => Value::String(text(held, secrets)),
        Value::List(items) => Value::list(items.iter().map(|item| value(item, secrets)).collect()),
        Value::Map(map) => Value::Map(Arc::new(
            map.iter().map(|(name, held)| (key(name, secrets), value(held, secrets))).collect(),
        )),
        Value::Int(number) if hidden(number.to_string().as_bytes(), secrets) => Value::text(MASK),
        Value::Bytes(bytes) if hidden(bytes, secrets) => Value::text(MASK),
        _ => found.clone(),
    }
}

/// Whether anything of the secrets stands there.
fn hidden(bytes: &[u8], secrets: &[Arc<Forms>]) -> bool {
    !places(bytes, secrets).is_empty()
}

fn key(found: &Key, secrets: &[Arc<Forms>]) -> Key {
    match found {
        Key::String(held) => Key::String(text(held, secrets)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(secrets: &[&str]) -> Vec<Arc<Forms>> {
        secrets.iter().map(|secret| Arc::new(Forms::of(secret))).collect()
    }

    #[test]
    fn a_secret_is_masked_wherever_an_answer_repeats_it() {
        let given = Value::map([
            ("plain", Value::Int(1)),
            ("echo", Value::list(vec![Value::text("a hunter22 b token")])),
            ("token-name", Value::text("x")),
            ("number", Value::Int(81_549_300)),
        ]);
        let secrets = forms(&["hunter22", "token", "81549300"]);
        let clean = answer(Ok(given), &secrets).expect("it was an answer");
        let expected = Value::map([
            ("plain", Value::Int(1)),
            ("echo", Value::list(vec![Value::text("a *** b ***")])),
            ("***-name", Value::text("x")),
            ("number", Value::text("***")),
        ]);
        assert_eq!(clean, expected);
    }

    #[test]
    fn a_secret_is_masked_in_an_error() {
        let error = CallError {
            code: "connect".into(),
            message: "no route to https://user:hunter22@host".into(),
            passing: true,
            sent: false,
        };
        let clean = answer(Err(error), &forms(&["hunter22"])).expect_err("it was an error");
        assert_eq!(clean.message, "no route to https://user:***@host");
    }

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let secret = "s3cr3t?Key>/with \"quotes\"~";
        let cases = [
            ("as it is", "s3cr3t?Key>/with \"quotes\"~", ""),
            ("other case", "S3CR3T?KEY>/WITH \"QUOTES\"~", ""),
            ("escaped as in JSON", r#"s3cr3t?Key>\/with \"quotes\"~"#, ""),
            ("escaped by number", r"s3cr3t?Key\u003e\u002Fwith\u0020\u0022quotes\u0022~", ""),
            ("percent-encoded", "s3cr3t%3FKey%3E%2Fwith%20%22quotes%22%7E", ""),
            ("in lower case", "s3cr3t%3fKey%3e%2fwith%20%22quotes%22~", ""),
            ("as in a form", "s3cr3t%3FKey%3E%2Fwith+%22quotes%22~", ""),
            ("hex", "7333637233743f4b65793e2f77697468202271756f746573227e", ""),
            ("HEX", "7333637233743F4B65793E2F77697468202271756F746573227E", ""),
            ("base64", "czNjcjN0P0tleT4vd2l0aCAicXVvdGVzIn4", "="),
            ("a beginning", "s3cr3t?K", " and more"),
            ("an end", " \"quotes\"~", "?"),
            ("a beginning in hex", "7333637233743f4b", "00"),
        ];
        for (name, given, rest) in cases {
            let clean = text(&format!("<{given}{rest}>").into(), &forms(&[secret]));
            assert_eq!(clean.as_str(), format!("<***{rest}>"), "{name}");
        }
    }

    #[test]
    fn a_secret_is_masked_in_base64_at_any_place_of_a_longer_text() {
        // base64 of `u:`, `me:` and `you:` before `correct horse~~battery??`, and `!` behind it.
        let cases = [
            "dTpjb3JyZWN0IGhvcnNlfn5iYXR0ZXJ5Pz8h",
            "bWU6Y29ycmVjdCBob3JzZX5+YmF0dGVyeT8/IQ==",
            "bWU6Y29ycmVjdCBob3JzZX5-YmF0dGVyeT8_IQ",
            "bWU6Y29ycmVjdCBob3JzZX5%2BYmF0dGVyeT8%2FIQ%3D%3D",
            "eW91OmNvcnJlY3QgaG9yc2V+fmJhdHRlcnk/PyE=",
        ];
        for given in cases {
            let secrets = forms(&["correct horse~~battery??"]);
            let clean = text(&format!("Basic {given}").into(), &secrets);
            let left = clean.replace("***", "");
            assert!(clean.contains("***") && left.len() < 18, "{given}: {clean}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let secrets = forms(&["correct horse~~battery??", "hunter22"]);
        for given in ["correct", "100%", r"a\b", "battery", "aHVudGVy", "%zz\\u12", "hunter 22"] {
            assert_eq!(text(&given.into(), &secrets).as_str(), given);
        }
        let cut = text(&"schlüsselbund".into(), &forms(&["schlüsseldienst"]));
        assert_eq!(cut.as_str(), "***bund");
    }
}
