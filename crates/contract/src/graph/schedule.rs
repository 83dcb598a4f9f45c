//! When the clock publishes, and what. Pure: each due time follows from the one before.

use std::str::FromStr as _;

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use onex_expr::{Key, Text, Value};

/// Field of a schedule's messages: when it was due, as RFC 3339 text.
pub const DUE_AT: &str = "due_at";
/// Field of a schedule's messages: 1 for the first message, one more with each.
pub const SEQUENCE: &str = "sequence";
/// The topic on which the clock publishes unasked, when a contract subscribes to it.
pub const TICK: &str = "onex.intent.platform.runtime-tick.v1";
/// Whose schedule that is.
pub const TICKER: &str = "platform";
/// How often, in milliseconds.
pub const TICK_MS: u64 = 1000;

/// One schedule of one node.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The node that declares it.
    pub node: Text,
    /// Where its messages go. A node has one schedule a topic.
    pub topic: Text,
    /// When it comes due.
    pub timing: Timing,
    /// What becomes of due times at which nothing could be published.
    pub missed: Missed,
    /// A map: what its messages say beside [`DUE_AT`] and [`SEQUENCE`].
    pub payload: Value,
}

/// What becomes of due times that passed while the host was down, or stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// One message, for the latest of them.
    One,
    /// A message for each, in order.
    All,
    /// Nothing: it goes on with the next due time.
    None,
}

/// When a schedule comes due. Times are microseconds since 1970.
#[derive(Clone, Debug)]
pub struct Timing {
    rule: Rule,
    text: Text,
}

#[derive(Clone, Debug)]
enum Rule {
    /// Whole multiples of this many microseconds.
    Every(u64),
    Cron(Box<Cron>, TimeZone),
}

impl Schedule {
    /// What its message for a due time says: `sequence` is its number, from 1.
    pub fn said(&self, due_micros: u64, sequence: u64) -> Value {
        let due =
            i64::try_from(due_micros).ok().and_then(|at| Timestamp::from_microsecond(at).ok());
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let mut all = self.payload.as_map().cloned().unwrap_or_default();
        let due_at = Value::text(due.map(|due| due.to_string()).unwrap_or_default());
        all.insert(Key::String(DUE_AT.into()), due_at);
        all.insert(Key::String(SEQUENCE.into()), Value::Int(sequence));
        Value::Map(all.into())
    }
}

impl Timing {
    /// Due every so many milliseconds, counted from 1970: the same times whenever it began.
    pub fn every_ms(millis: u64) -> Timing {
        let rule = Rule::Every(millis.max(1).saturating_mul(1000));
        Timing { rule, text: format!("every {millis} ms").into() }
    }

    /// Due as an expression of five fields says (six with seconds first), on the clocks of a zone.
    ///
    /// # Errors
    /// Why the expression cannot be read.
    pub fn cron(expression: &str, zone: TimeZone) -> Result<Timing, String> {
        let parser =
            CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(why)?;
        let name = zone.iana_name().map_or_else(|| format!("{zone:?}"), str::to_owned);
        let text = format!("cron {expression} {name}").into();
        Ok(Timing { rule: Rule::Cron(Box::new(cron), zone), text })
    }

    /// The first due time after a time; none when it never comes due again.
    pub fn after(&self, micros: u64) -> Option<u64> {
        match &self.rule {
            Rule::Every(every) => (micros / every).checked_add(1)?.checked_mul(*every),
            Rule::Cron(cron, zone) => {
                let next = cron.find_next_occurrence(&zoned(micros, zone)?, false).ok()?;
                whole_second(&next).filter(|next| *next > micros)
            }
        }
    }

    /// The last due time that is not after a time; none before the first.
    pub fn until(&self, micros: u64) -> Option<u64> {
        match &self.rule {
            Rule::Every(every) => Some(micros / every * every),
            Rule::Cron(cron, zone) => {
                let last = cron.find_previous_occurrence(&zoned(micros, zone)?, true).ok()?;
                whole_second(&last).filter(|last| *last <= micros)
            }
        }
    }

