//! What there is to draw: nodes with what is inside them, topics, and who is joined to whom.
//!
//! It is made of contracts as read, not of the linked graph, so that a system in which something
//! is wrong can be looked at too.

use std::collections::BTreeSet;

use onex_expr::Value;

use crate::catalog::{Catalog, HostValues};
use crate::findings::Findings;
use crate::graph::Kind;
use crate::model::{ActionWork, Contract, From, StateMachine, Transition, TriggerRef, Workflow};
use crate::parsed;
use crate::source::Source;
use crate::system::System;
use crate::yaml::Node as Tree;

/// A system.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Every node, by name.
    pub nodes: Vec<Node>,
    /// Every topic, by name.
    pub topics: Vec<Topic>,
    /// Who is joined to whom, in a stable order.
    pub edges: Vec<Edge>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Semantic version.
    pub version: String,
    /// What its contract says of it.
    pub description: String,
    /// States, steps or operations.
    pub parts: Vec<Part>,
    /// Ways between parts.
    pub ways: Vec<Way>,
}

/// A state, step or operation.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it is or does, in a few words; may be empty.
    pub note: String,
    /// Where something begins: the initial state, a first step.
    pub is_first: bool,
    /// Where something ends: a terminal state.
    pub is_last: bool,
}

/// A transition, or that one step waits for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Index of the part it leaves.
    pub from: usize,
    /// Index of the part it leads to.
    pub to: usize,
    /// What begins it; empty between steps.
    pub label: String,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What it carries, as plain JSON Schema, when anybody says so.
    pub schema: Option<Value>,
    /// The name of that schema.
    pub schema_name: Option<String>,
    /// Nothing in the system publishes it.
    pub is_entry: bool,
    /// Nothing in the system hears it.
    pub is_exit: bool,
}

/// What one thing has to do with another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// A node hears a topic.
    Hears {
        /// The topic.
        topic: String,
        /// The node.
        node: String,
    },
    /// A node publishes to a topic.
    Publishes {
        /// The node.
        node: String,
        /// The topic.
        topic: String,
    },
    /// A node sends an intent that another performs.
    Intent {
        /// Who sends it.
        from: String,
        /// Who performs it.
        to: String,
        /// Its type.
        intent: String,
    },
    /// A step of a node is done by another node.
    Calls {
        /// Whose step.
        from: String,
        /// Who does it.
        to: String,
        /// What is done: an operation, or nothing.
        what: String,
    },
}

impl Picture {
    /// What these contracts make, as far as they can be read.
    pub fn of(sources: &[Source]) -> Picture {
        let (catalog, host) = (Catalog::default(), HostValues::default());
        let mut findings = Findings::new(sources);
        let parsed = parsed::all(sources, &host, &mut findings);
        let contracts = parsed.iter().filter_map(|parsed| crate::read(parsed, &mut findings));
        let contracts = contracts.collect();
        let system = System::new(contracts, &catalog, &host, &mut findings);
        Picture {
            nodes: system.contracts.iter().map(node).collect(),
            topics: topics(&system),
            edges: edges(&system),
        }
    }
}

fn node(contract: &Contract<'_>) -> Node {
    let (parts, ways) = match (&contract.state_machine, &contract.workflow) {
        (Some(machine), _) => (states(machine), transitions(machine)),
        (_, Some(workflow)) => (steps(contract, workflow), waits(workflow)),
        _ => (operations(contract), Vec::new()),
    };
    Node {
        name: contract.name.as_str().to_owned(),
        kind: contract.kind.value,
        version: contract.version.to_string(),
        description: contract.description.to_string(),
        parts,
        ways,
    }
}

fn states(machine: &StateMachine<'_>) -> Vec<Part> {
    let initial = machine.initial_state.as_ref().map(|word| word.as_str());
    let note = |timeout: &Option<crate::model::Data<'_>>| {
        let value = timeout.as_ref().map(|data| data.node.to_value());
        match value {
            Some(Value::Int(millis)) => duration(millis),
            Some(Value::String(_)) => "computed timeout".to_owned(),
            _ => String::new(),
        }
    };
    let part = |state: &crate::model::State<'_>| Part {
        name: state.name.as_str().to_owned(),
        note: note(&state.timeout_ms),
        is_first: initial == Some(state.name.as_str()),
        is_last: state.terminal,
    };
    machine.states.iter().map(part).collect()
}

