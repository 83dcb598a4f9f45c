//! Schedules of drawn systems: a few due times soon after the beginning, and no more for a day, so that
//! a run comes to rest.

use onex_kernel::Micros;

use super::{Load, topic_name};
use crate::scenario::BEGIN;

/// What the clock publishes for a node. A node has one a topic.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub topic: usize,
    pub load: Load,
    pub timing: Timing,
    pub missed: Missed,
}

#[derive(Clone, Debug)]
pub(crate) enum Timing {
    /// Seconds of the minute of the beginning, in order; each day.
    Daily(Vec<u64>),
    /// So many tenths of a second after the beginning, and months later again: each hundredth of the
    /// time since 1970.
    Once(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    One,
    All,
    None,
}

/// The second of its minute at which everything begins.
pub(crate) const BEGIN_SECOND: u64 = BEGIN.0 / 1_000_000 % 60;

const DAY_MS: u64 = 86_400_000;

impl Schedule {
    /// When it comes due first, after a time.
    pub fn after(&self, time: Micros) -> Micros {
        let minute = Micros(BEGIN.0 - BEGIN_SECOND * 1_000_000);
        let dues: Vec<Micros> = match &self.timing {
            Timing::Daily(seconds) => {
                let day = seconds.iter().map(|second| minute.plus_ms(second * 1000));
                let day: Vec<Micros> = day.collect();
                day.iter().copied().chain(day.iter().map(|at| at.plus_ms(DAY_MS))).collect()
            }
            Timing::Once(tenths) => {
                let at = BEGIN.plus_ms(*tenths * 100);
                vec![at, Micros(at.0 + at.0 / 100)]
            }
        };
        let later = dues.iter().find(|due| **due > time);
        later.copied().unwrap_or(Micros(u64::MAX))
    }

    /// Its line in a contract.
    pub fn text(&self) -> String {
        let timing = match &self.timing {
            Timing::Daily(seconds) => {
                let seconds: Vec<String> = seconds.iter().map(ToString::to_string).collect();
                format!("cron: \"{} 13 22 * * *\"", seconds.join(","))
            }
            Timing::Once(tenths) => format!("every_ms: {}", BEGIN.0 / 100_000 + tenths),
        };
        let missed = match self.missed {
            Missed::One => "one",
            Missed::All => "all",
            Missed::None => "none",
        };
        let topic = topic_name(self.topic);
        format!(
            "{{topic: {topic}, {timing}, missed: {missed}, payload: {}}}",
            self.load.value().to_json()
        )
    }
}
