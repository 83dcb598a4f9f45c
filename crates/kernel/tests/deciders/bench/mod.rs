//! A bench for deciders: the rows of a few entities and runs, a clock, and the intents and timers
//! that are open. It applies decisions as an engine would, and performs nothing by itself.

pub mod catalog;

use std::collections::BTreeMap;
use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::graph::{Body, Entry, Graph, NodeIndex, Performer};
use onex_contract::source::Source;
use onex_contract::{check, load_folder};
use onex_expr::{Text, Value};
use onex_kernel::decision::{RowWrite, TimerChange, TimerOf};
use onex_kernel::orchestrate::{self, RunInput, Start};
use onex_kernel::reduce::{self, Delivery};
use onex_kernel::row::{Armed, Ending, Entity, Owner, Run, RunHead, StepRow};
use onex_kernel::{
    Category, Circumstances, Decision, Id, Intended, Message, Micros, Origin, Produced, Tidings,
    Told, Verdict,
};

/// 2026-01-01T00:00:00Z.
const BEGINNING: Micros = Micros(1_767_225_600_000_000);

/// Which run or entity a decision was for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instance {
    Entity(NodeIndex, Text),
    Run(Id),
}

/// One decision and what it was for.
#[derive(Debug)]
pub struct Done {
    pub instance: Option<Instance>,
    pub decision: Decision,
}

/// See the module.
pub struct Bench {
    pub graph: Graph,
    pub now: Micros,
    pub offset: u64,
    pub fuel: u64,
    pub entities: BTreeMap<(NodeIndex, Text), Entity>,
    pub runs: BTreeMap<Id, Run>,
    /// Intents of runs that have not ended, in the order sent.
    pub open: Vec<Intended>,
    pub timers: BTreeMap<(Instance, TimerOf), Armed>,
    messages: u64,
}

/// Checks contracts and links them.
pub fn linked(sources: &[Source]) -> Graph {
    let checked = check(sources, &catalog::catalog(), &HostValues::default());
    checked.graph.unwrap_or_else(|| {
        let grave = checked.diagnostics.iter();
        let grave = grave.filter(|found| found.severity == Severity::Error);
        panic!("the contracts do not link: {:#?}", grave.collect::<Vec<_>>())
    })
}

/// The contracts of a folder.
pub fn graph_of(folder: &Path) -> Graph {
    linked(&load_folder(folder).expect("the folder can be read"))
}

/// The wish that a run be undone, in the shape of an intent: its end is awaited like one.
fn undoing(run: Id, owner: &Owner) -> Intended {
    Intended {
        id: run,
        generation: 0,
        topic: Text::default(),
        key: None,
        performer: Performer::Run(NodeIndex(0)),
        payload: Value::map([("key", Value::text(run.to_string()))]),
        owner: owner.clone(),
    }
}

impl Bench {
    pub fn new(graph: Graph) -> Bench {
        Bench {
            graph,
            now: BEGINNING,
            offset: 0,
            fuel: 1_000_000,
            entities: BTreeMap::new(),
            runs: BTreeMap::new(),
            open: Vec::new(),
            timers: BTreeMap::new(),
            messages: 0,
        }
    }

    pub fn node(&self, name: &str) -> NodeIndex {
        self.graph.find(name).unwrap_or_else(|| panic!("no node is called {name}"))
    }

    pub fn message(&mut self, topic: &str, payload: Value) -> Message {
        self.messages += 1;
        let id = Id::of_text("message", &self.messages.to_string());
        Message {
            id,
            category: Category::Event,
            origin: Origin::External,
            topic: topic.into(),
            key: None,
            event_type: None,
            payload: payload.into(),
            correlation_id: Id::of_text("", "correlation"),
            causation_id: None,
            node: None,
            time: self.now,
            generation: 0,
        }
    }

    /// What the next decision may know.
    pub fn circumstances(&mut self) -> Circumstances {
        self.offset += 1;
        Circumstances { now: self.now, offset: self.offset, fuel: self.fuel }
    }

