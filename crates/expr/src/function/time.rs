//! Parts of points and spans of time.

use super::{Args, Function};
use crate::Value;
use crate::fault::{Failed, failed};
use crate::time::{Civil, SECOND, offset_seconds};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::method("getFullYear", TIMESTAMP, |args| civil(args, |time| time.year)),
    Function::method("getMonth", TIMESTAMP, |args| civil(args, |time| i64::from(time.month) - 1)),
    Function::method("getDate", TIMESTAMP, |args| civil(args, |time| i64::from(time.day))),
    Function::method("getDayOfMonth", TIMESTAMP, |args| {
        civil(args, |time| i64::from(time.day) - 1)
    }),
    Function::method("getDayOfWeek", TIMESTAMP, |args| civil(args, |time| i64::from(time.weekday))),
    Function::method("getDayOfYear", TIMESTAMP, |args| civil(args, |time| i64::from(time.yearday))),
    Function::method("getHours", BOTH, |args| part(args, 3600 * SECOND, |time| time.hour)),
    Function::method("getMinutes", BOTH, |args| part(args, 60 * SECOND, |time| time.minute)),
    Function::method("getSeconds", BOTH, |args| part(args, SECOND, |time| time.second)),
    Function::method("getMilliseconds", BOTH, milliseconds),
];

const TIMESTAMP: &[&str] = &["timestamp -> int", "timestamp, string -> int"];
const BOTH: &[&str] = &["timestamp -> int", "timestamp, string -> int", "duration -> int"];

/// Steps for looking up a time zone by name.
const ZONE_STEPS: u64 = 200;

/// A point as calendars and clocks show it, in UTC or the zone given.
fn local(args: &Args<'_>) -> Result<Civil, Failed> {
    args.expect(1..=2)?;
    let Value::Timestamp { seconds, .. } = args.value(0)? else {
        return Err(args.no_overload());
    };
    if args.len() == 1 {
        return Ok(Civil::from_seconds(*seconds));
    }
    args.meter.spend(ZONE_STEPS)?;
    let offset = offset_seconds(args.text(1)?, *seconds);
    Ok(Civil::from_seconds(seconds + offset.map_err(|message| failed("bad_conversion", message))?))
}

fn civil(args: &Args<'_>, read: fn(&Civil) -> i64) -> Result<Value, Failed> {
    Ok(Value::Int(read(&local(args)?)))
}

/// A point's part of a clock, or a whole span in that unit.
fn part(args: &Args<'_>, unit: i128, read: fn(&Civil) -> u32) -> Result<Value, Failed> {
    match (args.value(0)?, args.len()) {
        (Value::Duration(nanos), 1) => Ok(Value::Int((nanos / unit) as i64)),
        _ => Ok(Value::Int(i64::from(read(&local(args)?)))),
    }
}

/// The thousandths within the second, of points and of spans alike.
fn milliseconds(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=2)?;
    match args.value(0)? {
        Value::Timestamp { nanos, .. } => Ok(Value::Int(i64::from(nanos / 1_000_000))),
        Value::Duration(nanos) if args.len() == 1 => {
            Ok(Value::Int((nanos % SECOND / 1_000_000) as i64))
        }
        _ => Err(args.no_overload()),
    }
}
