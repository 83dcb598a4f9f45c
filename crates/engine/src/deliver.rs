//! One message to everybody who takes it: plan, see that the rows are here, decide, apply.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Entry, Graph, NodeIndex, Subscriber, Topic};
use onex_expr::Text;
use onex_kernel::orchestrate::{self, Start};
use onex_kernel::reduce::{self, Delivery};
use onex_kernel::row::{Owner, Reason};
use onex_kernel::{Category, Circumstances, Decision, Fault, Id, Message, Origin, Verdict};

use crate::accept::category_of;
use crate::codec::Corrupt;
use crate::engine::Engine;
use crate::guard;
use crate::intents::{intent_topic, new_intent};
use crate::key::{self, RowKey};
use crate::turn::Sink;
use crate::work::{Progress, Waiting, Work};

/// One delivery, and what it needs.
#[derive(Debug)]
pub(crate) struct Planned {
    pub node: NodeIndex,
    pub target: Target,
}

/// What takes a delivery.
#[derive(Debug)]
pub(crate) enum Target {
    Entity { trigger: u16, key: Text, row: RowKey },
    Run { id: Id, key: Option<Text> },
    Operation(u16),
    Evaluate,
    Dead(Fault),
}

/// Index that no decision reaches: the id of a run that a message begins.
const RUN_INDEX: u32 = u32::MAX;

impl Planned {
    /// Why this delivery would be a dead letter.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.target {
            Target::Dead(fault) => Some(fault),
            _ => None,
        }
    }
}

impl Engine {
    /// Who takes a message: every subscriber, or only the node `only` (a redrive).
    pub(crate) fn plan(
        &self,
        graph: &Graph,
        topic: Option<&Topic>,
        message: &Message,
        only: Option<NodeIndex>,
    ) -> Vec<Planned> {
        let subscribers = topic.map_or(&[][..], |topic| &topic.subscribers);
        subscribers
            .iter()
            .filter(|subscriber| only.is_none_or(|node| node == subscriber.node))
            .map(|subscriber| self.plan_one(graph, message, subscriber))
            .collect()
    }

    pub(crate) fn plan_one(
        &self,
        graph: &Graph,
        message: &Message,
        subscriber: &Subscriber,
    ) -> Planned {
        let node = subscriber.node;
        let name = &graph.node(node).name;
        // A client's message was held against every schema when it was admitted.
        if message.origin != Origin::External
            && let Some(schema) = &subscriber.schema
            && let Err(misfits) = schema.validate(&message.payload.value)
        {
            let detail = misfits.first().map_or_else(Text::default, |misfit| {
                format!("{name} declares otherwise: {} {}", misfit.at, misfit.message).into()
            });
            let fault = Fault { reason: Reason::InvalidPayload, detail };
            return Planned { node, target: Target::Dead(fault) };
        }
        let target = match (subscriber.entry, &graph.node(node).body) {
            (Entry::Trigger(trigger), Body::Reducer(reducer)) => {
                let found = &reducer.triggers[usize::from(trigger)];
                match reduce::entity_key(found, message, self.options.fuel) {
                    Ok(key) => {
                        let row = key::entity(name, &key);
                        Target::Entity { trigger, key, row }
                    }
                    Err(fault) => Target::Dead(fault),
                }
            }
            (Entry::Run, _) => {
                let id = Id::derive(message.id, name, 0, RUN_INDEX);
                let input = &message.payload.value;
                match orchestrate::run_key(graph, node, message, input, self.options.fuel) {
                    Ok(key) => Target::Run { id, key },
                    Err(fault) => Target::Dead(fault),
                }
            }
            (Entry::Operation(operation), _) => Target::Operation(operation),
            (Entry::Evaluate, _) => Target::Evaluate,
            (Entry::Trigger(_), _) => Target::Dead(Fault {
                reason: Reason::NoRoute,
                detail: format!("{name} is no reducer").into(),
            }),
        };
        Planned { node, target }
    }

