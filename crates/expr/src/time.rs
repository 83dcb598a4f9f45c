//! Points and spans of time as text and in civil parts. There is no clock here.

use alloc::format;
use alloc::string::{String, ToString as _};

mod duration;
mod zone;

pub(crate) use duration::DURATION_MAX;
pub use duration::{format_duration, parse_duration};
pub(crate) use zone::offset_seconds;

/// 0001-01-01T00:00:00Z
pub(crate) const SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z
pub(crate) const SECONDS_MAX: i64 = 253_402_300_799;
/// Nanoseconds of a second.
pub(crate) const SECOND: i128 = 1_000_000_000;

const DAY: i64 = 86_400;

/// A point in time as a calendar and a clock show it.
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12
    pub(crate) month: u32,
    /// 1 to 31
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// 0 is Sunday.
    pub(crate) weekday: u32,
    /// 0 is the first of January.
    pub(crate) yearday: u32,
}

impl Civil {
    /// The parts of a count of seconds since 1970, an offset from UTC already added.
    pub(crate) fn from_seconds(seconds: i64) -> Civil {
        let days = seconds.div_euclid(DAY);
        let rest = seconds.rem_euclid(DAY) as u32;
        // Years are counted from 1 March, so that a leap day ends one; 400 years repeat.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Civil {
            year,
            month: month as u32,
            day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
            yearday: (days - days_since_epoch(year, 1, 1)) as u32,
        }
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// RFC 3339 in UTC, with as many digits of a second as are needed.
pub fn format_timestamp(seconds: i64, nanos: u32) -> String {
    let Civil { year, month, day, hour, minute, second, .. } = Civil::from_seconds(seconds);
    let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    push_fraction(nanos, &mut out);
    out.push('Z');
    out
}

/// `.5` for half a second, nothing for a whole one.
fn push_fraction(nanos: u32, out: &mut String) {
    if nanos > 0 {
        out.push('.');
        out.push_str(format!("{nanos:09}").trim_end_matches('0'));
    }
}

/// Reads RFC 3339 into seconds and nanoseconds; the error is a lower-case fragment.
pub fn parse_timestamp(text: &str) -> Result<(i64, u32), String> {
    let malformed = || "is no RFC 3339 time such as 2026-01-31T12:00:00Z".to_string();
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let separated = separators
        .iter()
        .all(|(at, byte)| bytes.get(*at).is_some_and(|b| b.to_ascii_uppercase() == *byte));
    if !separated {
        // Five digits of a year move the separators, and deserve a better answer.
        let five = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count() > 4;
        return Err(if five { out_of_range() } else { malformed() });
    }
    let part = |from: usize, to: usize| digits(&bytes[from..to]).ok_or_else(malformed);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute) = (part(11, 13)?, part(14, 16)?);
    let second = digits(bytes.get(17..19).ok_or_else(malformed)?).ok_or_else(malformed)?;
    let (nanos, zone) =
        split_fraction(text.get(19..).ok_or_else(malformed)?).ok_or_else(malformed)?;
    let offset = parse_offset(zone).ok_or_else(malformed)?;
    if !(1..=12).contains(&month) || !(1..=days_of_month(year, month)).contains(&day) {
        return Err("names a day that does not exist".into());
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("names a time of day that does not exist".into());
    }
    let seconds =
        days_since_epoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    if (SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
        Ok((seconds, nanos))
    } else {
        Err(out_of_range())
    }
}

fn out_of_range() -> String {
    "is out of range: a time must be within the years 1 and 9999".into()
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_since_epoch(next_year, next_month, 1) - days_since_epoch(year, month, 1)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// The nanoseconds of an optional `.123`, and what follows it.
fn split_fraction(rest: &str) -> Option<(u32, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 || count > 9 {
        return None;
    }
    let nanos = rest[..count].parse::<u32>().ok()? * 10u32.pow(9 - count as u32);
    Some((nanos, &rest[count..]))
}

/// Seconds east of UTC for `Z` or `+05:30`.
fn parse_offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    match rest {
        [h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
        }
        _ => None,
    }
}
