//! Spans of time as text: `1h30m`, `-1.5s`, and back as seconds.

use alloc::format;
use alloc::string::{String, ToString as _};

use super::SECOND;

/// The longest span, in nanoseconds: about 10,000 years.
pub(crate) const DURATION_MAX: i128 = 315_576_000_000 * SECOND;

/// Seconds with as many digits behind the point as are needed: `90s`, `-0.5s`.
pub fn format_duration(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let rest = nanos.unsigned_abs();
    let (seconds, fraction) = (rest / SECOND as u128, rest % SECOND as u128);
    let mut out = format!("{sign}{seconds}");
    super::push_fraction(fraction as u32, &mut out);
    out.push('s');
    out
}

/// Reads `1h30m`, `1.5s`, `-250ms` into nanoseconds; the error is a lower-case fragment.
pub fn parse_duration(text: &str) -> Result<i128, String> {
    let malformed = || "is no duration such as 90s, 1h30m or 250ms".to_string();
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let number_end = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, behind) = rest.split_at(number_end);
        let unit_end = behind.bytes().take_while(|b| !b.is_ascii_digit() && *b != b'.').count();
        let (unit, next) = behind.split_at(unit_end);
        let scale = unit_nanos(unit).ok_or_else(malformed)?;
        let part = scaled(number, scale).ok_or_else(malformed)?;
        sum = sum.saturating_add(part);
        if sum > DURATION_MAX {
            return Err("is out of range: a duration must be within 315576000000s".into());
        }
        rest = next;
    }
    Ok(sign * sum)
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "h" => 3600 * SECOND,
        "m" => 60 * SECOND,
        "s" => SECOND,
        "ms" => 1_000_000,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

/// A decimal number of units; what is smaller than a nanosecond is cut off.
fn scaled(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    // Only digits are left, so all that parsing can find wrong is too many of them.
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(i128::MAX) };
    let fraction = &fraction[..fraction.len().min(18)];
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()? * scale / 10i128.pow(fraction.len() as u32)
    };
    Some(whole.saturating_mul(scale).saturating_add(part))
}
