//! A decision becomes rows, messages and timers: as a whole, in the record of its message.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, NodeIndex, Performer};
use onex_expr::{Text, Value};
use onex_kernel::decision::{Beside, RowWrite, Subject};
use onex_kernel::row::{Owner, Reason};
use onex_kernel::{
    Category, Decision, Id, Intended, Message, Origin, Produced, Published, Verdict,
};

use crate::codec::{Corrupt, row};
use crate::deliver::{Place, derived_message};
use crate::engine::Engine;
use crate::intents::new_intent;
use crate::key::{self, TimerOwner};
use crate::output::RowChange;
use crate::retain::{Entry, Kind, terminals};
use crate::turn::Sink;
use crate::work::{Progress, RunIntent, Tell, TriggerIntent, Waiting, Work};

/// So many messages of one decision are not worth weighing.
const LIGHT_MESSAGES: usize = 16;

impl Engine {
    /// Applies what a reducer decided.
    pub(crate) fn apply_to_entity(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        place: &Place,
        decision: Decision,
        sink: &mut Sink,
    ) {
        let name = graph.node(node).name.clone();
        match &decision.verdict {
            Verdict::Applied => self.count("applied"),
            Verdict::Ignored(reason) => self.count(&format!("ignored:{name}:{reason}")),
            Verdict::Refused { guard, .. } => self.count(&format!("refused:{name}:{guard}")),
            Verdict::Dead(fault) => {
                return self.dead(graph, Some(node), message, fault.clone(), sink);
            }
        }
        for write in decision.writes {
            if let RowWrite::Entity(entity) = write {
                let encoded = row::entity(&entity);
                let length = encoded.len();
                sink.put(place.row.clone(), encoded);
                if entity.since == entity.updated_at
                    && terminals(graph.node(node)).any(|state| *state == entity.state)
                {
                    let entry = Entry::new(entity.updated_at, place.row.clone());
                    self.retained.queue_mut(Kind::Entities).put(entry);
                }
                self.rows.put_entity(place.row.clone(), entity, length);
            }
        }
        let owner = TimerOwner::Entity { node: name.clone(), key: place.key.clone() };
        self.change_timers(&decision.timers, |_| owner.clone(), sink);
        self.besides(graph, None, message, decision.letters, sink);
        self.send(graph, &name, message, decision.messages);
    }

    /// Queues what a decision sends.
    pub(crate) fn send(
        &mut self,
        graph: &Arc<Graph>,
        producer: &Text,
        consumed: &Message,
        messages: Vec<Produced>,
    ) {
        if messages.len() > LIGHT_MESSAGES {
            self.turn.heavy_bytes += messages.iter().map(weight).sum::<usize>();
        }
        for produced in messages {
            let work = match produced {
                Produced::Tell(told) => {
                    let what = Tell { told, cause: consumed.id, from: producer.clone() };
                    Work::Tell(Box::new(Waiting { what, row: None }))
                }
                Produced::Event(event) => {
                    let Published { id, topic, key, payload } = event;
                    let what = derived_message(producer, consumed, id, topic, key, payload);
                    Work::Message(Box::new(Waiting { what, row: None }))
                }
                Produced::Intent(intent) => {
                    let Some(work) = intent_work(graph, producer, consumed, intent) else {
                        continue;
                    };
                    work
                }
            };
            self.derived.push_back(work);
        }
    }

    /// Writes the dead letters beside a delivery's own fate; `run`: the run that decided.
    pub(crate) fn besides(
        &mut self,
        graph: &Arc<Graph>,
        run: Option<Id>,
        message: &Message,
        letters: Vec<Beside>,
        sink: &mut Sink,
    ) {
        for Beside { fault, node, step, subject } in letters {
            match subject {
                Subject::IntentAtHand => self.compensation_letter(message, fault, step, sink),
                Subject::Unsent(event) => {
                    let Published { id, topic, key, payload } = event;
                    let unsent = derived_message(&node, message, id, topic, key, payload);
                    let index = graph.find(&node);
                    match run {
                        Some(run) if fault.reason == Reason::CompensationFailed => {
                            let operation = index
                                .and_then(|index| operation_of_topic(graph, index, &unsent.topic));
                            let performer = (node, operation);
                            self.unsent_letter((run, step), performer, unsent, fault, sink);
                        }
                        _ => self.dead(graph, index, &unsent, fault, sink),
                    }
                }
                Subject::Kept(event) => {
                    if let Some(run) = run {
                        self.run_letter(graph, run, &node, event, fault, sink);
                    }
                }
            }
        }
    }

