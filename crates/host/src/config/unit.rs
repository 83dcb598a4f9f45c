//! Sizes and spans of time as people write them.

use std::time::Duration;

const BYTES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

const SPANS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `1MiB`, `64KiB` or `1048576`.
pub fn read_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "" => 1,
        _ => BYTES.iter().find(|(name, _)| *name == unit)?.1,
    };
    number.checked_mul(factor)
}

/// Writes a size in the largest unit that fits it exactly.
pub fn show_bytes(bytes: u64) -> String {
    show(bytes, &BYTES)
}

/// Reads `30s`, `10m`, `24h`, `7d` or `250ms`.
pub fn read_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let factor = SPANS.iter().find(|(name, _)| *name == unit)?.1;
    number.checked_mul(factor).map(Duration::from_millis)
}

/// Writes a span in the largest unit that fits it exactly.
pub fn show_duration(span: Duration) -> String {
    show(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), &SPANS)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim()))
}

fn show(number: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| number != 0 && number.is_multiple_of(*factor);
    let last = units.last().map_or("", |(name, _)| name);
    match units.iter().find(fits) {
        Some((name, factor)) => format!("{}{name}", number / factor),
        None => format!("{number}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_read_back_as_they_are_shown() {
        for bytes in [0, 1, 1000, 1024, 1 << 20, 8 << 30] {
            assert_eq!(read_bytes(&show_bytes(bytes)), Some(bytes));
        }
        for ms in [0, 1, 1500, 30_000, 600_000, 604_800_000] {
            let span = Duration::from_millis(ms);
            assert_eq!(read_duration(&show_duration(span)), Some(span));
        }
        assert_eq!(show_bytes(1 << 20), "1MiB");
        assert_eq!(show_duration(Duration::from_secs(600)), "10m");
        assert_eq!(read_bytes("1 048"), None);
        assert_eq!(read_duration("10"), None);
        assert_eq!(read_duration("-1s"), None);
    }
}
