//! Plain words to values by the core schema of YAML 1.2.2 (section 10.3.2), and which of them
//! YAML 1.1 reads otherwise.

use super::Tree;

/// A word that looks like a number we cannot keep; with the nearest value we can.
#[derive(Debug)]
pub(crate) struct OutOfRange(pub(crate) Tree);

/// What a word without quotes is.
pub(crate) fn resolve(word: &str) -> Result<Tree, OutOfRange> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Tree::Null),
        "true" | "True" | "TRUE" => return Ok(Tree::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Tree::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(OutOfRange(Tree::Double(f64::NAN))),
        _ => {}
    }
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Ok(text(word));
    }
    if let Some(digits) = word.strip_prefix("0o") {
        return radix(word, digits, 8);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return radix(word, digits, 16);
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if is_digits(unsigned) {
        return word.parse().map(Tree::Int).map_err(|_| OutOfRange(nearest(word)));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let infinity = if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Err(OutOfRange(Tree::Double(infinity)));
    }
    if !is_decimal(unsigned) {
        return Ok(text(word));
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Tree::Double(number)),
        _ => Err(OutOfRange(nearest(word))),
    }
}

/// What YAML 1.1 (yaml.org/type and its common readers) takes a word without quotes for, when
/// that is not what we take it for.
pub(crate) fn other_reading(word: &str) -> Option<&'static str> {
    match word {
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "on" | "On" | "ON" | "off" | "Off" | "OFF"
        | "y" | "Y" | "n" | "N" => return Some("a truth value"),
        "=" => return Some("a default value"),
        _ => {}
    }
    let (sign, unsigned) = match word.strip_prefix(['-', '+']) {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let first = unsigned.bytes().next()?;
    if !first.is_ascii_digit() && first != b'.' {
        return None;
    }
    if is_date(word) {
        return Some("a date");
    }
    if is_base_60(unsigned) {
        return Some("a number in base 60");
    }
    if unsigned.starts_with("0b") && has_only(&unsigned[2..], |b| matches!(b, b'0' | b'1' | b'_')) {
        return Some("a binary number");
    }
    if let Some(digits) = unsigned.strip_prefix("0x") {
        let underscored = digits.contains('_');
        let hex = has_only(digits, |b| b.is_ascii_hexdigit() || b == b'_');
        return (hex && (sign || underscored)).then_some("a hexadecimal number");
    }
    if let Some(digits) = unsigned.strip_prefix("0o") {
        return is_digits(digits).then_some("text");
    }
    number_reading(unsigned)
}

/// The part of [`other_reading`] that is about decimal numbers and their look-alikes.
fn number_reading(unsigned: &str) -> Option<&'static str> {
    if unsigned.len() > 1 && unsigned.starts_with('0') && has_only(unsigned, |b| b.is_ascii_digit())
    {
        let octal = has_only(unsigned, |b| matches!(b, b'0'..=b'7'));
        return Some(if octal { "an octal number" } else { "text" });
    }
    let plain: String = unsigned.chars().filter(|c| *c != '_').collect();
    if plain.len() < unsigned.len() {
        return (is_digits(&plain) || is_decimal(&plain)).then_some("a number");
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E'])?;
    let read_alike = mantissa.contains('.') && exponent.starts_with(['-', '+']);
    (is_decimal(unsigned) && !read_alike).then_some("text")
}

fn text(word: &str) -> Tree {
    Tree::String(word.into())
}

fn nearest(word: &str) -> Tree {
    Tree::Double(word.parse().unwrap_or(f64::INFINITY))
}

fn radix(word: &str, digits: &str, radix: u32) -> Result<Tree, OutOfRange> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(text(word));
    }
    i64::from_str_radix(digits, radix)
        .map(Tree::Int)
        .map_err(|_| OutOfRange(Tree::Double(f64::INFINITY)))
}

/// `(\.[0-9]+ | [0-9]+ (\.[0-9]*)?) ([eE][-+]?[0-9]+)?`
fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits = exponent
        .is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let mantissa_fits = match mantissa.split_once('.') {
        None => is_digits(mantissa),
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
    };
    mantissa_fits && exponent_fits
}

/// `1990-01-01`, alone or before a time of day.
fn is_date(word: &str) -> bool {
    let mut parts = word.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day_end = rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    let numbers = is_digits(year) && is_digits(month) && is_digits(day);
    let time_fits = time.is_empty() || (time.starts_with(['T', 't', ' ']) && time.contains(':'));
    numbers && year.len() == 4 && month.len() <= 2 && day.len() <= 2 && time_fits
}

/// `12:30`, `1:02:03`, `12:30.5`
fn is_base_60(unsigned: &str) -> bool {
    let whole = unsigned.split_once('.').map_or(unsigned, |(whole, fraction)| {
        if has_only(fraction, |b| b.is_ascii_digit() || b == b'_') { whole } else { "" }
    });
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let sixties = parts.all(|part| {
        count += 1;
        is_digits(part) && (part.len() == 1 || (part.len() == 2 && part.as_bytes()[0] < b'6'))
    });
    count > 0
        && sixties
        && !first.is_empty()
        && has_only(first, |b| b.is_ascii_digit() || b == b'_')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && has_only(text, |byte| byte.is_ascii_digit())
}

fn has_only(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(fits)
}
