//! How intents, items and steps end well, and what the end of an intent tells.
//!
//! A row whose `end_order` is not 0 stands for something that was done, or (`unknown`) may have been.

use onex_expr::Value;

use super::turn::Turn;
use crate::Id;
use crate::row::{Ending, Failure, StepStatus};

/// The end of an intent.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) step: u16,
    pub(super) item: Option<u32>,
    pub(super) visit: u32,
    pub(super) intent: Id,
    pub(super) ending: &'a Ending,
}

/// What an ending tells about the world.
struct Learnt {
    /// What was done, when that is known.
    output: Option<Value>,
    /// Whether something may have been done.
    unknown: bool,
    failure: Option<Failure>,
    /// It ended because it was stopped.
    stopped: bool,
}

impl Turn<'_> {
    /// The end of an intent that does the work of a step or item.
    pub(super) fn intent_ended(&mut self, end: End<'_>) {
        if !self.is_awaited(end) {
            return self.late(end);
        }
        *self.rows.in_flight_mut() -= 1;
        match end.item {
            None => self.step_learns(end),
            Some(item) => self.item_learns(end, item),
        }
    }

    fn is_awaited(&self, end: End<'_>) -> bool {
        let row = self.rows.step(end.step);
        let (status, intent) = match end.item.and_then(|item| self.rows.item(end.step, item)) {
            Some(item) => (item.status, item.intent_id),
            None => (row.status, row.intent_id),
        };
        status == StepStatus::Running
            && intent == Some(end.intent)
            && row.visit == end.visit
            && row.items.is_some() == end.item.is_some()
            && !self.is_terminal()
    }

    fn step_learns(&mut self, end: End<'_>) {
        let index = end.step;
        let learnt = self.learn(end, self.rows.step(index).unknown);
        let end_order = self.order(&learnt);
        let row = self.rows.step_mut(index);
        row.unknown = learnt.unknown;
        row.end_order = end_order;
        let own = row.error.clone();
        match (own, learnt.output) {
            (None, Some(output)) => self.complete_step(index, output),
            (Some(error), output) => {
                row.output = output.unwrap_or(Value::Null);
                self.step_failed(index, error);
            }
            (None, None) => {
                if learnt.stopped && !self.goes_on() {
                    let failure =
                        learnt.failure.map(|failure| self.failure_of(index, Some(failure)));
                    self.step_cancelled(index, failure);
                } else {
                    let failure = self.failure_of(index, learnt.failure);
                    self.step_failed(index, failure);
                }
            }
        }
    }

    fn item_learns(&mut self, end: End<'_>, item: u32) {
        let index = end.step;
        let unknown = self.rows.item(index, item).is_some_and(|row| row.unknown);
        let learnt = self.learn(end, unknown);
        let end_order = self.order(&learnt);
        self.counts(index, |items| items.running -= 1);
        let is_done = learnt.output.is_some();
        if let Some(row) = self.rows.item_mut(index, item) {
            row.unknown = learnt.unknown;
            row.end_order = end_order;
            row.status = if is_done { StepStatus::Completed } else { StepStatus::Cancelled };
            row.output = learnt.output.unwrap_or(Value::Null);
            row.error = None;
        }
        if is_done {
            self.counts(index, |items| items.completed += 1);
        } else if !learnt.stopped || (self.goes_on() && self.rows.step(index).error.is_none()) {
            let failure = self.failure_of(index, learnt.failure);
            self.item_failed(index, item, failure);
        }
        self.continue_items(index);
    }

    /// A failure of an intent as one of its step.
    fn failure_of(&self, index: u16, failure: Option<Failure>) -> Failure {
        match failure {
            Some(failure) => Failure { step: Some(self.step(index).id.clone()), ..failure },
            None => self.failure(index, "cancelled", "its intent was withdrawn"),
        }
    }

    fn order(&mut self, learnt: &Learnt) -> u64 {
        if learnt.output.is_some() || learnt.unknown { self.next_end() } else { 0 }
    }

    /// An end that nobody awaits any more still tells whether there is something to undo.
    fn late(&mut self, end: End<'_>) {
        let row = self.rows.step(end.step);
        let item = end.item.and_then(|item| self.rows.item(end.step, item));
        let (status, intent, unknown) = match item {
            Some(item) => (item.status, item.intent_id, item.unknown),
            None => (row.status, row.intent_id, row.unknown),
        };
        let has_ended =
            matches!(status, StepStatus::Failed | StepStatus::Cancelled | StepStatus::Waiting);
        let concerns = has_ended
            && intent == Some(end.intent)
            && row.visit == end.visit
            && row.items.is_some() == end.item.is_some()
            && !self.is_terminal();
        let order = self.next_end();
        match end.ending {
            Ending::Completed(output) if concerns => self.know(end, order, output.clone()),
            Ending::Refused(_) if concerns && unknown => self.know(end, 0, Value::Null),
            _ => self.ignore("late"),
        }
    }

    /// What was not known is known now. Where it had a place in the order of ends, it keeps it.
    fn know(&mut self, end: End<'_>, order: u64, output: Value) {
        let (unknown, end_order, place) = match end.item {
            None => {
                let row = self.rows.step_mut(end.step);
                (&mut row.unknown, &mut row.end_order, &mut row.output)
            }
            Some(item) => match self.rows.item_mut(end.step, item) {
                Some(row) => (&mut row.unknown, &mut row.end_order, &mut row.output),
                None => return,
            },
        };
        if order == 0 || *end_order == 0 {
            *end_order = order;
        }
        *unknown = false;
        *place = output;
    }

    pub(super) fn complete_step(&mut self, index: u16, output: Value) {
        let (now, end_order) = (self.at.now, self.next_end());
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Completed;
        row.output = output;
        row.ended_at = Some(now);
        row.end_order = end_order;
        row.timer = None;
        self.consider_dependents(index);
    }

    fn learn(&self, end: End<'_>, before: bool) -> Learnt {
        let (unknown, failure, stopped) = match end.ending {
            Ending::Completed(output) => {
                return Learnt {
                    output: Some(output.clone()),
                    unknown: false,
                    failure: None,
                    stopped: false,
                };
            }
            Ending::Refused(failure) => (false, Some(failure), false),
            Ending::Exhausted { failure, unknown } => (before || *unknown, Some(failure), false),
            Ending::InDoubt(failure) => (true, Some(failure), false),
            Ending::Expired(failure) => (before, Some(failure), false),
            Ending::Withdrawn => (before, None, true),
            Ending::Stopped { unknown, failure } => (before || *unknown, Some(failure), true),
            // A run that is undone by itself is asked, and tells that it was.
            Ending::Undone { failure, whole, cancelled } => {
                (!whole || self.is_undone_by_itself(end.step), Some(failure), *cancelled)
            }
        };
        Learnt { output: None, unknown, failure: failure.cloned(), stopped }
    }
}