/// Milliseconds in the largest unit that divides them.
fn duration(millis: i64) -> String {
    match millis {
        _ if millis % 3_600_000 == 0 => format!("{} h", millis / 3_600_000),
        _ if millis % 60_000 == 0 => format!("{} min", millis / 60_000),
        _ if millis % 1000 == 0 => format!("{} s", millis / 1000),
        _ => format!("{millis} ms"),
    }
}

/// Transitions that lead somewhere, those between the same states joined in one way.
fn transitions(machine: &StateMachine<'_>) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    for transition in &machine.transitions {
        let to = transition.to.as_ref().and_then(|to| machine.find(to.as_str()));
        let Some(to) = to else { continue };
        let label = label(transition);
        for from in starts(machine, transition) {
            match ways.iter_mut().find(|way| (way.from, way.to) == (from, to)) {
                Some(way) if way.label.split(", ").any(|part| part == label) => {}
                Some(way) => way.label = format!("{}, {label}", way.label),
                None => ways.push(Way { from, to, label: label.clone() }),
            }
        }
    }
    ways
}

fn label(transition: &Transition<'_>) -> String {
    match &transition.trigger {
        TriggerRef::Name(name) => name.as_str().to_owned(),
        TriggerRef::Topic { topic, .. } => event(topic.as_str()),
    }
}

/// The event and version of a topic; the whole topic when it has another form.
pub(super) fn event(topic: &str) -> String {
    match topic.split('.').collect::<Vec<_>>().as_slice() {
        [_, _, _, event, _] => (*event).to_owned(),
        _ => topic.to_owned(),
    }
}

fn starts(machine: &StateMachine<'_>, transition: &Transition<'_>) -> Vec<usize> {
    match &transition.from {
        From::States(names) => {
            names.iter().filter_map(|name| machine.find(name.as_str())).collect()
        }
        From::Any(_) => {
            let open = machine.states.iter().enumerate().filter(|(_, state)| !state.terminal);
            open.map(|(index, _)| index).collect()
        }
    }
}

fn steps(contract: &Contract<'_>, workflow: &Workflow<'_>) -> Vec<Part> {
    let trees = steps_as_written(contract.root);
    let part = |(index, step): (usize, &crate::model::GraphNode<'_>)| Part {
        name: step.id.as_str().to_owned(),
        note: trees.get(index).map(does).unwrap_or_default(),
        is_first: step.depends_on.is_empty(),
        is_last: !workflow
            .nodes
            .iter()
            .any(|other| other.depends_on.iter().any(|id| id.value == step.id.value)),
    };
    workflow.nodes.iter().enumerate().map(part).collect()
}

fn steps_as_written(root: &Tree) -> &[Tree] {
    let path = ["workflow_coordination", "workflow_definition", "execution_graph", "nodes"];
    path.iter().try_fold(root, |node, key| node.get(key)).map_or(&[], Tree::items)
}

/// What a step does, in a few words: `stock.reserve for each`.
fn does(step: &Tree) -> String {
    let Some(config) = step.get("step_config") else {
        return String::new();
    };
    let text = |key: &str| config.get(key).and_then(Tree::as_str);
    let node = ["effect_node", "compute_node", "reducer_node", "workflow"];
    let called = node.iter().find_map(|key| text(key));
    let mut words = match (called, text("publish"), config.get("wait_for_event")) {
        (Some(node), ..) => match text("operation").or_else(|| text("trigger")) {
            Some(what) => format!("{node}.{what}"),
            None => node.to_owned(),
        },
        (_, Some(topic), _) => format!("publish {}", event(topic)),
        (.., Some(wait)) => {
            let topic = wait.get("topic").and_then(Tree::as_str).unwrap_or_default();
            format!("wait for {}", event(topic))
        }
        _ if config.get("wait_ms").is_some() => "wait".to_owned(),
        _ => String::new(),
    };
    if config.get("for_each").is_some() {
        words.push_str(" for each");
    }
    words
}

