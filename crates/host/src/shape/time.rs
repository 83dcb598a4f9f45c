//! Times: RFC 3339, UTC, microseconds.

use onex_expr::Value;
use onex_kernel::Micros;

/// A time as JSON.
pub fn value(time: Micros) -> Value {
    Value::text(text(time))
}

/// A time that may be missing.
pub fn option(time: Option<Micros>) -> Value {
    time.map_or(Value::Null, value)
}

/// A time as text: always six digits of a second, so that texts sort as times do.
pub fn text(time: Micros) -> String {
    let whole = onex_expr::time::format_timestamp(seconds(time), 0);
    let fraction = time.0 % 1_000_000;
    format!("{}.{fraction:06}Z", whole.trim_end_matches('Z'))
}

/// Reads RFC 3339.
pub fn read(text: &str) -> Option<Micros> {
    let (seconds, nanos) = onex_expr::time::parse_timestamp(text).ok()?;
    let seconds = u64::try_from(seconds).ok()?;
    let micros = seconds.checked_mul(1_000_000)?;
    Some(Micros(micros + u64::from(nanos / 1000)))
}

fn seconds(time: Micros) -> i64 {
    i64::try_from(time.0 / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_and_has_six_digits() {
        let time = Micros(1_767_225_600_000_042);
        assert_eq!(text(time), "2026-01-01T00:00:00.000042Z");
        assert_eq!(read(&text(time)), Some(time));
        assert_eq!(text(Micros(1_767_225_600_000_000)), "2026-01-01T00:00:00.000000Z");
        assert_eq!(read("2026-01-01T01:00:00+01:00"), Some(Micros(1_767_225_600_000_000)));
        assert_eq!(read("yesterday"), None);
    }
}
