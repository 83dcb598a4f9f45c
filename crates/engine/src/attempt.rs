//! From a recorded intent to its end: turn, attempts, breaker, deadline, judgement.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;

use onex_contract::graph::Body;
use onex_expr::Value;
use onex_kernel::effect::{self, Judgement};
use onex_kernel::port::CallError;
use onex_kernel::row::{Ending, FailedAttempt, Failure, Intent, Reason};
use onex_kernel::{Category, Fault, Id, Message, Micros, Origin};

use crate::codec::{Corrupt, row};
use crate::end::{exhausted, stopped};
use crate::engine::Engine;
use crate::guard;
use crate::intents::{Pending, Standing, lane};
use crate::key;
use crate::output::{Output, Perform};
use crate::turn::Sink;
use crate::work::{End, Progress, Waiting};

/// An open breaker is asked again no sooner than this.
const BREAKER_PAUSE_US: u64 = 1000;

/// What to do about an attempt that is due.
enum Next {
    Begin,
    Later(Micros),
    Over(Ending),
}

impl Engine {
    /// An intent that a decision sent is recorded, and performed when its turn comes.
    pub(crate) fn intent(&mut self, waiting: Box<Waiting<Intent>>) -> Result<Progress, Corrupt> {
        let Waiting { what: mut intent, row } = *waiting;
        let mut sink = self.begin_record();
        if let Some(row) = row {
            sink.delete(row);
        }
        Arc::make_mut(&mut intent.message).time = self.now;
        intent.offset = sink.offset;
        let message = intent.message.clone();
        let (id, graph, stopping) = (intent.id, intent.graph, intent.stopping);
        match self.pending(intent) {
            Ok(pending) => {
                let fresh = self.intents.get(id).is_none();
                let turn = self.intents.add(pending);
                if stopping {
                    self.queue_end(id, Ending::Withdrawn);
                } else if turn {
                    self.take_turn(id);
                }
                match self.intents.get(id) {
                    Some(pending) if fresh => {
                        sink.put_fresh(key::intent(id), row::intent(&pending.intent));
                    }
                    _ => self.put_intent(id, &mut sink),
                }
            }
            Err(intent) => {
                let detail = format!("{} has no operation {}", intent.node, intent.operation);
                let fault = Fault { reason: Reason::NoRoute, detail: detail.into() };
                let active = self.active.clone();
                self.dead(&active, None, &message, fault, &mut sink);
            }
        }
        self.end_record(&message, graph, sink);
        Ok(Progress::Done)
    }

    /// Finds who performs an intent in the graph it stays with.
    pub(crate) fn pending(&self, intent: Intent) -> Result<Pending, Box<Intent>> {
        let Some(graph) = self.graphs.get(&intent.graph).cloned() else {
            return Err(Box::new(intent));
        };
        let place = graph.find(&intent.node).and_then(|node| match &graph.node(node).body {
            Body::Effect(effect) => {
                let at = effect.operations.iter().position(|op| op.name == intent.operation)?;
                Some((node, at as u16, lane(&intent, &effect.operations[at])))
            }
            _ => None,
        });
        let Some((node, operation, lane)) = place else {
            return Err(Box::new(intent));
        };
        Ok(Pending {
            intent,
            graph,
            node,
            operation,
            lane,
            standing: Standing::Queued,
            attempt: 0,
            attempted: false,
            uncertain: false,
        })
    }

    /// Its turn has come: the first attempt begins, or waits for a breaker.
    pub(crate) fn take_turn(&mut self, id: Id) {
        let now = self.now;
        if let Some(pending) = self.intents.get_mut(id) {
            pending.intent.turn_at = Some(now);
        }
        match self.next(id) {
            Next::Begin => {
                self.mark_started(id);
                self.launch(id);
            }
            Next::Later(at) => self.intents.stand(id, Standing::Waiting(at)),
            Next::Over(ending) => self.queue_end(id, ending),
        }
    }

