//! The end of an intent: recorded, published, told to whom it concerns.

use alloc::boxed::Box;
use alloc::format;

use onex_expr::{Text, Value};
use onex_kernel::effect;
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Ending, Failure, Owner, Reason};
use onex_kernel::{Category, Fault, Id, Message, Origin};

use crate::codec::{Corrupt, row};
use crate::deliver::derived_message;
use crate::engine::Engine;
use crate::intents::{Pending, Standing};
use crate::key;
use crate::turn::Sink;
use crate::work::{End, Progress, Waiting, Work};

impl Engine {
    /// Queues the end of an intent that publishes what `on_exhausted` says.
    pub(crate) fn queue_end(&mut self, id: Id, ending: Ending) {
        let failure = match &ending {
            Ending::Exhausted { failure, .. }
            | Ending::InDoubt(failure)
            | Ending::Expired(failure) => Some((failure.code.clone(), failure.message.clone())),
            _ => None,
        };
        let publish = failure.and_then(|error| {
            let pending = self.intents.get(id)?;
            let operation = pending.operation()?;
            let attempts = pending.intent.attempts.len() as u32;
            let fuel = self.options.fuel;
            effect::on_exhausted(operation, &pending.intent.message, &error, attempts, fuel)
        });
        let (publish, unpublished) = match publish {
            Some(Ok(publish)) => (Some(publish), None),
            Some(Err(unpublished)) => (None, Some(unpublished)),
            None => (None, None),
        };
        self.queue(End { intent: id, ending, publish, unpublished, answered: false });
    }

    /// Queues an end.
    pub(crate) fn queue(&mut self, end: End) {
        self.intents.stand(end.intent, Standing::Ending);
        self.derived.push_back(Work::End(Box::new(end)));
    }

    /// An intent ended: its outcome is recorded, published, and told to whom it concerns.
    pub(crate) fn end(&mut self, end: Box<End>) -> Result<Progress, Corrupt> {
        let Some(pending) = self.intents.get(end.intent) else {
            return Ok(Progress::Done);
        };
        if let Owner::Step { run, .. } = pending.intent.owner
            && !self.rows.has_run(run, &self.graphs)?
        {
            return Ok(Progress::Missing(Work::End(end)));
        }
        let Some((pending, next)) = self.intents.remove(end.intent) else {
            return Ok(Progress::Done);
        };
        let message = self.outcome(&pending, &end.ending);
        let mut sink = self.begin_record();
        sink.delete(key::intent(end.intent));
        if let Some((topic, payload)) = end.publish {
            self.publish_outcome(&pending, &message, topic, payload, &mut sink);
        }
        if let Some((topic, fault)) = end.unpublished {
            let id = Id::derive(message.id, &pending.intent.node, message.generation, 0);
            let (node, key) = (&pending.intent.node, message.key.clone());
            let event = derived_message(node, &message, id, topic, key, Value::Null);
            let graph = pending.graph.clone();
            self.dead(&graph, Some(pending.node), &event, fault, &mut sink);
        }
        let graph = pending.intent.graph;
        match pending.intent.owner {
            Owner::Step { run, .. } if self.rows.run(run).is_none() => {
                // A letter that was discarded is put back, and its run is not kept any more.
                self.intent_letter(pending.intent, &end.ending, &mut sink);
            }
            Owner::Step { run, step, item, visit, compensation } => {
                self.at_hand = Some(pending.intent);
                let (intent, ending) = (end.intent, &end.ending);
                let input = RunInput::Ended { step, item, visit, compensation, intent, ending };
                self.advance_run(run, input, &message, &mut sink);
                self.at_hand = None;
            }
            Owner::Entity { .. } | Owner::Topic => {
                if !end.answered {
                    self.intent_letter(pending.intent, &end.ending, &mut sink);
                }
            }
        }
        if let Some(next) = next {
            self.take_turn(next);
            self.put_intent(next, &mut sink);
        }
        self.end_record(&message, graph, sink);
        Ok(Progress::Done)
    }

    fn outcome(&self, pending: &Pending, ending: &Ending) -> Message {
        let intent = &pending.intent;
        let asked = &intent.message;
        Message {
            id: Id::derive(intent.id, &intent.node, intent.generation, u32::MAX),
            category: Category::Outcome,
            origin: Origin::Outcome,
            topic: asked.topic.clone(),
            key: asked.key.clone(),
            event_type: asked.event_type.clone(),
            payload: payload_of(ending).into(),
            correlation_id: asked.correlation_id,
            causation_id: Some(intent.id),
            node: Some(intent.node.clone()),
            time: self.now,
            generation: intent.generation,
        }
    }

