//! How a step begins: condition, input, work.

use onex_contract::graph::roots::orchestrator::INPUT;
use onex_contract::graph::{Body, NodeIndex, Performer, Step, StepWork};
use onex_expr::{Fuel, Template, Text, Value};

use super::roots::{Roots, templates};
use super::turn::Turn;
use crate::decision::{Intended, Produced};
use crate::row::{Failure, Owner, StepStatus};
use crate::{Id, ask, compute};

/// What came of the work of a step or item.
pub(super) enum Work {
    /// An intent was sent; its end will tell.
    Sent(Id),
    /// It is done.
    Done(Value),
    /// It failed.
    Failed(Failure),
}

/// An intent to send.
pub(super) struct Call<'t> {
    pub(super) performer: Performer,
    pub(super) topic: &'t Text,
    pub(super) payload: Value,
    pub(super) step: u16,
    pub(super) item: Option<u32>,
    pub(super) compensation: bool,
    /// The key of an earlier execution whose outcome is not known: the same is asked again.
    pub(super) kept: Option<Id>,
}

impl Turn<'_> {
    /// Starts a step that is ready.
    pub(super) fn start(&mut self, index: u16) {
        let step = self.step(index);
        let roots = self.roots(templates(step));
        match self.condition(index, step, &roots) {
            Ok(true) => self.enter(index),
            Ok(false) => return self.skip(index),
            Err(failure) => {
                self.enter(index);
                return self.step_failed(index, failure);
            }
        }
        match &step.work {
            StepWork::Wait { wait_ms } => self.pause(index, wait_ms, &roots),
            StepWork::WaitFor { timeout_ms, .. } => {
                self.await_event(index, timeout_ms.as_ref(), &roots);
            }
            _ => match &step.for_each {
                Some(for_each) => self.start_items(index, for_each, roots),
                None => self.start_once(index, &roots),
            },
        }
        self.watch(index);
    }

    /// Whether the step is wanted. One that is done again has been asked before, and what it may
    /// have done already does not go away.
    fn condition(&mut self, index: u16, step: &Step, roots: &Roots) -> Result<bool, Failure> {
        let row = self.rows.step(index);
        let Some(condition) = &step.condition else {
            return Ok(true);
        };
        if row.attempts > 0 || row.unknown || row.items.is_some() {
            return Ok(true);
        }
        ask::truth(condition, roots, &mut self.fuel)
            .map_err(|error| self.failed(index, "condition", &error))
    }

    fn skip(&mut self, index: u16) {
        let now = self.at.now;
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Skipped;
        row.ended_at = Some(now);
        self.consider_dependents(index);
    }

    fn enter(&mut self, index: u16) {
        let now = self.at.now;
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Running;
        row.attempts += 1;
        row.started_at = Some(now);
        row.ended_at = None;
        row.error = None;
    }

    /// Arms the timeout of a step that awaits something.
    fn watch(&mut self, index: u16) {
        let row = self.rows.step(index);
        if row.status == StepStatus::Running
            && row.error.is_none()
            && self.goes_on()
            && let Some(timeout_ms) = self.step(index).timeout_ms
        {
            let armed = self.arm_ms(timeout_ms);
            self.rows.step_mut(index).timer = Some(armed);
        }
    }

    fn pause(&mut self, index: u16, wait_ms: &Template, roots: &Roots) {
        let pause_ms = ask::data(wait_ms, roots, &mut self.fuel)
            .and_then(|value| ask::milliseconds(&value, 0));
        let pause_ms = match pause_ms {
            Ok(0) => return self.complete_step(index, Value::Null),
            Ok(pause_ms) => pause_ms,
            Err(error) => {
                let failure = self.failed(index, "wait_ms", &error);
                return self.step_failed(index, failure);
            }
        };
        let limit_ms = self.step(index).timeout_ms.unwrap_or(u64::MAX);
        let armed = self.arm_ms(pause_ms.min(limit_ms));
        let row = self.rows.step_mut(index);
        row.status = StepStatus::Waiting;
        row.timer = Some(armed);
    }

    fn start_once(&mut self, index: u16, roots: &Roots) {
        let row = self.rows.step(index);
        let kept = row.unknown.then(|| (row.intent_id, row.input.clone()));
        let (kept, input) = match kept {
            Some(kept) => kept,
            None => match self.input(index, roots) {
                Ok(input) => (None, input),
                Err(failure) => return self.step_failed(index, failure),
            },
        };
        let work = self.perform(index, None, &input, kept, roots);
        self.rows.step_mut(index).input = input;
        match work {
            Work::Sent(id) => self.rows.step_mut(index).intent_id = Some(id),
            Work::Done(output) => self.complete_step(index, output),
            Work::Failed(failure) => self.step_failed(index, failure),
        }
    }

    /// What a step or item is given.
    pub(super) fn input(&mut self, index: u16, roots: &Roots) -> Result<Value, Failure> {
        let Some(template) = &self.step(index).input else {
            return Ok(roots[INPUT].clone());
        };
        ask::data(template, roots, &mut self.fuel)
            .map_err(|error| self.failed(index, "input", &error))
    }

    /// Does the work of a step or item, or has it done.
    pub(super) fn perform(
        &mut self,
        index: u16,
        item: Option<u32>,
        input: &Value,
        kept: Option<Id>,
        roots: &Roots,
    ) -> Work {
        if let Err(error) = ask::pay(input, &mut self.fuel) {
            return Work::Failed(self.failed(index, "input", &error));
        }
        let (performer, topic) = match &self.step(index).work {
            StepWork::Effect { node, operation, topic } => {
                (Performer::Operation(*node, *operation), topic)
            }
            StepWork::Run { node, topic } => (Performer::Run(*node), topic),
            StepWork::Reduce { node, trigger, topic, schema } => {
                if let Some(Err(misfits)) = schema.as_ref().map(|schema| schema.validate(input)) {
                    let message = ask::misfits(&misfits);
                    return Work::Failed(self.failure(index, "invalid_payload", message));
                }
                (Performer::Trigger(*node, *trigger), topic)
            }
            _ => return self.do_at_once(index, input, roots),
        };
        Work::Sent(self.send(Call {
            performer,
            topic,
            payload: input.clone(),
            step: index,
            item,
            compensation: false,
            kept,
        }))
    }

    /// Does work that ends within this decision.
    fn do_at_once(&mut self, index: u16, input: &Value, roots: &Roots) -> Work {
        match &self.step(index).work {
            StepWork::Compute { node } => self.compute(index, *node, input),
            StepWork::Publish { topic, payload } => {
                self.publish(index, topic, payload.as_ref(), input, roots)
            }
            StepWork::Fail { code, message } => self.fail_as_told(index, code, message, roots),
            // What is sent has been, and what waits has no item: `start` begins it.
            StepWork::Effect { .. }
            | StepWork::Run { .. }
            | StepWork::Reduce { .. }
            | StepWork::Wait { .. }
            | StepWork::WaitFor { .. } => Work::Done(Value::Null),
        }
    }

    pub(super) fn send(&mut self, call: Call<'_>) -> Id {
        let visit = self.rows.step(call.step).visit;
        let (id, generation) = match call.kept {
            Some(id) => (id, visit),
            None => (self.draft.next_id(), 0),
        };
        let head = self.rows.head();
        let intent = Intended {
            id,
            generation,
            topic: call.topic.clone(),
            key: head.key.clone(),
            performer: call.performer,
            payload: call.payload,
            owner: Owner::Step {
                run: head.id,
                step: call.step,
                item: call.item,
                visit,
                compensation: call.compensation,
            },
        };
        self.draft.decision.messages.push(Produced::Intent(intent));
        *self.rows.in_flight_mut() += 1;
        id
    }

    fn fail_as_told(
        &mut self,
        index: u16,
        code: &Template,
        message: &Template,
        roots: &Roots,
    ) -> Work {
        let said = |template: &Template, fuel: &mut Fuel| {
            let value = ask::data(template, roots, fuel)?;
            Ok(value.as_str().map_or_else(|| Text::new(value.to_json()), Text::from))
        };
        let told =
            said(code, &mut self.fuel).and_then(|code| Ok((code, said(message, &mut self.fuel)?)));
        Work::Failed(match told {
            Ok((code, message)) => self.failure(index, &code, message),
            Err(error) => self.failed(index, "fail", &error),
        })
    }

    fn compute(&mut self, index: u16, node: NodeIndex, input: &Value) -> Work {
        let node = self.graph.node(node);
        let Body::Compute(body) = &node.body else {
            let message = alloc::format!("{} is no compute", node.name);
            return Work::Failed(self.failure(index, "no_route", message));
        };
        match compute::evaluate(body, input, &mut self.fuel.0) {
            Ok(output) => Work::Done(output),
            Err(fault) => {
                let place = fault.step.as_ref().unwrap_or(&node.name);
                let message = alloc::format!("{place}: {}", fault.message);
                Work::Failed(self.failure(index, &fault.code, message))
            }
        }
    }

    fn publish(
        &mut self,
        index: u16,
        topic: &Text,
        payload: Option<&Template>,
        input: &Value,
        roots: &Roots,
    ) -> Work {
        let payload = match payload {
            None => input.clone(),
            Some(template) => match ask::data(template, roots, &mut self.fuel) {
                Ok(payload) => payload,
                Err(error) => return Work::Failed(self.failed(index, "payload", &error)),
            },
        };
        if let Err(misfit) = ask::promised(self.graph, topic, &payload) {
            return Work::Failed(self.failure(index, "invalid_payload", misfit));
        }
        let key = self.rows.head().key.clone();
        self.draft.publish(topic.clone(), key, payload.clone());
        Work::Done(payload)
    }
}