    /// An attempt is due.
    pub(crate) fn due(&mut self, id: Id) -> Result<Progress, Corrupt> {
        let Some(pending) = self.intents.get(id) else {
            return Ok(Progress::Done);
        };
        if !matches!(pending.standing, Standing::Waiting(_)) {
            return Ok(Progress::Done);
        }
        match self.next(id) {
            Next::Begin => {
                self.record_started(id);
                self.launch(id);
            }
            Next::Later(at) => self.intents.stand(id, Standing::Waiting(at)),
            Next::Over(ending) => self.queue_end(id, ending),
        }
        Ok(Progress::Done)
    }

    fn next(&mut self, id: Id) -> Next {
        let now = self.now;
        let Some(pending) = self.intents.get(id) else {
            return Next::Later(now);
        };
        if self.draining {
            return Next::Later(now);
        }
        if pending.intent.stopping {
            return Next::Over(stopped(pending));
        }
        let Some(operation) = pending.operation() else {
            return Next::Later(now);
        };
        let first = pending.intent.first_attempt_at;
        let deadline = first.map(|at| at.plus_ms(operation.timeout_ms));
        if let Some(deadline) = deadline
            && pending.attempted
            && now >= deadline
        {
            return Next::Over(exhausted(pending, "timeout"));
        }
        let Some(limits) = operation.breaker else {
            return Next::Begin;
        };
        let turn_at = pending.intent.turn_at.unwrap_or(now);
        let (node, name) = (pending.intent.node.clone(), operation.name.clone());
        let patience = turn_at.plus_ms(self.options.breaker_wait_ms);
        match self.intents.breaker(&node, &name).admit(&limits, now) {
            Ok(()) => Next::Begin,
            Err(_) if first.is_none() && now >= patience => Next::Over(Ending::Expired(Failure {
                code: "expired".into(),
                message: "the breaker stayed open until the wait for it ended".into(),
                step: None,
            })),
            Err(at) => {
                let limit = deadline.unwrap_or(patience);
                Next::Later(at.min(limit).max(Micros(now.0 + BREAKER_PAUSE_US)))
            }
        }
    }

    /// A not idempotent attempt is noted in the row that is about to be written.
    fn mark_started(&mut self, id: Id) -> bool {
        let Some(pending) = self.intents.get_mut(id) else {
            return false;
        };
        let idempotent = pending.operation().is_some_and(|operation| operation.idempotent);
        pending.intent.started |= !idempotent;
        !idempotent
    }

    /// The same when no record is being made: a record of its own, synced before the call.
    fn record_started(&mut self, id: Id) {
        if self.mark_started(id) {
            let mut sink = self.begin_record();
            self.put_intent(id, &mut sink);
            self.end_control(id, "attempt_started", Value::Null, sink);
        }
    }

    fn launch(&mut self, id: Id) {
        let now = self.now;
        self.intents.stand(id, Standing::InFlight);
        let Some(pending) = self.intents.get_mut(id) else {
            return;
        };
        pending.intent.first_attempt_at.get_or_insert(now);
        pending.intent.next_at = None;
        // The first one since a start has its whole time: it may be all that is left to try.
        let is_first = !core::mem::replace(&mut pending.attempted, true);
        let timeout_ms = pending.operation().map_or(0, |operation| {
            let begun = if is_first { now } else { pending.intent.first_attempt_at.unwrap_or(now) };
            let left_us = begun.plus_ms(operation.timeout_ms).0.saturating_sub(now.0);
            operation.attempt_timeout_ms.min(left_us.div_ceil(1000)).max(1)
        });
        let perform = Perform {
            timeout_ms,
            intent: pending.intent.message.clone(),
            attempt: pending.attempt,
            graph: pending.graph.clone(),
            node: pending.node,
            operation: pending.operation,
        };
        self.turn.after.push(Output::Perform(perform));
    }

