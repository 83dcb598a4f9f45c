//! Schedules: when the clock publishes, and what.

use onex_expr::{Template, Text, Value};

use super::scope::Roots;
use super::values::literal;
use super::{Linker, types};
use crate::diagnostic::code;
use crate::graph::{Missed, Schedule, TICK, TICK_MS, TICKER, Timing, zone};
use crate::model::{self, At, When};

/// Every schedule that contracts declare, and the platform's own where it is heard. What a rule has
/// reported is left out.
pub(super) fn link(linker: &mut Linker<'_, '_, '_>) -> Vec<Schedule> {
    let system = linker.system;
    let mut schedules = Vec::new();
    for (node, contract) in system.contracts.iter().enumerate() {
        for declared in &contract.event_bus.schedules {
            let payload = payload(linker, node, declared);
            let Some((payload, timing)) = payload.zip(timing(&declared.when)) else {
                continue;
            };
            let (node, topic) = (contract.name.value.clone(), declared.topic.value.clone());
            let schedule = Schedule { node, topic, timing, missed: declared.missed, payload };
            let said = types::of_value(&schedule.said(0, 1));
            linker.fits_topic(&said, &schedule.topic, place(declared));
            schedules.push(schedule);
        }
    }
    let heard = system.topics.get(TICK).is_some_and(|uses| !uses.consumers.is_empty());
    schedules.extend(heard.then(|| Schedule {
        node: Text::new_static(TICKER),
        topic: Text::new_static(TICK),
        timing: Timing::every_ms(TICK_MS),
        missed: Missed::None,
        payload: Value::map::<Text>([]),
    }));
    schedules.sort_by(|a, b| (&a.node, &a.topic).cmp(&(&b.node, &b.topic)));
    schedules.dedup_by(|a, b| a.node == b.node && a.topic == b.topic);
    schedules
}

/// When it comes due; `None` when that cannot be read.
fn timing(when: &When) -> Option<Timing> {
    match when {
        When::Every(millis) => Some(Timing::every_ms(millis.value)),
        When::Cron { expression, timezone } => {
            let name = timezone.as_ref().map_or("UTC", |name| name.as_str());
            Timing::cron(expression.as_str(), zone(name)?).ok()
        }
    }
}

/// What its messages say besides what the clock says; only `config` and `env` may be read in it.
fn payload(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    declared: &model::Schedule<'_>,
) -> Option<Value> {
    let nothing = Roots::new(&[]);
    let written = match declared.payload {
        Some(data) => {
            linker.expressions(node).data(data, onex_expr::Place::Data, nothing.scope())?
        }
        None => Template::map(Vec::new()),
    };
    match literal(&written) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("the payload fails: {}", error.message);
            linker
                .findings
                .error(code::BAD_EXPRESSION, place(declared), message)
                .help("it is worked out when the contracts are loaded: write values there");
            None
        }
    }
}

/// Where it says what its messages say.
fn place(declared: &model::Schedule<'_>) -> At {
    declared.payload.map_or(declared.topic.at, |data| data.at)
}
