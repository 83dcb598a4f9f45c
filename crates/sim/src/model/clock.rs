//! What the clock publishes: when, how often, and what of what was missed.

use std::collections::BTreeMap;

use onex_engine::codec::row;
use onex_engine::key;
use onex_expr::Value;
use onex_kernel::{Message, Micros};

use super::Model;
use super::compare::{Rows, range};
use super::follow::{index, wrong};
use crate::promise::Violation;
use crate::system::{Load, Missed, Schedule, topic_name};

/// A schedule that is armed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Armed {
    /// When it comes due next.
    due: Micros,
    /// Messages so far.
    sent: u64,
}

/// Reducer and topic.
pub(super) type Name = (usize, usize);

impl Model {
    fn schedules(&self) -> impl Iterator<Item = (Name, &Schedule)> {
        let reducers = self.system.reducers.iter().enumerate();
        reducers.flat_map(|(at, one)| {
            one.schedules.iter().map(move |schedule| ((at, schedule.topic), schedule))
        })
    }

    /// Everything that is scheduled is armed, once.
    pub(super) fn arm(&mut self) -> Result<(), Violation> {
        if !self.armed.is_empty() {
            return wrong("schedules are armed twice");
        }
        let now = self.now;
        let armed =
            self.schedules().map(|(name, one)| (name, Armed { due: one.after(now), sent: 0 }));
        self.armed = armed.collect();
        Ok(())
    }

    /// The clock published.
    pub(super) fn scheduled(
        &mut self,
        message: &Message,
        payload: &Value,
    ) -> Result<(), Violation> {
        let node = message.node.as_deref().unwrap_or_default();
        let found = self.schedules().find(|((reducer, topic), _)| {
            Some(*reducer) == index(node, 'r') && topic_name(*topic) == *message.topic
        });
        let Some((name, schedule)) = found.map(|(name, one)| (name, one.clone())) else {
            return wrong(format!("{node} schedules nothing on {}", message.topic));
        };
        let Some(armed) = self.armed.get(&name).copied() else {
            return wrong(format!("{node} has not armed {}", message.topic));
        };
        let due = self.due(&schedule, armed.due);
        if due > self.now {
            return wrong(format!("{} comes due only at {}", message.topic, due.0));
        }
        let sent = armed.sent + 1;
        let said = payload.get("due_at").map(Value::to_json);
        let number = payload.get("sequence").and_then(Value::as_int);
        let right = said == Some(due.to_value().to_json())
            && number == i64::try_from(sent).ok()
            && Load::of(payload).as_ref() == Some(&schedule.load);
        if !right {
            let (said, due) = (payload.to_json(), due.to_value().to_json());
            return wrong(format!("the clock says {said}, it is {due}, number {sent}"));
        }
        self.armed.insert(name, Armed { due: schedule.after(due), sent });
        self.deliver(message, schedule.topic, &schedule.load, None)
    }

    /// The due time for which it would publish next.
    fn due(&self, schedule: &Schedule, armed: Micros) -> Micros {
        let mut due = armed;
        if schedule.missed == Missed::None && due <= self.started {
            // The host was down at it.
            due = schedule.after(self.started);
        }
        while schedule.missed != Missed::All && schedule.after(due) <= self.now {
            due = schedule.after(due);
        }
        due
    }

    /// When the engine must be awake for the clock.
    pub fn next_due(&self) -> Option<Micros> {
        let dues = self
            .schedules()
            .filter_map(|(name, one)| self.armed.get(&name).map(|armed| self.due(one, armed.due)));
        dues.min()
    }

    pub(super) fn compare_armed(&self, rows: &Rows) -> Result<(), Violation> {
        let mut found = BTreeMap::new();
        for (place, bytes) in range(rows, key::SCHEDULES) {
            let armed = row::read_schedule(bytes).map_err(|one| Violation::new(one.to_string()))?;
            let (node, topic) = key::read_schedule(place).unwrap_or_default();
            let place = (node.to_owned(), topic.to_owned());
            found.insert(place, Armed { due: armed.due, sent: armed.sent });
        }
        let own = self
            .armed
            .iter()
            .map(|((reducer, topic), armed)| ((format!("r{reducer}"), topic_name(*topic)), *armed));
        super::compare::equal("schedules", own.collect(), found)
    }
}
