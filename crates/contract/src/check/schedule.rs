//! Schedules: whether they come due, and how often.

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{Timing, zone};
use crate::model::{Schedule, When};
use crate::system::System;

/// More messages than one in so many milliseconds are probably not meant.
const EVERY_MS_FEW: u64 = 1000;

fn schedules<'s>(system: &'s System<'_>) -> impl Iterator<Item = &'s Schedule<'s>> {
    system.contracts.iter().flat_map(|contract| &contract.event_bus.schedules)
}

/// A cron expression that cannot be read, or that no day fits.
pub(super) fn bad_cron(system: &System<'_>, findings: &mut Findings<'_>) {
    for schedule in schedules(system) {
        let When::Cron { expression, .. } = &schedule.when else {
            continue;
        };
        let message = match Timing::cron(expression.as_str(), jiff::tz::TimeZone::UTC) {
            Err(why) => format!("`{}` is no cron expression: {why}", expression.as_str()),
            Ok(timing) if timing.after(0).is_none() => {
                format!("`{}` never comes due: no day fits", expression.as_str())
            }
            Ok(_) => continue,
        };
        findings
            .error(code::BAD_CRON, expression.at, message)
            .help("write minute, hour, day of month, month, day of week: `0 9 * * 1-5`");
    }
}

/// A time zone that nobody knows.
pub(super) fn unknown_timezone(system: &System<'_>, findings: &mut Findings<'_>) {
    for schedule in schedules(system) {
        if let When::Cron { timezone: Some(name), .. } = &schedule.when
            && zone(name.as_str()).is_none()
        {
            let message = format!("`{}` is no time zone", name.as_str());
            findings
                .error(code::UNKNOWN_TIMEZONE, name.at, message)
                .help("write an IANA name such as `Europe/Berlin`, `UTC`, or an offset: `+02:00`");
        }
    }
}

/// A schedule that comes due more than once a second.
pub(super) fn too_frequent(system: &System<'_>, findings: &mut Findings<'_>) {
    for schedule in schedules(system) {
        if let When::Every(millis) = &schedule.when
            && millis.value < EVERY_MS_FEW
        {
            let a_day = 86_400_000 / millis.value;
            let message = format!(
                "this publishes every {} ms: {a_day} messages a day, each kept in the log",
                millis.value
            );
            findings
                .warning(code::TOO_FREQUENT, schedule.when.at(), message)
                .help("make it a second or more; what must be quick waits for a message instead");
        }
    }
}