    /// A new graph: recorded, and used by all that is applied after it.
    pub(crate) fn activate(
        &mut self,
        ticket: crate::Ticket,
        graph: Arc<Graph>,
    ) -> Result<Progress, Corrupt> {
        let digest = Value::text(graph.id.to_string());
        let payload = Value::map([("control", Value::text("activate")), ("graph", digest)]);
        let subject = Id::of_text("", "graph");
        let message = self.own_message(Category::Control, Origin::Control, subject, payload);
        let mut sink = self.begin_record();
        sink.put(key::graph(graph.id), graph.stored.to_vec());
        sink.put(key::ACTIVE_GRAPH.into(), graph.id.0.to_vec());
        self.graphs.insert(graph.id, graph.clone());
        self.active = graph;
        self.align_schedules(&mut sink);
        let offset = sink.offset;
        let id = self.active.id;
        self.end_record(&message, id, sink);
        self.reply(ticket, crate::Reply::Activated { offset });
        Ok(Progress::Done)
    }

    /// What a turn's bound leaves unapplied becomes rows of its last record's frame.
    pub(crate) fn leave_behind(&mut self) {
        if self.derived.is_empty() || self.turn.records.is_empty() {
            return;
        }
        let offset = self.next_offset - 1;
        let mut rows = Vec::new();
        for (index, work) in self.derived.iter_mut().enumerate() {
            let place = key::backlog(offset, index as u32);
            let left = match work {
                Work::Message(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_message(&waiting.what)
                }
                Work::Intent(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_intent(&waiting.what)
                }
                Work::IntentRun(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_run(&waiting.what)
                }
                Work::Trigger(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_trigger(&waiting.what)
                }
                Work::Tell(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_tell(&waiting.what)
                }
                _ => continue,
            };
            rows.push(RowChange { key: place, value: Some(left.into()), fresh: true });
        }
        if let Some(last) = self.turn.records.last_mut() {
            last.rows.extend(rows);
        }
    }
}

/// The operation of an effect whose intents are recorded under a topic.
fn operation_of_topic(graph: &Graph, node: NodeIndex, topic: &str) -> Option<Text> {
    let Body::Effect(effect) = &graph.node(node).body else {
        return None;
    };
    let named = topic.split('.').nth(3)?;
    let names = effect.operations.iter().map(|operation| &operation.name);
    names.clone().find(|name| name.replace(['_', '.'], "-") == named).cloned()
}

/// About how many bytes a message takes.
fn weight(produced: &Produced) -> usize {
    let payload = match produced {
        Produced::Event(event) => &event.payload,
        Produced::Intent(intent) => &intent.payload,
        Produced::Tell(_) => return 0,
    };
    payload.weight(u64::MAX) as usize
}

fn intent_work(
    graph: &Arc<Graph>,
    producer: &Text,
    consumed: &Message,
    intent: Intended,
) -> Option<Work> {
    let Intended { id, generation, topic, key, performer, payload, owner } = intent;
    let message = derived_message(producer, consumed, id, topic, key, payload);
    let message = Message { category: Category::Intent, generation, ..message };
    Some(match performer {
        Performer::Operation(node, operation) => {
            let what = new_intent(graph, node, operation, message, owner)?;
            Work::Intent(Box::new(Waiting { what, row: None }))
        }
        Performer::Run(node) => {
            let step = step_of(graph, producer, &owner).map(|id| (id, owner));
            let what = RunIntent { message, node: graph.node(node).name.clone(), step };
            Work::IntentRun(Box::new(Waiting { what, row: None }))
        }
        Performer::Trigger(node, trigger) => {
            let Body::Reducer(reducer) = &graph.node(node).body else {
                return None;
            };
            let trigger = reducer.triggers.get(usize::from(trigger))?.name.clone();
            let node = graph.node(node).name.clone();
            let what = TriggerIntent { message, node, trigger, owner, stopping: false };
            Work::Trigger(Box::new(Waiting { what, row: None }))
        }
    })
}

/// The id of the step that owns an intent of a run of `orchestrator`.
fn step_of(graph: &Graph, orchestrator: &str, owner: &Owner) -> Option<Text> {
    let Owner::Step { step, .. } = owner else {
        return None;
    };
    match &graph.node(graph.find(orchestrator)?).body {
        Body::Orchestrator(plan) => plan.steps.get(usize::from(*step)).map(|step| step.id.clone()),
        _ => None,
    }
}
