//! `event_bus.schedules`: topics on which the clock publishes.

use super::fields::Fields;
use super::reading::Reading;
use crate::diagnostic::code;
use crate::graph::{DUE_AT, Missed, SEQUENCE};
use crate::model::{Data, Schedule, When};
use crate::yaml::{Node, Tree};

/// The shortest time between two messages of a schedule, in milliseconds.
const EVERY_MS_MIN: u32 = 100;

const MISSED: [(&str, Missed); 3] =
    [("one", Missed::One), ("all", Missed::All), ("none", Missed::None)];

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Schedule<'a>> {
    let mut fields = Fields::open(reading, node, "the schedule")?;
    let topic = fields.required_word("topic");
    let when = when(&mut fields);
    let payload = payload(&mut fields);
    let missed = fields.choice("missed", &MISSED).map_or(Missed::One, |missed| missed.value);
    fields.descriptive(&["description"]);
    fields.close();
    Some(Schedule { topic: topic?, when: when?, payload, missed })
}

fn when(fields: &mut Fields<'_, '_, '_, '_>) -> Option<When> {
    let timezone = fields.word("timezone");
    match (fields.get("cron").is_some(), fields.get("every_ms").is_some()) {
        (true, false) => Some(When::Cron { expression: fields.word("cron")?, timezone }),
        (false, true) => {
            fields.idle(&["timezone"], "`every_ms` is the same in every time zone");
            fields.millis("every_ms", EVERY_MS_MIN).map(When::Every)
        }
        (true, true) => {
            let at = fields.key_at("every_ms");
            let message = "a schedule has `cron` or `every_ms`, not both";
            fields.reading.findings.error(code::BAD_VALUE, at, message).help("keep one of the two");
            None
        }
        (false, false) => {
            let at = fields.head();
            let message = "the schedule has neither `cron` nor `every_ms`";
            let help = "say when it comes due: `every_ms: 60000`, or `cron: \"0 9 * * 1-5\"`";
            fields.reading.findings.error(code::MISSING_KEY, at, message).help(help);
            None
        }
    }
}

/// What its messages say besides what the clock says.
fn payload<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<Data<'a>> {
    let node = fields.get("payload")?;
    if !matches!(node.tree, Tree::Map(_)) {
        fields.reading.wrong_type(node, "`payload`", "a mapping");
        return None;
    }
    for entry in node.entries().iter().filter(|entry| [DUE_AT, SEQUENCE].contains(&&*entry.key)) {
        let at = fields.reading.at(&entry.key_span);
        let message = format!("the clock says `{}` itself", entry.key);
        let help = "leave it out, or call it something else";
        fields.reading.findings.error(code::BAD_VALUE, at, message).help(help);
    }
    Some(fields.reading.data(node))
}
