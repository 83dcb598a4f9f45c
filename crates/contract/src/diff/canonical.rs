//! One spelling for what means the same, so that only a change of meaning is a change. Each node
//! keeps the place where it was written.

use crate::section::version_text;
use crate::yaml::{Entry, Node, Tree};

/// Values that mean the same as saying nothing, by the end of their path.
const DEFAULTS: &[(&str, Default)] = &[
    ("transitions.priority", Default::Number(0)),
    ("conditions.required", Default::Truth(true)),
    ("states.is_terminal", Default::Truth(false)),
    ("state_machine.on_unhandled", Default::Word("dead_letter")),
    ("schedules.missed", Default::Word("one")),
    ("schedules.timezone", Default::Word("UTC")),
    ("operations.ordered", Default::Truth(true)),
    ("operations.operation_timeout_ms", Default::Number(30_000)),
    ("io_config.timeout_ms", Default::Number(10_000)),
    ("retry_policy.enabled", Default::Truth(true)),
    ("circuit_breaker.enabled", Default::Truth(false)),
    ("pipeline.enabled", Default::Truth(true)),
    ("nodes.error_action", Default::Word("stop")),
    ("step_config.max_parallel", Default::Number(1)),
    ("workflow_metadata.execution_mode", Default::Word("parallel")),
    ("coordination_rules.execution_mode", Default::Word("parallel")),
    ("coordination_rules.failure_recovery_strategy", Default::Word("fail_fast")),
];

enum Default {
    Number(i64),
    Truth(bool),
    Word(&'static str),
}

/// Lists whose items may be a text that stands for a mapping of one key.
const SHORT_FORMS: &[(&str, &str)] =
    &[("subscribe_topics", "topic"), ("publish_topics", "topic"), ("states", "state_name")];

/// Keys that may hold one text or a list.
const LISTS: &[&str] = &["depends_on", "subscribed_intents"];

/// A contract in one spelling.
pub(super) fn canonical(root: &Node) -> Node {
    let mut root = of("", root);
    if let Some(version) = entry(&mut root, "contract_version")
        && let Some(text) = version_text(&version.value)
    {
        version.value.tree = Tree::String(text);
    }
    if let Some(machine) = entry(&mut root, "state_machine") {
        state_machine(&mut machine.value);
    }
    root
}

fn of(under: &str, node: &Node) -> Node {
    let tree = match &node.tree {
        Tree::Map(entries) => {
            let kept = entries.iter().filter(|entry| !says_nothing(under, entry));
            Tree::Map(kept.map(spelled).collect())
        }
        Tree::List(items) => Tree::List(items.iter().map(|item| item_of(under, item)).collect()),
        other => other.clone(),
    };
    Node { tree, ..node.clone() }
}

fn spelled(written: &Entry) -> Entry {
    let key = if written.key == "payload_schema" { "payload".into() } else { written.key.clone() };
    let mut value = of(&key, &written.value);
    if LISTS.contains(&key.as_str()) && matches!(value.tree, Tree::String(_)) {
        value = Node { tree: Tree::List(vec![value.clone()]), ..value };
    }
    Entry { key, key_span: written.key_span.clone(), value }
}

fn item_of(list: &str, item: &Node) -> Node {
    let short = SHORT_FORMS.iter().find(|(name, _)| *name == list);
    match (short, &item.tree) {
        (Some((_, key)), Tree::String(_)) => map_of(key, item.clone(), item),
        _ => of(list, item),
    }
}

fn map_of(key: &str, value: Node, at: &Node) -> Node {
    let entry = Entry { key: key.into(), key_span: at.span.clone(), value };
    Node { tree: Tree::Map(vec![entry]), text_map: None, quoted: false, span: at.span.clone() }
}

fn says_nothing(under: &str, entry: &Entry) -> bool {
    if matches!(entry.value.tree, Tree::Null) {
        // Null is data where data may stand, and the choice of no body.
        return !matches!(under, "io_config" | "config" | "initial_data" | "set" | "payload");
    }
    let is_default = |default: &Default| match (default, &entry.value.tree) {
        (Default::Number(wanted), Tree::Int(value)) => wanted == value,
        (Default::Truth(wanted), Tree::Bool(value)) => wanted == value,
        (Default::Word(wanted), Tree::String(value)) => wanted == value,
        _ => false,
    };
    DEFAULTS.iter().any(|(path, default)| {
        path.split_once('.') == Some((under, entry.key.as_str())) && is_default(default)
    })
}

/// `terminal_states` as `is_terminal` of each, and a transition from several states as several.
fn state_machine(machine: &mut Node) {
    let Tree::Map(entries) = &mut machine.tree else {
        return;
    };
    let terminal = entries.iter().position(|entry| entry.key == "terminal_states");
    let terminal = terminal.map(|at| entries.remove(at).value);
    let terminal: Vec<&str> =
        terminal.iter().flat_map(|list| list.items()).filter_map(Node::as_str).collect();
    for entry in entries {
        let Tree::List(items) = &mut entry.value.tree else {
            continue;
        };
        match entry.key.as_str() {
            "states" => items.iter_mut().for_each(|state| mark(state, &terminal)),
            "transitions" => *items = items.iter().flat_map(one_a_state).collect(),
            _ => {}
        }
    }
}

fn mark(state: &mut Node, terminal: &[&str]) {
    let name = state.get("state_name").and_then(Node::as_str);
    let listed = name.is_some_and(|name| terminal.contains(&name));
    if !listed || state.get("is_terminal").is_some() {
        return;
    }
    let truth = Node { tree: Tree::Bool(true), ..state.clone() };
    let key_span = state.span.clone();
    if let Tree::Map(entries) = &mut state.tree {
        entries.push(Entry { key: "is_terminal".into(), key_span, value: truth });
    }
}

fn one_a_state(transition: &Node) -> Vec<Node> {
    let states = transition.get("from_state").map_or(&[][..], Node::items);
    if states.is_empty() {
        return vec![transition.clone()];
    }
    let from = |state: &Node| {
        let mut one = transition.clone();
        if let Some(written) = entry(&mut one, "from_state") {
            written.value = state.clone();
        }
        one
    };
    states.iter().map(from).collect()
}

fn entry<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Entry> {
    match &mut node.tree {
        Tree::Map(entries) => entries.iter_mut().find(|entry| entry.key == key),
        _ => None,
    }
}