    /// Whether every row that a plan needs is here; what is not is wanted.
    pub(crate) fn ready(&mut self, plan: &[Planned]) -> Result<bool, Corrupt> {
        let mut ready = true;
        for planned in plan {
            match &planned.target {
                Target::Entity { row, .. } => ready &= self.rows.has_entity(row)?,
                Target::Run { id, key } => {
                    ready &= self.rows.has_run(*id, &self.graphs)?;
                    if let Some(key) = key {
                        let node = &self.active.node(planned.node).name;
                        let row = key::run_key(node, key);
                        ready &= self.rows.has_run_key(&row)?;
                    }
                }
                Target::Operation(_) | Target::Evaluate | Target::Dead(_) => {}
            }
        }
        Ok(ready)
    }

    /// Delivers: every decision on this message goes into its record.
    pub(crate) fn deliver(
        &mut self,
        graph: &Arc<Graph>,
        message: &Message,
        plan: Vec<Planned>,
        sink: &mut Sink,
    ) {
        for Planned { node, target } in plan {
            match target {
                Target::Entity { trigger, key, row } => {
                    self.reduce(graph, node, message, Place { trigger, key, row }, sink);
                }
                Target::Run { id, key } => {
                    self.run_by_message(graph, node, message, id, key, sink);
                }
                Target::Operation(operation) => {
                    self.intent_by_message(graph, node, message, operation);
                }
                Target::Evaluate => self.evaluate(graph, node, message, sink),
                Target::Dead(fault) => self.dead(graph, Some(node), message, fault, sink),
            }
        }
    }

    /// Steps a state machine.
    pub(crate) fn reduce(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        place: Place,
        sink: &mut Sink,
    ) {
        let decision = self.decide(graph, node, message, &place, sink);
        self.apply_to_entity(graph, node, message, &place, decision, sink);
    }

    /// What a state machine decides on a message.
    pub(crate) fn decide(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        place: &Place,
        sink: &Sink,
    ) -> Decision {
        let circumstances = self.circumstances(sink);
        let delivery = Delivery {
            trigger: place.trigger,
            key: &place.key,
            entity: self.rows.entity(&place.row),
            message,
        };
        let name = &graph.node(node).name;
        let mut decision = None;
        let note = guard::note_of(message, || guard::delivered(message, name));
        let done = guard::guarded(&mut *self.guard, note, &mut || {
            decision = Some(reduce::reduce(graph, node, delivery, &circumstances));
        });
        decided(done, decision)
    }

    pub(crate) fn run_by_message(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        id: Id,
        key: Option<Text>,
        sink: &mut Sink,
    ) {
        let name = &graph.node(node).name;
        if self.rows.run(id).is_some() {
            return self.count(&format!("ignored:{name}:run_exists"));
        }
        if let Some(key) = &key
            && self.rows.run_key(&key::run_key(name, key)).is_some()
        {
            return self.count(&format!("ignored:{name}:run_key_live"));
        }
        let input = message.payload.value.clone();
        let start = Start { run_id: id, key, input, input_hash: [0; 32], parent: None };
        self.begin_run(graph, node, start, message, sink);
    }

    fn intent_by_message(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        operation: u16,
    ) {
        let effect = graph.node(node);
        let Some(found) = crate::intents::operation(graph, node, operation) else {
            return;
        };
        let id = Id::derive(message.id, &effect.name, message.generation, u32::from(operation));
        let topic = intent_topic(&effect.name, &found.name);
        let intent_message = Message {
            id,
            category: Category::Intent,
            origin: Origin::Derived,
            topic,
            causation_id: Some(message.id),
            node: Some(effect.name.clone()),
            time: self.now,
            generation: 0,
            ..message.clone()
        };
        let intent = new_intent(graph, node, operation, intent_message, Owner::Topic);
        let Some(intent) = intent else { return };
        self.derived.push_back(Work::Intent(Box::new(Waiting { what: intent, row: None })));
    }