    /// Delivers a message to every reducer and orchestrator that subscribes to it.
    pub fn publish(&mut self, topic: &str, payload: Value) -> Vec<Done> {
        let message = self.message(topic, payload);
        let subscribers = self
            .graph
            .topics
            .get(topic)
            .map(|topic| topic.subscribers.clone())
            .unwrap_or_else(|| panic!("no contract names the topic {topic}"));
        let mut done = Vec::new();
        for subscriber in subscribers {
            match subscriber.entry {
                Entry::Trigger(trigger) => {
                    done.push(self.reduce(subscriber.node, trigger, &message))
                }
                Entry::Run => done.push(self.begin(subscriber.node, &message)),
                Entry::Operation(_) | Entry::Evaluate => {}
            }
        }
        done
    }

    fn reduce(&mut self, node: NodeIndex, trigger: u16, message: &Message) -> Done {
        let Body::Reducer(reducer) = &self.graph.node(node).body else {
            panic!("a trigger belongs to a reducer");
        };
        let found = &reducer.triggers[usize::from(trigger)];
        match reduce::entity_key(found, message, self.fuel) {
            Ok(key) => self.step(node, trigger, &key, message),
            Err(fault) => Done { instance: None, decision: Decision::new(Verdict::Dead(fault)) },
        }
    }

    fn step(&mut self, node: NodeIndex, trigger: u16, key: &Text, message: &Message) -> Done {
        let at = self.circumstances();
        let place = (node, key.clone());
        let delivery = Delivery { trigger, key, entity: self.entities.get(&place), message };
        let decision = reduce::reduce(&self.graph, node, delivery, &at);
        let instance = Instance::Entity(node, key.clone());
        self.apply(&instance, &decision);
        Done { instance: Some(instance), decision }
    }

    /// Begins a run by a message on a topic.
    fn begin(&mut self, node: NodeIndex, message: &Message) -> Done {
        let input = message.payload.value.clone();
        let key = match orchestrate::run_key(&self.graph, node, message, &input, self.fuel) {
            Ok(key) => key,
            Err(fault) => {
                return Done { instance: None, decision: Decision::new(Verdict::Dead(fault)) };
            }
        };
        let run_id = Id::derive(message.id, &self.graph.node(node).name, 0, u32::MAX);
        let start = Start { run_id, key, input, input_hash: [0; 32], parent: None };
        let at = self.circumstances();
        let decision = orchestrate::begin(&self.graph, node, start, message, &at);
        let instance = Instance::Run(run_id);
        self.apply(&instance, &decision);
        Done { instance: Some(instance), decision }
    }

    /// Starts a run as the API does.
    pub fn start(&mut self, node: &str, input: Value) -> Done {
        let topic = format!("onex.cmd.{}.start.v1", node.replace('_', "-"));
        let message = self.message(&topic, input);
        self.begin(self.node(node), &message)
    }

    /// Fires the timer of an entity or run. It must be armed.
    pub fn fire(&mut self, instance: &Instance, of: TimerOf) -> Done {
        let armed = self.timers.remove(&(instance.clone(), of));
        let armed = armed.unwrap_or_else(|| panic!("{of:?} of {instance:?} is not armed"));
        self.now = self.now.max(armed.due);
        match instance {
            Instance::Run(run) => self.advance(*run, &RunInput::Timer(of)),
            Instance::Entity(node, key) => {
                let entity = self.entities[&(*node, key.clone())].clone();
                let payload = Value::map([
                    ("state", Value::String(entity.state)),
                    ("armed_at", armed.armed_at.to_value()),
                    ("due_at", armed.due.to_value()),
                ]);
                let message = self.message("", payload);
                let Body::Reducer(reducer) = &self.graph.node(*node).body else {
                    panic!("an entity belongs to a reducer");
                };
                let trigger = reducer.timeout_trigger.expect("an armed timer has a trigger");
                self.step(*node, trigger, key, &message)
            }
        }
    }

    /// Delivers a timeout to an entity that another visit armed, as a letter put back may.
    pub fn stale_timeout(&mut self, node: NodeIndex, key: &Text) -> Done {
        let Body::Reducer(reducer) = &self.graph.node(node).body else {
            panic!("an entity belongs to a reducer");
        };
        let trigger = reducer.timeout_trigger.expect("a state has a timeout");
        let due_at = Value::text("2025-01-01T00:00:00Z");
        let message = self.message("", Value::map([("due_at", due_at)]));
        self.step(node, trigger, key, &message)
    }

