//! `terminal_event`, and `runtime_dispatch.terminal_events`: the message that ends a run, which is
//! `outcomes.completed` of the normal form.

use crate::dialect::{made::Made, topic, translate::Translation};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::yaml::{Entry, Node, Tree};

/// Puts the outcome into a translated section that has none.
pub(super) fn put(
    fields: &mut Fields<'_, '_, '_, '_>,
    section: Node,
    made: &mut Translation,
) -> Node {
    let Some(written) = said(fields.node()).filter(|_| made.kind == Some(Kind::Orchestrator))
    else {
        return section;
    };
    let has_outcome = section.get("workflow_definition").is_some_and(|definition| {
        definition.get("outcomes").is_some_and(|outcomes| outcomes.get("completed").is_some())
    });
    if has_outcome {
        return section;
    }
    let Some(topic) = topic::topic(fields.reading, written, made.is_strict) else {
        return section;
    };
    fields.descriptive(&["terminal_event"]);
    let at = &written.span;
    made.topics.tell(topic.clone(), at);
    let mut event = Made::new(at);
    event.text("event", topic, at);
    within(section, &["workflow_definition", "outcomes"], "completed", event.done())
}

/// Notes what ends no run.
pub(super) fn note(fields: &mut Fields<'_, '_, '_, '_>) {
    if !fields.knows("terminal_event") {
        fields.not_enforced(&["terminal_event"]);
    }
}

/// The topic, where one is named: of several, which one ends the run is not said.
fn said(root: &Node) -> Option<&Node> {
    let named = |node: &'static str| root.get(node);
    let listed = || match named("runtime_dispatch")?.get("terminal_events")?.items() {
        [only] => Some(only),
        _ => None,
    };
    let inner = || {
        let definition = named("workflow_coordination")?.get("workflow_definition")?;
        definition.get("terminal_event")
    };
    let written = named("terminal_event").or_else(inner).or_else(listed)?;
    written.get("topic").or(Some(written)).filter(|node| matches!(node.tree, Tree::String(_)))
}

/// The mapping with a value at the end of a path of keys, which are made where they are missing.
fn within(mut mapping: Node, path: &[&'static str], key: &'static str, value: Node) -> Node {
    let at = value.span.clone();
    let (key, value) = match path {
        [] => (key, value),
        [first, rest @ ..] => {
            let empty = || Made::new(&at).done();
            let inner = mapping.get(first).cloned().unwrap_or_else(empty);
            (*first, within(inner, rest, key, value))
        }
    };
    if let Tree::Map(entries) = &mut mapping.tree {
        entries.retain(|entry| entry.key != key);
        entries.push(Entry { key: key.into(), key_span: at, value });
    }
    mapping
}