    fn evaluate(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        sink: &mut Sink,
    ) {
        let found = graph.node(node);
        let Body::Compute(compute) = &found.body else {
            return;
        };
        let mut fuel = self.options.fuel;
        let mut result = None;
        let note = guard::delivered(message, &found.name);
        let done = guard::guarded(&mut *self.guard, note, &mut || {
            let input = &message.payload.value;
            result = Some(onex_kernel::compute::evaluate(compute, input, &mut fuel));
        });
        match (done, result, &compute.publish_topic) {
            (Ok(()), Some(Ok(value)), Some(topic)) => {
                let mut draft =
                    onex_kernel::Draft::new(message.id, found.name.clone(), message.generation);
                draft.publish(topic.clone(), message.key.clone(), value);
                self.send(graph, &found.name, message, draft.decision.messages);
            }
            (Ok(()), Some(Err(fault)), _) => {
                let reason = match fault.code.as_str() {
                    "exceeded" => Reason::Exceeded,
                    "too_large" => Reason::TooLarge,
                    "invalid_input" => Reason::InvalidPayload,
                    _ => Reason::ExpressionError,
                };
                let fault = Fault { reason, detail: fault.message };
                self.dead(graph, Some(node), message, fault, sink);
            }
            (Ok(()), ..) => {}
            (Err(fault), ..) => self.dead(graph, Some(node), message, fault, sink),
        }
    }

    /// A message that a decision sent, now applied.
    pub(crate) fn message(&mut self, waiting: Box<Waiting<Message>>) -> Result<Progress, Corrupt> {
        let graph = self.active.clone();
        let topic = graph.topics.get(&waiting.what.topic);
        let plan = self.plan(&graph, topic, &waiting.what, None);
        let listening = self.listening(topic, &waiting.what);
        if !(self.ready(&plan)? & self.runs_here(&listening)?) {
            return Ok(Progress::Missing(Work::Message(waiting)));
        }
        let mut sink = self.begin_record();
        if let Some(row) = waiting.row {
            sink.delete(row);
        }
        let message = Message { time: self.now, ..waiting.what };
        self.deliver(&graph, &message, plan, &mut sink);
        if topic.is_none() {
            let detail = format!("no contract names the topic {} any more", message.topic).into();
            let fault = Fault { reason: Reason::NoRoute, detail };
            self.dead(&graph, None, &message, fault, &mut sink);
        }
        self.tell_listening(topic, &message, &listening, &mut sink);
        self.end_record(&message, graph.id, sink);
        Ok(Progress::Done)
    }

    /// What every decision of this record may know.
    pub(crate) fn circumstances(&self, sink: &Sink) -> Circumstances {
        Circumstances { now: self.now, offset: sink.offset, fuel: self.options.fuel }
    }
}

/// An entity that is stepped.
#[derive(Debug)]
pub(crate) struct Place {
    pub trigger: u16,
    pub key: Text,
    pub row: RowKey,
}

/// The decision, or why its step came to none.
pub(crate) fn decided(done: Result<(), Fault>, decision: Option<Decision>) -> Decision {
    let decided = done.and_then(|()| decision.ok_or_else(guard::panicked));
    decided.unwrap_or_else(|fault| Decision::new(Verdict::Dead(fault)))
}

/// A message to a topic.
pub(crate) fn derived_message(
    producer: &Text,
    consumed: &Message,
    id: Id,
    topic: Text,
    key: Option<Text>,
    payload: onex_expr::Value,
) -> Message {
    Message {
        id,
        category: category_of(&topic),
        origin: Origin::Derived,
        topic,
        key,
        event_type: None,
        payload: payload.into(),
        correlation_id: consumed.correlation_id,
        causation_id: Some(consumed.id),
        node: Some(producer.clone()),
        time: consumed.time,
        generation: 0,
    }
}
