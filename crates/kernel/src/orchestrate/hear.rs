//! Events of the run's story: which wait takes one, and what is kept until a wait is reached.

use alloc::format;

use onex_contract::graph::roots::orchestrator::PAYLOAD;
use onex_contract::graph::{Listening, Step, StepWork};
use onex_expr::{EvalError, Template, Text, Value};

use super::roots::Roots;
use super::turn::Turn;
use crate::decision::{Beside, Subject};
use crate::row::{Reason, StepStatus};
use crate::{Fault, Message, Verdict, ask};

/// Most events that one run keeps for waits to come; a further one is a dead letter.
const EVENTS_MAX: usize = 1024;

impl Turn<'_> {
    /// An event on a topic that this run listens to: it cancels the run, is taken by the first wait
    /// that is reached and wants it, is kept while a wait to come may want it, or is ignored.
    pub(super) fn hear(&mut self, event: &Message) {
        if !self.goes_on() {
            return self.ignore("ending");
        }
        match self.heard(event) {
            Ok(()) => {}
            Err(fault) => self.draft.decision.verdict = Verdict::Dead(fault),
        }
    }

    fn heard(&mut self, event: &Message) -> Result<(), Fault> {
        for listening in &self.plan.cancel_on {
            if self.is_meant(listening, event).map_err(|error| fault("cancel_on", &error))? {
                self.cancel();
                return Ok(());
            }
        }
        let mut to_come = false;
        for index in self.indices() {
            let Some(listening) = listening(self.step(index)) else {
                continue;
            };
            if listening.topic != event.topic {
                continue;
            }
            let row = self.rows.step(index);
            match row.status {
                StepStatus::Waiting if row.error.is_none() => {
                    let place = &self.step(index).id;
                    if self.is_meant(listening, event).map_err(|error| fault(place, &error))? {
                        self.complete_step(index, event.payload.value.clone());
                        return Ok(());
                    }
                }
                StepStatus::Pending | StepStatus::Waiting => to_come = true,
                _ => {}
            }
        }
        if !to_come {
            self.ignore("not_awaited");
        } else if self.rows.events().count() < EVENTS_MAX {
            self.rows.keep_event(event.clone());
        } else {
            let detail = format!("the run keeps {EVENTS_MAX} events that no wait has taken");
            return Err(Fault { reason: Reason::Exceeded, detail: detail.into() });
        }
        Ok(())
    }

    /// Whether an event is one that is listened for.
    fn is_meant(&mut self, listening: &Listening, event: &Message) -> Result<bool, EvalError> {
        if listening.topic != event.topic {
            return Ok(false);
        }
        let Some(when) = &listening.when else {
            return Ok(true);
        };
        let mut roots = self.roots([when]);
        roots[PAYLOAD] = event.payload.value.clone();
        ask::truth(when, &roots, &mut self.fuel)
    }

    /// A wait is reached: an event that was kept is taken, or one is waited for.
    pub(super) fn await_event(&mut self, index: u16, limit_ms: Option<&Template>, roots: &Roots) {
        let Some(listening) = listening(self.step(index)) else {
            return;
        };
        if let Some(payload) = self.take_kept(listening) {
            return self.complete_step(index, payload);
        }
        let limit_ms = match limit_ms.map(|template| self.limit(template, roots)) {
            None => None,
            Some(Ok(limit_ms)) => Some(limit_ms),
            Some(Err(error)) => {
                let failure = self.failed(index, "timeout_ms", &error);
                return self.step_failed(index, failure);
            }
        };
        let limits = [limit_ms, self.step(index).timeout_ms];
        let timer = limits.into_iter().flatten().min().map(|limit_ms| self.arm_ms(limit_ms));
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Waiting;
        row.timer = timer;
    }

    fn limit(&mut self, template: &Template, roots: &Roots) -> Result<u64, EvalError> {
        let value = ask::data(template, roots, &mut self.fuel)?;
        ask::milliseconds(&value, 1)
    }

    /// The first kept event that is meant. One on which the question fails is given up.
    fn take_kept(&mut self, listening: &Listening) -> Option<Value> {
        let mut at = 0;
        loop {
            let next = self
                .rows
                .events()
                .find(|(number, event)| *number >= at && event.topic == listening.topic);
            let (number, event) = next.map(|(number, event)| (number, event.clone()))?;
            match self.is_meant(listening, &event) {
                Ok(true) => {
                    self.rows.drop_event(number);
                    return Some(event.payload.value);
                }
                Ok(false) => {}
                Err(error) => {
                    self.rows.drop_event(number);
                    self.draft.decision.letters.push(Beside {
                        fault: fault("when", &error),
                        node: self.node.name.clone(),
                        step: None,
                        subject: Subject::Kept(event),
                    });
                }
            }
            at = number + 1;
        }
    }
}

fn listening(step: &Step) -> Option<&Listening> {
    match &step.work {
        StepWork::WaitFor { event, .. } => Some(event),
        _ => None,
    }
}

fn fault(place: &str, error: &EvalError) -> Fault {
    let reason = ask::reason(error, Reason::ExpressionError);
    Fault { reason, detail: Text::new(format!("{place}: {}", error.message)) }
}
