//! `state_machine`, or `state_transitions` as the strict dialect called it.

use std::collections::BTreeSet;

use onex_expr::Text;

use crate::dialect::{
    made::{Made, node},
    reducer::action::{Actions, intents_in},
    reducer::{condition, trigger},
    translate::Translation,
    unguarded,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Translates the machine.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    for key in ["state_machine", "state_transitions"] {
        let Some(section) = fields.get(key) else { continue };
        if made.out.has("state_machine") {
            fields.not_enforced(&["state_transitions"]);
            continue;
        }
        let span = fields.key_span(key);
        if let Some(machine) = machine(fields.reading, section, made) {
            made.out.free("state_machine".into(), &span, machine);
            made.runs |= made.kind == Some(Kind::Reducer);
        }
    }
}

fn machine(reading: &mut Reading<'_, '_>, section: &Node, made: &mut Translation) -> Option<Node> {
    let mut fields = Fields::open(reading, section, "`state_machine`")?;
    let mut out = Made::new(&section.span);
    out.keep(&mut fields, &["state_machine_name", "initial_state", "initial_data", "entity_key"]);
    out.keep(&mut fields, &["on_unhandled", "terminal_states", "error_states"]);
    let actions = Actions::of(section);
    let emitted = section.get("transitions").map(|list| intents_in(list, made)).unwrap_or_default();
    let timed = section.get("states").is_some_and(|states| {
        states.items().iter().any(|state| state.get("timeout_ms").is_some_and(|t| !is_null(t)))
    });
    for (key, read) in [("states", state as Item), ("transitions", transition)] {
        let Some(list) = fields.get(key) else { continue };
        let mut items = Vec::new();
        for item in fields.items(key) {
            let mut machine =
                Machine { made: &mut *made, actions: &actions, emitted: &emitted, timed };
            items.extend(read(fields.reading, item, &mut machine));
        }
        out.put(key, node(Tree::List(items), &list.span));
    }
    fields.descriptive(&["version", "state_machine_version", "subcontract_version", "description"]);
    fields.not_enforced(&MACHINE);
    fields.close();
    Some(out.done())
}

/// What the machine says of persistence and the like, which every machine has here.
const MACHINE: [&str; 13] = [
    "checkpoint_interval_ms",
    "concurrent_transitions_allowed",
    "conflict_resolution_strategy",
    "event_logging_enabled",
    "max_checkpoints",
    "metadata",
    "operations",
    "persistence_enabled",
    "recovery_enabled",
    "rollback_enabled",
    "state_monitoring_enabled",
    "strict_validation_enabled",
    "transition_timeout_ms",
];

type Item = fn(&mut Reading<'_, '_>, &Node, &mut Machine<'_>) -> Option<Node>;

/// What the items of one machine need.
struct Machine<'m> {
    made: &'m mut Translation,
    actions: &'m Actions,
    /// Intents that transitions emit: a state that names them again means the same ones.
    emitted: &'m BTreeSet<Text>,
    /// Whether a state has a timer.
    timed: bool,
}

fn is_null(node: &Node) -> bool {
    matches!(node.tree, Tree::Null)
}

fn state(reading: &mut Reading<'_, '_>, item: &Node, machine: &mut Machine<'_>) -> Option<Node> {
    if matches!(item.tree, Tree::String(_)) {
        return Some(item.clone());
    }
    let mut fields = Fields::open(reading, item, "the state")?;
    let mut out = Made::new(&item.span);
    out.keep(&mut fields, &["state_name"]);
    if let (false, Some(name)) = (out.has("state_name"), fields.get("name")) {
        out.put("state_name", name.clone());
    }
    out.keep(&mut fields, &["description", "is_terminal", "waits"]);
    if fields.get("timeout_ms").is_some() {
        out.keep(&mut fields, &["timeout_ms"]);
    }
    let kind = fields.word("state_type");
    if kind.is_some_and(|kind| kind.as_str() == "terminal") {
        fields.acts(&["state_type"]);
        out.put("is_terminal", node(Tree::Bool(true), &item.span));
    }
    for key in ["entry_actions", "exit_actions"] {
        let list = machine.actions.translate(&mut fields, key, machine.made, machine.emitted);
        if let Some(list) = list {
            out.put(key, list);
        }
    }
    fields.descriptive(&["version", "metadata", "timeout_ms", "name"]);
    fields.not_enforced(&[
        "required_data",
        "optional_data",
        "validation_rules",
        "is_recoverable",
        "semantic_intent",
    ]);
    fields.close();
    Some(out.done())
}

fn transition(
    reading: &mut Reading<'_, '_>,
    item: &Node,
    machine: &mut Machine<'_>,
) -> Option<Node> {
    let mut fields = Fields::open(reading, item, "the transition")?;
    let mut out = Made::new(&item.span);
    out.keep(&mut fields, &["transition_name", "description", "from_state", "to_state"]);
    if let Some(written) = fields.get("trigger") {
        let trigger = trigger::of_transition(fields.reading, written, machine.made, machine.timed);
        out.put("trigger", trigger);
    }
    out.keep(&mut fields, &["priority"]);
    let conditions = condition::all(&mut fields, machine.made);
    if !conditions.is_empty() {
        out.put("conditions", node(Tree::List(conditions), &item.span));
    }
    let none = BTreeSet::new();
    if let Some(list) = machine.actions.translate(&mut fields, "actions", machine.made, &none) {
        out.put("actions", list);
    }
    fields.descriptive(&["version", "metadata"]);
    fields.not_enforced(&[
        "is_atomic",
        "max_retries",
        "retry_delay_ms",
        "retry_enabled",
        "rollback_transitions",
        "timeout_ms",
    ]);
    unguarded::keep(&mut fields, "the transition", &mut out);
    fields.close();
    Some(out.done())
}