    /// What tells it from another: its words.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Why an expression cannot be read, as part of a sentence.
fn why(error: CronError) -> String {
    let text = match error {
        CronError::InvalidPattern(text)
        | CronError::IllegalCharacters(text)
        | CronError::ComponentError(text) => text,
        other => other.to_string(),
    };
    let text = text.trim_end_matches('.');
    let (first, rest) = text.split_at_checked(1).unwrap_or((text, ""));
    format!("{}{rest}", first.to_lowercase())
}

fn zoned(micros: u64, zone: &TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_microsecond(i64::try_from(micros).ok()?).ok()?;
    Some(at.to_zoned(zone.clone()))
}

/// Cron knows no part of a second.
fn whole_second(at: &Zoned) -> Option<u64> {
    u64::try_from(at.timestamp().as_second()).ok()?.checked_mul(1_000_000)
}

/// The zone of an IANA name, or of a fixed offset such as `+02:00`; of tables built into the
/// program, not of those of the machine.
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.starts_with(['+', '-']) {
        return fixed(name);
    }
    match name {
        "UTC" => Some(TimeZone::UTC),
        _ => TimeZoneDatabase::bundled().get(name).ok(),
    }
}

/// `+02:00`
fn fixed(name: &str) -> Option<TimeZone> {
    let (hours, minutes) = name.get(1..)?.split_once(':')?;
    let number = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        i32::from_str(text).ok().filter(|number| digits && *number <= most)
    };
    let seconds = number(hours, 23)? * 3600 + number(minutes, 59)? * 60;
    let signed = if name.starts_with('-') { -seconds } else { seconds };
    Offset::from_seconds(signed).ok().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(timing: &Timing, from: &str, count: usize) -> Vec<String> {
        let from: Timestamp = from.parse().expect("a time");
        let mut at = u64::try_from(from.as_microsecond()).expect("after 1970");
        let mut due = Vec::new();
        while due.len() < count {
            at = timing.after(at).expect("it comes due again");
            assert_eq!(timing.until(at), Some(at), "a due time is the last one until itself");
            let time = Timestamp::from_microsecond(i64::try_from(at).expect("in range"));
            due.push(time.expect("in range").to_string());
        }
        due
    }

    fn cron(expression: &str, name: &str) -> Timing {
        Timing::cron(expression, zone(name).expect("a zone")).expect("an expression")
    }

    #[test]
    fn every_counts_from_1970_and_not_from_the_beginning() {
        let hourly = Timing::every_ms(3_600_000);
        let expected = ["2026-01-01T13:00:00Z", "2026-01-01T14:00:00Z"];
        assert_eq!(due(&hourly, "2026-01-01T12:34:56.789Z", 2), expected);
        assert_eq!(due(&hourly, "2026-01-01T13:00:00Z", 1), ["2026-01-01T14:00:00Z"]);
    }

    #[test]
    fn cron_follows_the_clocks_of_its_zone() {
        let morning = cron("0 9 * * 1-5", "Europe/Berlin");
        // Friday before the clocks go forward, then Monday.
        let expected = ["2026-03-27T08:00:00Z", "2026-03-30T07:00:00Z"];
        assert_eq!(due(&morning, "2026-03-27T00:00:00Z", 2), expected);
        assert_eq!(
            due(&cron("0 9 * * *", "+05:30"), "2026-03-27T00:00:00Z", 1),
            ["2026-03-27T03:30:00Z"]
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_comes_due_when_they_went_forward_and_one_they_repeat_once() {
        let night = cron("30 2 * * *", "Europe/Berlin");
        let forward = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        assert_eq!(due(&night, "2026-03-28T00:00:00Z", 3), forward);
        let back = ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        assert_eq!(due(&night, "2026-10-24T12:00:00Z", 2), back);
    }

    #[test]
    fn six_fields_begin_with_seconds() {
        let expected = ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"];
        assert_eq!(due(&cron("*/10 * * * * *", "UTC"), "2026-01-01T00:00:00Z", 2), expected);
    }

    #[test]
    fn what_never_comes_due_has_no_next_time() {
        assert_eq!(cron("0 0 30 2 *", "UTC").after(0), None);
    }

    #[test]
    fn zones_are_iana_names_and_fixed_offsets() {
        for name in ["UTC", "America/New_York", "+02:00", "-09:30"] {
            assert!(zone(name).is_some(), "{name}");
        }
        for name in ["", "Berlin", "+2", "+25:00", "CET+1", "local"] {
            assert!(zone(name).is_none(), "{name}");
        }
    }
}
