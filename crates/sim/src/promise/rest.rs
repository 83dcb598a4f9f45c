//! What must hold once nothing is left to happen.

use std::collections::{BTreeMap, BTreeSet};

use onex_engine::key;
use onex_kernel::Id;
use onex_store::Store;

use super::{Violation, Watch};
use crate::model::compare::range;
use crate::outside::Outside;
use crate::scenario::Scenario;
use crate::world::Answer;

impl Watch {
    pub fn at_rest(
        &mut self,
        scenario: &Scenario,
        store: &dyn Store,
        outside: &Outside,
        answered: &BTreeMap<u64, Answer>,
    ) -> Result<(), Violation> {
        self.everything_ended()?;
        self.is_whole(store, false)?;
        if let Some(model) = &mut self.model {
            model.compare_all(&self.rows)?;
        }
        self.everybody_was_answered(scenario, answered)?;
        self.what_was_asked_is_in_the_log(outside)?;
        match &scenario.held {
            Some(held) => self.nothing_stays_held(held, outside),
            None => Ok(()),
        }
    }

    /// No wake-up is left: so nothing may wait for one.
    fn everything_ended(&self) -> Result<(), Violation> {
        let families =
            [(key::INTENTS, "intent"), (key::BACKLOG, "message"), (key::TIMERS, "timer")];
        for (prefix, what) in families {
            let left = range(&self.rows, prefix).count();
            if left > 0 {
                return Err(Violation::new(format!("{left} rows of kind {what} are left")));
            }
        }
        match self.runs(|head| head.ended_at.is_none()).first() {
            Some(run) => Err(Violation::new(format!("nothing will wake the run {run}"))),
            None => Ok(()),
        }
    }

    fn everybody_was_answered(
        &self,
        scenario: &Scenario,
        answered: &BTreeMap<u64, Answer>,
    ) -> Result<(), Violation> {
        for (number, op) in &scenario.ops {
            let once = op.steers();
            if !once && !answered.contains_key(number) {
                return Err(Violation::new(format!("op {number} was never answered")));
            }
            if let Some(Answer::Accepted(id, _)) = answered.get(number)
                && !self.messages.iter().any(|(known, ..)| known == id)
            {
                return Err(Violation::new(format!("op {number} was accepted, {id} is lost")));
            }
        }
        Ok(())
    }

    /// Each key that the target saw is an intent of the log.
    fn what_was_asked_is_in_the_log(&self, outside: &Outside) -> Result<(), Violation> {
        let known: BTreeSet<Id> = self.messages.iter().map(|(id, ..)| *id).collect();
        match outside.ledger.iter().find(|(key, _)| !known.contains(*key)) {
            Some((key, entry)) => Err(Violation::new(format!(
                "{} was asked {} times under {key}, which is no intent of the log",
                entry.effect, entry.asked
            ))),
            None => Ok(()),
        }
    }
}
