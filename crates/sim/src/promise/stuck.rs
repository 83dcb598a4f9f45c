//! Nothing is stuck: everything unfinished has something that will wake it.

use std::collections::BTreeSet;

use onex_engine::codec::row;
use onex_engine::key;
use onex_kernel::row::{Intent, Owner, RunHead};
use onex_kernel::{Id, Micros};

use super::{Violation, Watch};
use crate::model::Model;
use crate::model::compare::range;
use crate::outside::Answer;

impl Watch {
    /// Asked when the engine waits: what does it wait for?
    pub fn after_turn(
        &self,
        wake_at: Option<Micros>,
        in_flight: &[Answer],
        unfinished: usize,
    ) -> Result<(), Violation> {
        let wrong = |text: String| Err(Violation::new(text));
        let first = range(&self.rows, key::TIMERS).find_map(|(key, _)| key::read_timer(key));
        if let Some(timer) = &first
            && wake_at.is_none_or(|at| at > timer.due)
        {
            return wrong(format!("{timer:?} will not fire: the engine sleeps until {wake_at:?}"));
        }
        if range(&self.rows, key::BACKLOG).next().is_some() && wake_at.is_none() {
            return wrong("a message waits, and the engine sleeps".to_owned());
        }
        let intents = self.intents()?;
        let attempted: BTreeSet<Id> = in_flight.iter().map(|answer| answer.intent).collect();
        let is_behind = |intent: &Intent| {
            let same = |one: &Intent| one.node == intent.node && one.owner == intent.owner;
            intents.iter().any(|other| other.offset < intent.offset && same(other))
        };
        for intent in &intents {
            let waits = attempted.contains(&intent.id) || wake_at.is_some();
            let may_queue = !matches!(intent.owner, Owner::Step { .. });
            let queues = may_queue && is_behind(intent);
            if !(waits || queues) {
                return wrong(format!("{} is pending, and nothing will end it", intent.id));
            }
        }
        let live = self.runs_are_awake(&intents)?;
        let waiting = range(&self.rows, key::BACKLOG).count();
        let counted = live + intents.len() + waiting;
        if waiting == 0 && unfinished != counted {
            return wrong(format!("{counted} pieces of work are unfinished, {unfinished} counted"));
        }
        Ok(())
    }

    /// Asked when the engine waits and has room: the next due time of a schedule wakes it.
    pub fn clock_is_heard(&self, wake_at: Option<Micros>) -> Result<(), Violation> {
        match self.model.as_ref().and_then(Model::next_due) {
            Some(due) if wake_at.is_none_or(|at| at > due) => Err(Violation::new(format!(
                "a schedule is due at {}, the engine sleeps until {wake_at:?}",
                due.0
            ))),
            _ => Ok(()),
        }
    }

    fn intents(&self) -> Result<Vec<Intent>, Violation> {
        let mut all = Vec::new();
        for (_, bytes) in range(&self.rows, key::INTENTS) {
            all.push(row::read_intent(bytes)?);
        }
        Ok(all)
    }

    /// A run that is not over has a timer, an intent, a message that waits, or a run of its own. How
    /// many there are.
    fn runs_are_awake(&self, intents: &[Intent]) -> Result<usize, Violation> {
        let waits = range(&self.rows, key::BACKLOG).next().is_some();
        let owner = |head: &RunHead| match head.answers {
            Some(Owner::Step { run, .. }) => Some(run),
            _ => None,
        };
        let mut awaited: BTreeSet<Id> = self.live.values().filter_map(owner).collect();
        for intent in intents {
            if let Owner::Step { run, .. } = &intent.owner {
                awaited.insert(*run);
            }
        }
        for head in self.live.values() {
            if head.timer.is_none() && !awaited.contains(&head.id) && !waits {
                return Err(Violation::new(format!(
                    "the run {} of {} is {:?}, awaits {} ends, and nothing will wake it",
                    head.id, head.node, head.status, head.in_flight
                )));
            }
        }
        Ok(self.live.len())
    }
}
