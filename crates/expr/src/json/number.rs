//! Numbers as text, in the shortest form that reads back as the same number.

use core::fmt::{self, Write};

/// `-1.7976931348623157e308` and the like: sign, 17 digits, point, exponent.
const DIGITS_MAX: usize = 32;

struct Digits {
    bytes: [u8; DIGITS_MAX],
    len: usize,
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes a finite double as ECMAScript does (which RFC 8785 asks for): `100`, `0.5`, `1e+21`.
/// NaN and infinities are written as `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn write_double(number: f64, out: &mut impl Write) -> fmt::Result {
    if number.is_nan() {
        return out.write_str("NaN");
    }
    if number.is_infinite() {
        return out.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if number == 0.0 {
        return out.write_str(if number.is_sign_negative() { "-0" } else { "0" });
    }
    let mut scratch = Digits { bytes: [0; DIGITS_MAX], len: 0 };
    write!(scratch, "{:e}", libm::fabs(number))?;
    if number < 0.0 {
        out.write_char('-')?;
    }
    let text = core::str::from_utf8(&scratch.bytes[..scratch.len]).map_err(|_| fmt::Error)?;
    let (mantissa, exponent) = text.split_once('e').ok_or(fmt::Error)?;
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    place_point(first, rest, exponent.parse::<i32>().map_err(|_| fmt::Error)?, out)
}

/// Lays out `first.rest * 10^exponent`, where `first` is one digit.
fn place_point(first: &str, rest: &str, exponent: i32, out: &mut impl Write) -> fmt::Result {
    let digits = 1 + rest.len() as i32;
    let point = exponent + 1;
    if digits <= point && point <= 21 {
        write!(out, "{first}{rest}")?;
        (digits..point).try_for_each(|_| out.write_char('0'))
    } else if 0 < point && point <= 21 {
        let split = point as usize - 1;
        write!(out, "{first}{}.{}", &rest[..split], &rest[split..])
    } else if -6 < point && point <= 0 {
        out.write_str("0.")?;
        (point..0).try_for_each(|_| out.write_char('0'))?;
        write!(out, "{first}{rest}")
    } else if rest.is_empty() {
        write!(out, "{first}e{exponent:+}")
    } else {
        write!(out, "{first}.{rest}e{exponent:+}")
    }
}

/// A whole number in decimal, without the detour through `fmt`.
pub fn decimal(number: i64) -> crate::Text {
    let (digits, at) = digits(number);
    crate::Text::new(core::str::from_utf8(&digits[at..]).unwrap_or_default())
}

/// Appends a whole number in decimal.
pub(crate) fn write_int(number: i64, out: &mut alloc::vec::Vec<u8>) {
    let (digits, at) = digits(number);
    out.extend_from_slice(&digits[at..]);
}

/// The digits of a number, and where they begin.
fn digits(number: i64) -> ([u8; 20], usize) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    (digits, at)
}