fn waits(workflow: &Workflow<'_>) -> Vec<Way> {
    let mut ways = Vec::new();
    for (to, step) in workflow.nodes.iter().enumerate() {
        let before = step.depends_on.iter().filter_map(|id| workflow.find(id.as_str()));
        ways.extend(before.map(|from| Way { from, to, label: String::new() }));
    }
    ways
}

fn operations(contract: &Contract<'_>) -> Vec<Part> {
    let operations = contract.effect.iter().flat_map(|effect| &effect.operations);
    let part = |name: &str, note: &str| Part {
        name: name.to_owned(),
        note: note.to_owned(),
        is_first: false,
        is_last: false,
    };
    let pipeline = contract.compute.iter().flat_map(|compute| &compute.steps);
    operations
        .map(|operation| part(operation.name.as_str(), operation.io.kind.as_str()))
        .chain(pipeline.map(|step| part(step.name.as_str(), "")))
        .collect()
}

fn topics(system: &System<'_>) -> Vec<Topic> {
    let topic = |(name, uses): (&onex_expr::Text, &crate::system::TopicUse)| {
        let wanted = || {
            let entries = system.contracts.iter().flat_map(|c| &c.event_bus.subscribe);
            let mut entries = entries.filter(|entry| entry.topic.value == *name);
            entries.find_map(|entry| system.schema_of(entry.payload.as_ref()))
        };
        let schema = system.producer_schema(name).or_else(wanted);
        Topic {
            name: name.to_string(),
            schema: schema.map(|schema| schema.document().clone()),
            schema_name: schema.and_then(|schema| schema.name()).map(str::to_owned),
            is_entry: uses.producers.is_empty(),
            is_exit: uses.consumers.is_empty(),
        }
    };
    system.topics.iter().map(topic).collect()
}

fn edges(system: &System<'_>) -> Vec<Edge> {
    let mut edges = BTreeSet::new();
    for (topic, uses) in &system.topics {
        for consumer in &uses.consumers {
            let node = system.contracts[consumer.node].name.as_str().to_owned();
            edges.insert(Edge::Hears { topic: topic.to_string(), node });
        }
        for at in &uses.producers {
            let owner = system.contracts.iter().find(|c| c.name.at.file == at.file);
            edges.extend(owner.map(|contract| Edge::Publishes {
                node: contract.name.as_str().to_owned(),
                topic: topic.to_string(),
            }));
        }
    }
    for contract in &system.contracts {
        intents(system, contract, &mut edges);
        calls(contract, &mut edges);
    }
    edges.into_iter().collect()
}

fn intents(system: &System<'_>, contract: &Contract<'_>, edges: &mut BTreeSet<Edge>) {
    for action in contract.state_machine.iter().flat_map(|machine| machine.actions()) {
        let ActionWork::Intent { intent_type, .. } = &action.work else {
            continue;
        };
        let uses = system.intents.get(&intent_type.value);
        for performer in uses.iter().flat_map(|uses| &uses.performers) {
            edges.insert(Edge::Intent {
                from: contract.name.as_str().to_owned(),
                to: system.contracts[performer.node].name.as_str().to_owned(),
                intent: intent_type.as_str().to_owned(),
            });
        }
    }
}

fn calls(contract: &Contract<'_>, edges: &mut BTreeSet<Edge>) {
    for step in steps_as_written(contract.root) {
        let config = step.get("step_config");
        let undone = step.get("compensation");
        let done_by = config.and_then(|config| {
            let keys = ["effect_node", "compute_node", "reducer_node", "workflow"];
            keys.iter().find_map(|key| config.get(key)?.as_str())
        });
        let undone_by = undone.and_then(|undone| undone.get("effect_node")?.as_str()).or(done_by);
        for (part, to) in [(config, done_by), (undone, undone_by)] {
            let (Some(part), Some(to)) = (part.filter(|part| part.as_str().is_none()), to) else {
                continue;
            };
            let what = part.get("operation").and_then(Tree::as_str).unwrap_or_default();
            edges.insert(Edge::Calls {
                from: contract.name.as_str().to_owned(),
                to: to.to_owned(),
                what: what.to_owned(),
            });
        }
    }
}

/// The word for a kind of node.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Effect => "effect",
        Kind::Compute => "compute",
        Kind::Reducer => "reducer",
        Kind::Orchestrator => "orchestrator",
    }
}
