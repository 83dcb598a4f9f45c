//! How steps fail, and how a run comes to its bad end: nothing more starts, what is under way is
//! awaited.

use alloc::vec::Vec;

use onex_contract::graph::{ErrorAction, Recovery, StepWork};
use onex_expr::{Fuel, Text, Value};

use super::is_idempotent;
use super::turn::Turn;
use crate::row::{Failure, StepStatus};
use crate::{Id, Produced, Tidings, Told};

/// The code of a run that was cancelled.
pub(super) const CANCELLED: &str = "cancelled";

/// What the failure of a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// The run goes on as if it had been satisfied.
    GoOn,
    /// It is done again after a pause in milliseconds.
    Again(u64),
    /// The run fails.
    Fail,
}

impl Turn<'_> {
    /// A step failed for good, this time.
    pub(super) fn step_failed(&mut self, index: u16, failure: Failure) {
        let now = self.at.now;
        let reaction = self.goes_on().then(|| self.reaction(index));
        let row = self.rows.step_mut(index);
        row.error = Some(failure.clone());
        row.timer = None;
        row.status = StepStatus::Failed;
        row.ended_at = Some(now);
        match reaction {
            None => {}
            Some(Reaction::GoOn) => self.consider_dependents(index),
            Some(Reaction::Again(pause_ms)) => {
                let armed = self.arm_ms(pause_ms);
                let row = self.rows.step_mut(index);
                row.status = StepStatus::Waiting;
                row.ended_at = None;
                row.timer = Some(armed);
            }
            Some(Reaction::Fail) => self.fail_run(failure),
        }
    }

    /// What a failure of the step leads to now.
    pub(super) fn reaction(&self, index: u16) -> Reaction {
        let step = self.step(index);
        let retry = &self.plan.step_retry;
        let (max_retries, backoff_ms, multiplier) = match (step.error_action, self.plan.recovery) {
            (ErrorAction::Continue, _) => return Reaction::GoOn,
            (ErrorAction::Compensate, _) => return Reaction::Fail,
            (ErrorAction::Stop, Recovery::FailFast | Recovery::Compensate) => {
                return Reaction::Fail;
            }
            (ErrorAction::Stop, Recovery::Retry { max_retries, backoff_ms, multiplier }) => {
                (max_retries, backoff_ms, multiplier)
            }
            (ErrorAction::Retry, _) => (retry.max_retries, retry.backoff_ms, retry.multiplier),
        };
        let retries = self.rows.step(index).attempts.saturating_sub(1);
        if retries >= max_retries || self.must_not_repeat(index) {
            return Reaction::Fail;
        }
        let mut pause_ms = backoff_ms as f64;
        for _ in 0..retries {
            pause_ms *= multiplier;
        }
        // A pause of 0 would be no timer: the run must have something that wakes it.
        Reaction::Again((pause_ms as u64).max(1))
    }

    /// What may have been done and may not be done twice is not repeated without being asked.
    fn must_not_repeat(&self, index: u16) -> bool {
        let row = self.rows.step(index);
        let unknown = match &row.items {
            None => row.unknown,
            Some(_) => self.rows.items(index).any(|(_, item)| item.unknown),
        };
        unknown && !is_idempotent(self.graph, self.step(index))
    }

    /// The run's bad end cut the step short.
    pub(super) fn step_cancelled(&mut self, index: u16, failure: Option<Failure>) {
        let now = self.at.now;
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Cancelled;
        row.error = failure.or_else(|| row.error.take());
        row.ended_at = Some(now);
        row.timer = None;
    }

    /// It is certain that the run will not complete. What undoes it and tells of it has fuel of its
    /// own, so that a run that failed for lack of it is undone all the same.
    pub(super) fn fail_run(&mut self, error: Failure) {
        self.fuel = Fuel(self.at.fuel);
        let head = self.rows.head_mut();
        head.error = Some(error);
        head.timer = None;
        for index in self.indices() {
            match self.rows.step(index).status {
                StepStatus::Waiting => self.step_cancelled(index, None),
                StepStatus::Running => {
                    if self.rows.step(index).timer.is_some() {
                        self.rows.step_mut(index).timer = None;
                    }
                    self.stop_intents(index);
                }
                _ => {}
            }
        }
    }

    /// No further attempt of the intents that a step awaits.
    fn stop_intents(&mut self, index: u16) {
        let row = self.rows.step(index);
        let awaited: Vec<Id> = match &row.items {
            None => row.intent_id.into_iter().collect(),
            Some(_) => {
                let items = self.rows.items(index).map(|(_, item)| item);
                let running = items.filter(|item| item.status == StepStatus::Running);
                running.filter_map(|item| item.intent_id).collect()
            }
        };
        if !matches!(self.step(index).work, StepWork::Run { .. }) {
            return self.draft.decision.stop.extend(awaited);
        }
        for run in awaited {
            self.draft.decision.messages.push(Produced::Tell(Told { run, what: Tidings::Cancel }));
        }
    }

    pub(super) fn run_timed_out(&mut self) {
        if !self.goes_on() {
            return self.ignore("stale_timer");
        }
        self.fail_run(Failure {
            code: "timeout".into(),
            message: alloc::format!("the run took longer than {} ms", self.plan.timeout_ms).into(),
            step: None,
        });
    }

    pub(super) fn cancel(&mut self) {
        if self.is_terminal() {
            return self.ignore("ended");
        }
        let cancelled = |message: Text| Failure { code: CANCELLED.into(), message, step: None };
        if self.goes_on() {
            return self.fail_run(cancelled("the run was cancelled".into()));
        }
        if self.was_cancelled() {
            return self.ignore("ending");
        }
        // It is ending already; now it also undoes what it did, under any strategy.
        let head = self.rows.head_mut();
        let why = head.error.as_ref().map_or_else(Text::default, |error| error.message.clone());
        let message = alloc::format!("the run was cancelled while it ended: {why}");
        head.error = Some(cancelled(message.into()));
    }

    /// The step fails as soon as the attempts under way have ended.
    pub(super) fn step_timed_out(&mut self, index: u16) {
        if !self.has_timer(index) {
            return self.ignore("stale_timer");
        }
        let timer = self.rows.step(index).timer;
        let limit_ms = timer.map_or(0, |armed| (armed.due.0 - armed.armed_at.0) / 1000);
        let message = alloc::format!("the step took longer than {limit_ms} ms");
        let failure = self.failure(index, "timeout", message);
        let row = self.rows.step_mut(index);
        row.timer = None;
        if row.status == StepStatus::Running {
            row.error = Some(failure);
            self.stop_intents(index);
        } else {
            self.step_failed(index, failure);
        }
    }

    /// A `wait_ms` is over, or the pause before a step is done again.
    pub(super) fn pause_is_over(&mut self, index: u16) {
        if !self.has_timer(index) || self.rows.step(index).status != StepStatus::Waiting {
            return self.ignore("stale_timer");
        }
        let row = self.rows.step_mut(index);
        row.timer = None;
        let is_first = row.error.is_none();
        match self.step(index).work {
            StepWork::Wait { .. } if is_first => self.complete_step(index, Value::Null),
            _ => self.renew(index, false),
        }
    }

    fn has_timer(&self, index: u16) -> bool {
        usize::from(index) < self.plan.steps.len()
            && self.goes_on()
            && self.rows.step(index).timer.is_some()
    }
}