    /// Ends an intent of a run.
    pub fn end(&mut self, intent: &Intended, ending: &Ending) -> Done {
        self.open.retain(|open| (open.id, open.generation) != (intent.id, intent.generation));
        let Owner::Step { run, step, item, visit, compensation } = intent.owner else {
            panic!("the intent belongs to no run");
        };
        let input = RunInput::Ended { step, item, visit, compensation, intent: intent.id, ending };
        self.advance(run, &input)
    }

    /// Tells a run what happened.
    pub fn advance(&mut self, run: Id, input: &RunInput<'_>) -> Done {
        let message = self.message("", Value::Null);
        self.advance_by(run, input, message)
    }

    /// Lets a run hear an event.
    pub fn hear(&mut self, run: Id, topic: &str, payload: Value) -> Done {
        let message = self.message(topic, payload);
        self.advance_by(run, &RunInput::Event, message)
    }

    fn advance_by(&mut self, run: Id, input: &RunInput<'_>, message: Message) -> Done {
        let at = self.circumstances();
        let found = &self.runs[&run];
        let node = self.node(&found.head.node);
        let decision = orchestrate::advance(&self.graph, node, found, input.clone(), &message, &at);
        let instance = Instance::Run(run);
        self.apply(&instance, &decision);
        Done { instance: Some(instance), decision }
    }

    fn apply(&mut self, instance: &Instance, decision: &Decision) {
        if matches!(decision.verdict, Verdict::Dead(_)) {
            return;
        }
        for write in &decision.writes {
            match (write, instance) {
                (RowWrite::Entity(entity), Instance::Entity(node, key)) => {
                    self.entities.insert((*node, key.clone()), entity.clone());
                }
                (_, Instance::Run(run)) => self.apply_to_run(*run, write),
                (write, _) => panic!("{write:?} is no row of {instance:?}"),
            }
        }
        for change in &decision.timers {
            match *change {
                TimerChange::Arm(of, armed) => {
                    self.timers.insert((instance.clone(), of), armed);
                }
                TimerChange::Disarm(of, armed) => {
                    let place = (instance.clone(), of);
                    if self.timers.get(&place) == Some(&armed) {
                        self.timers.remove(&place);
                    }
                }
            }
        }
        for produced in &decision.messages {
            match produced {
                Produced::Intent(intent) if matches!(intent.owner, Owner::Step { .. }) => {
                    self.open.push(intent.clone());
                }
                Produced::Tell(Told { run, what: Tidings::Undo(owner) }) => {
                    self.open.push(undoing(*run, owner));
                }
                _ => {}
            }
        }
    }

    fn apply_to_run(&mut self, id: Id, write: &RowWrite) {
        if let RowWrite::Head(head) = write
            && !self.runs.contains_key(&id)
        {
            let node = self.node(&head.node);
            let Body::Orchestrator(plan) = &self.graph.node(node).body else {
                panic!("a run belongs to an orchestrator");
            };
            let run = Run {
                head: RunHead::clone(head),
                steps: plan.steps.iter().map(|_| StepRow::pending()).collect(),
                items: BTreeMap::new(),
                events: BTreeMap::new(),
            };
            self.runs.insert(id, run);
        }
        let run = self.runs.get_mut(&id).expect("a run's head comes first");
        match write {
            RowWrite::Head(head) => run.head = RunHead::clone(head),
            RowWrite::Step(step, row) => run.steps[usize::from(*step)] = StepRow::clone(row),
            RowWrite::Item(step, item, row) => {
                run.items.insert((*step, *item), row.clone());
            }
            RowWrite::Event(at, Some(event)) => {
                run.events.insert(*at, event.clone());
            }
            RowWrite::Event(at, None) => {
                run.events.remove(at);
            }
            RowWrite::ClearItems(step) => run.items.retain(|(of, _), _| of != step),
            RowWrite::Entity(_) => panic!("an entity's row is none of a run"),
        }
    }
}
