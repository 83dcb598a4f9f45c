//! Time zones: fixed offsets (`+02:00`) and IANA names, from a table built into the program.

use alloc::format;
use alloc::string::String;

use jiff::tz::TimeZoneDatabase;

/// Seconds east of UTC in a zone at a point in time.
pub(crate) fn offset_seconds(zone: &str, seconds: i64) -> Result<i64, String> {
    if zone == "UTC" || zone.is_empty() {
        return Ok(0);
    }
    if let Some(offset) = fixed_offset(zone) {
        return Ok(offset);
    }
    let unknown =
        || format!("`{}` is no time zone such as Europe/Berlin, UTC or +02:00", crate::brief(zone));
    let zone = TimeZoneDatabase::bundled().get(zone).map_err(|_| unknown())?;
    let at = jiff::Timestamp::from_second(seconds).map_err(|_| unknown())?;
    Ok(i64::from(zone.to_offset(at).seconds()))
}

/// `+02:00`, `-9:30` or, as CEL has it, `02:00`.
fn fixed_offset(zone: &str) -> Option<i64> {
    let signed = if zone.starts_with(['+', '-']) { String::from(zone) } else { format!("+{zone}") };
    match signed.find(':') {
        Some(2) => super::parse_offset(&format!("{}0{}", &signed[..1], &signed[1..])),
        _ if signed.len() == 6 => super::parse_offset(&signed),
        _ => None,
    }
}