    /// An attempt ended.
    pub(crate) fn answered(
        &mut self,
        id: Id,
        attempt: u64,
        answer: Result<Value, CallError>,
    ) -> Result<Progress, Corrupt> {
        let fuel = self.options.fuel;
        let current = self
            .intents
            .get(id)
            .filter(|pending| pending.standing == Standing::InFlight && pending.attempt == attempt);
        let Some(pending) = current else {
            self.count("late");
            return Ok(Progress::Done);
        };
        let Some(operation) = pending.operation() else {
            return Ok(Progress::Done);
        };
        let attempts = pending.intent.attempts.len() as u32 + 1;
        let mut judgement = None;
        let done = guard::guarded(&mut *self.guard, id, &mut || {
            judgement =
                Some(effect::judge(operation, &pending.intent.message, &answer, attempts, fuel));
        });
        let judged = done.and_then(|()| judgement.ok_or_else(guard::panicked));
        let judgement = judged.unwrap_or_else(|fault| Judgement::Refused {
            error: ("step_panicked".into(), fault.detail),
            publish: None,
            answered: false,
        });
        if let Some(limits) = operation.breaker {
            let (node, name) = (pending.intent.node.clone(), operation.name.clone());
            let success = !matches!(judgement, Judgement::Failed { .. });
            let now = self.now;
            self.intents.breaker(&node, &name).record(&limits, now, success);
        }
        match judgement {
            Judgement::Completed { output, publish } => {
                self.queue(End {
                    intent: id,
                    ending: Ending::Completed(output),
                    publish,
                    unpublished: None,
                    answered: true,
                });
            }
            Judgement::Refused { error: (code, message), publish, answered } => {
                if let Some(pending) = self.intents.get_mut(id) {
                    let error = format!("{code}: {message}").into();
                    let attempt = FailedAttempt { at: self.now, error, sent: true };
                    pending.intent.attempts.push(attempt);
                }
                let ending = Ending::Refused(Failure { code, message, step: None });
                self.queue(End { intent: id, ending, publish, unpublished: None, answered });
            }
            Judgement::Failed { error: (code, message), sent, retry_after_ms } => {
                let error = format!("{code}: {message}").into();
                self.failed(id, FailedAttempt { at: self.now, error, sent }, retry_after_ms);
            }
        }
        Ok(Progress::Done)
    }

    /// An attempt failed: another one is due later, or the intent is exhausted.
    fn failed(&mut self, id: Id, attempt: FailedAttempt, retry_after_ms: Option<u64>) {
        let now = self.now;
        let Some(pending) = self.intents.get_mut(id) else {
            return;
        };
        let text = attempt.error.clone();
        pending.intent.attempts.push(attempt);
        let intent = &pending.intent;
        let (stopping, failed) = (intent.stopping, intent.attempts.len() as u32);
        if stopping {
            let ending = stopped(pending);
            return self.queue_end(id, ending);
        }
        let Some(operation) = pending.operation() else {
            return;
        };
        let deadline = intent.first_attempt_at.unwrap_or(now).plus_ms(operation.timeout_ms);
        let next = if operation.idempotent {
            effect::next_attempt(operation, id, failed, now, retry_after_ms)
        } else {
            None
        };
        match next {
            Some(at) if at < deadline => {
                pending.intent.next_at = Some(at);
                self.intents.stand(id, Standing::Waiting(at));
                let mut sink = self.begin_record();
                self.put_intent(id, &mut sink);
                let detail = Value::map([("error", Value::String(text))]);
                self.end_control(id, "attempt_failed", detail, sink);
            }
            Some(_) => {
                let ending = exhausted(pending, "timeout");
                self.queue_end(id, ending);
            }
            None => {
                let ending = exhausted(pending, "attempts");
                self.queue_end(id, ending);
            }
        }
    }

    /// Records something about an intent that is not its end.
    fn end_control(&mut self, id: Id, what: &'static str, detail: Value, sink: Sink) {
        let Some(pending) = self.intents.get(id) else {
            return;
        };
        let intent = pending.intent.message.clone();
        let graph = pending.intent.graph;
        let payload = Value::map([
            ("control", Value::text(what)),
            ("intent_id", Value::text(id.to_string())),
            ("detail", detail),
        ]);
        let message = self.own_message(Category::Control, Origin::Control, id, payload);
        let message = Message {
            correlation_id: intent.correlation_id,
            causation_id: Some(id),
            node: Some(pending.intent.node.clone()),
            key: intent.key.clone(),
            ..message
        };
        self.end_record(&message, graph, sink);
    }

    /// Puts the row of a pending intent.
    pub(crate) fn put_intent(&self, id: Id, sink: &mut Sink) {
        if let Some(pending) = self.intents.get(id) {
            sink.put(key::intent(id), row::intent(&pending.intent));
        }
    }
}
