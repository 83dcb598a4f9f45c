//! `fsm` and `fsm_states`: states with the names of those that may follow. Whatever follows is its
//! own trigger.

use onex_expr::Text;

use crate::dialect::{
    made::{Made, node, text},
    reducer::trigger,
    translate::Translation,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Translates the first list of states there is.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let is_reducer = made.kind == Some(Kind::Reducer);
    for key in ["fsm", "fsm_states"] {
        let Some(section) = fields.get(key) else { continue };
        let states = states_of(section);
        if !is_reducer || made.out.has("state_machine") || states.is_empty() {
            fields.not_enforced(if key == "fsm" { &["fsm"] } else { &["fsm_states"] });
            continue;
        }
        let span = fields.key_span(key);
        let machine = machine(fields.reading, section, states, made);
        made.out.free("state_machine".into(), &span, machine);
        made.runs = true;
    }
    fields.not_enforced(&["fsm_tracking"]);
}

fn states_of(section: &Node) -> &[Node] {
    match &section.tree {
        Tree::List(items) => items,
        _ => section.get("states").map_or(&[], Node::items),
    }
}

/// A state, as a text or a mapping.
struct State {
    name: Text,
    at: std::ops::Range<usize>,
    description: Option<Node>,
    next: Vec<(Text, std::ops::Range<usize>)>,
}

fn machine(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    items: &[Node],
    made: &mut Translation,
) -> Node {
    let states: Vec<State> = items.iter().filter_map(|item| state(reading, item)).collect();
    let mut out = Made::new(&section.span);
    if let Tree::Map(_) = section.tree
        && let Some(mut fields) = Fields::open(reading, section, "the list of states")
    {
        out.keep(&mut fields, &["initial_state"]);
        fields.descriptive(&["states", "version", "name", "description"]);
        fields.not_enforced(&["metadata", "tracking", "persistence", "transitions"]);
        fields.close();
    }
    if let Some(first) = states.first() {
        out.text("initial_state", first.name.clone(), &first.at);
    }
    let mut listed = Vec::new();
    let mut transitions = Vec::new();
    for state in &states {
        let mut entry = Made::new(&state.at);
        entry.text("state_name", state.name.clone(), &state.at);
        if let Some(description) = &state.description {
            entry.put("description", description.clone());
        }
        if state.next.is_empty() {
            entry.put("is_terminal", node(Tree::Bool(true), &state.at));
        }
        listed.push(entry.done());
        for (next, at) in &state.next {
            let trigger = trigger::of_state(reading, &text(next.clone(), at), made);
            let mut transition = Made::new(at);
            transition.text("from_state", state.name.clone(), at);
            transition.text("to_state", next.clone(), at);
            transition.put("trigger", trigger);
            transitions.push(transition.done());
        }
    }
    out.put("states", node(Tree::List(listed), &section.span));
    out.put("transitions", node(Tree::List(transitions), &section.span));
    out.done()
}

fn state(reading: &mut Reading<'_, '_>, item: &Node) -> Option<State> {
    if let Tree::String(name) = &item.tree {
        let (name, at) = (name.clone(), item.span.clone());
        return Some(State { name, at, description: None, next: Vec::new() });
    }
    let mut fields = Fields::open(reading, item, "the state")?;
    let name = fields.word("name").or_else(|| fields.word("state_name"));
    let mut next = Vec::new();
    for item in fields.items("transitions") {
        let target = ["to", "to_state", "target"].iter().find_map(|key| item.get(key));
        let target = target.unwrap_or(item);
        next.extend(fields.reading.word(target, "a next state"));
    }
    let description = fields.get("description").cloned();
    fields.not_enforced(&["actions", "metadata", "timeout_ms", "on_enter", "on_exit"]);
    fields.close();
    let name = name?;
    let next = next.into_iter().map(|word| (word.value, word.at.span())).collect();
    Some(State { name: name.value, at: name.at.span(), description, next })
}