    /// Publishes what an operation's end says. If it does not fit what the topic's producers
    /// declare, the outcome stands and the event is a dead letter.
    fn publish_outcome(
        &mut self,
        pending: &Pending,
        outcome: &Message,
        topic: Text,
        payload: Value,
        sink: &mut Sink,
    ) {
        let id = Id::derive(outcome.id, &pending.intent.node, outcome.generation, 0);
        let schema = pending.graph.topics.get(&topic).and_then(|t| t.producer_schema.clone());
        let misfit = schema.and_then(|schema| schema.validate(&payload).err());
        let key = outcome.key.clone();
        let event = derived_message(&pending.intent.node, outcome, id, topic, key, payload);
        match misfit.and_then(|misfits| misfits.into_iter().next()) {
            None => {
                let waiting = Waiting { what: event, row: None };
                self.derived.push_back(Work::Message(Box::new(waiting)));
            }
            Some(misfit) => {
                let detail = format!("{} {}", misfit.at, misfit.message).into();
                let fault = Fault { reason: Reason::InvalidPayload, detail };
                let graph = pending.graph.clone();
                self.dead(&graph, Some(pending.node), &event, fault, sink);
            }
        }
    }

    /// No further attempt of an intent is wanted.
    pub(crate) fn stop(&mut self, id: Id, sink: &mut Sink) {
        let Some(pending) = self.intents.get_mut(id) else {
            return self.withdraw(id, sink);
        };
        pending.intent.stopping = true;
        match pending.standing {
            Standing::Ending => {}
            Standing::InFlight => self.put_intent(id, sink),
            Standing::Queued | Standing::Waiting(_) => {
                let ending = stopped(pending);
                self.queue_end(id, ending);
            }
        }
    }

    /// An intent that no record holds yet is marked where it waits, also in the row in which an
    /// earlier turn left it: a start must not perform it.
    fn withdraw(&mut self, id: Id, sink: &mut Sink) {
        for work in &mut self.derived {
            let (place, bytes) = match work {
                Work::Intent(waiting) if waiting.what.id == id => {
                    waiting.what.stopping = true;
                    (&waiting.row, row::backlog_intent(&waiting.what))
                }
                Work::Trigger(waiting) if waiting.what.message.id == id => {
                    waiting.what.stopping = true;
                    (&waiting.row, row::backlog_trigger(&waiting.what))
                }
                _ => continue,
            };
            if let Some(place) = place {
                sink.put(place.clone(), bytes);
            }
            return;
        }
    }
}

/// Whether an attempt may have reached the target.
fn may_have_happened(pending: &Pending) -> bool {
    pending.uncertain || pending.intent.attempts.iter().any(|one| one.sent)
}

/// How an intent ends that is stopped while no attempt is under way.
pub(crate) fn stopped(pending: &Pending) -> Ending {
    let intent = &pending.intent;
    if intent.attempts.is_empty() && !pending.attempted && !pending.uncertain {
        return Ending::Withdrawn;
    }
    let last = intent.attempts.last().map(|attempt| attempt.error.clone());
    Ending::Stopped {
        unknown: may_have_happened(pending),
        failure: Failure {
            code: "stopped".into(),
            message: last.unwrap_or_else(|| "no further attempt was wanted".into()),
            step: None,
        },
    }
}

pub(crate) fn exhausted(pending: &Pending, what: &str) -> Ending {
    let intent = &pending.intent;
    let last = intent.attempts.last().map_or_else(Text::default, |last| last.error.clone());
    let count = intent.attempts.len();
    Ending::Exhausted {
        unknown: may_have_happened(pending),
        failure: Failure {
            code: "exhausted".into(),
            message: format!("{what} used up after {count} failed: {last}").into(),
            step: None,
        },
    }
}

/// What the record of an end says.
pub(crate) fn payload_of(ending: &Ending) -> Value {
    let (status, failure) = match ending {
        Ending::Completed(output) => return output.clone(),
        other => describe(other),
    };
    let error = failure.map_or(Value::Null, |failure| {
        Value::map([
            ("code", Value::String(failure.code.clone())),
            ("message", Value::String(failure.message.clone())),
        ])
    });
    Value::map([("error", error), ("status", Value::text(status))])
}

/// A word and the failure of an ending that is no success.
pub(crate) fn describe(ending: &Ending) -> (&'static str, Option<&Failure>) {
    match ending {
        Ending::Completed(_) => ("completed", None),
        Ending::Refused(failure) => ("refused", Some(failure)),
        Ending::Exhausted { failure, .. } => ("exhausted", Some(failure)),
        Ending::InDoubt(failure) => ("in_doubt", Some(failure)),
        Ending::Expired(failure) => ("expired", Some(failure)),
        Ending::Withdrawn => ("withdrawn", None),
        Ending::Stopped { failure, .. } => ("stopped", Some(failure)),
        Ending::Undone { failure, .. } => ("undone", Some(failure)),
    }
}
