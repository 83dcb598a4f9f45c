//! `*_seconds`: where the language has milliseconds, older files may say seconds, whole or not. They
//! become milliseconds before anything is translated, so that every feature knows one key.

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// Sections in which a duration acts.
const SECTIONS: [&str; 10] = [
    "descriptor",
    "effect",
    "effect_operations",
    "error_handling",
    "retry_policy",
    "state_machine",
    "state_transitions",
    "workflow_coordination",
    "workflow_steps",
    "workflows",
];

/// Keys, and the durations in what stands under each.
const PLACES: [(&str, &[Duration]); 16] = [
    ("circuit_breaker", BREAKER),
    ("coordination_rules", &[TIMEOUT, STEP_TIMEOUT, RETRY_BACKOFF]),
    ("default_circuit_breaker", BREAKER),
    ("default_retry_policy", RETRY),
    ("descriptor", &[TIMEOUT]),
    ("effect", &[OPERATION_TIMEOUT]),
    ("io_config", &[TIMEOUT]),
    ("nodes", &[TIMEOUT]),
    ("operations", &[OPERATION_TIMEOUT]),
    ("retry_policy", RETRY),
    ("states", &[TIMEOUT]),
    ("step_config", &[WAIT]),
    ("steps", &[TIMEOUT]),
    ("wait_for_event", &[TIMEOUT]),
    ("workflow_metadata", &[TIMEOUT]),
    ("workflow_steps", &[TIMEOUT]),
];

/// A key in seconds, and the one in milliseconds.
type Duration = (&'static str, &'static str);

const TIMEOUT: Duration = ("timeout_seconds", "timeout_ms");
const STEP_TIMEOUT: Duration = ("step_timeout_seconds", "step_timeout_ms");
const OPERATION_TIMEOUT: Duration = ("operation_timeout_seconds", "operation_timeout_ms");
const RETRY_BACKOFF: Duration = ("retry_backoff_seconds", "retry_backoff_ms");
const WAIT: Duration = ("wait_seconds", "wait_ms");
const BREAKER: &[Duration] = &[TIMEOUT, ("reset_timeout_seconds", "reset_timeout_ms")];
const RETRY: &[Duration] = &[
    ("base_delay_seconds", "base_delay_ms"),
    ("initial_delay_seconds", "initial_delay_ms"),
    ("max_delay_seconds", "max_delay_ms"),
];

/// Keys below which no key is of the language.
const DATA: [&str; 9] = [
    "body",
    "body_template",
    "headers",
    "initial_data",
    "input",
    "input_schema",
    "metadata",
    "payload",
    "result",
];

/// The file with every duration in milliseconds.
pub(super) fn in_ms(reading: &mut Reading<'_, '_>, root: &Node) -> Node {
    let Tree::Map(entries) = &root.tree else { return root.clone() };
    let entries = entries.iter().map(|entry| match SECTIONS.contains(&entry.key.as_str()) {
        true => below(reading, entry),
        false => entry.clone(),
    });
    Node { tree: Tree::Map(entries.collect()), ..root.clone() }
}

fn below(reading: &mut Reading<'_, '_>, entry: &Entry) -> Entry {
    if DATA.contains(&entry.key.as_str()) {
        return entry.clone();
    }
    Entry { value: value(reading, &entry.value, &entry.key), ..entry.clone() }
}

/// A value below a key.
fn value(reading: &mut Reading<'_, '_>, node: &Node, key: &str) -> Node {
    let tree = match &node.tree {
        Tree::List(items) => {
            Tree::List(items.iter().map(|item| value(reading, item, key)).collect())
        }
        Tree::Map(entries) => {
            let place = PLACES.iter().find(|(place, _)| *place == key);
            let durations = place.map_or(&[][..], |(_, durations)| durations);
            let each = |entry| match durations.iter().find(|(old, _)| entry_is(entry, old)) {
                Some((_, new)) => duration(reading, entry, new, node),
                None => Some(below(reading, entry)),
            };
            Tree::Map(entries.iter().filter_map(each).collect())
        }
        other => other.clone(),
    };
    Node { tree, ..node.clone() }
}

fn entry_is(entry: &Entry, key: &str) -> bool {
    entry.key == key
}

/// A duration under its new key; `None` where that is given besides, which counts.
fn duration(
    reading: &mut Reading<'_, '_>,
    entry: &Entry,
    new: &'static str,
    mapping: &Node,
) -> Option<Entry> {
    if let Some(given) = mapping.entries().iter().find(|entry| entry.key == new) {
        let (at, given) = (reading.at(&entry.key_span), reading.at(&given.key_span));
        let message = format!("`{}` was also given as `{new}`, which counts", entry.key);
        let found = reading.findings.error(code::DUPLICATE_KEY, at, message);
        found.related(given, "this one counts").help("keep one of the two");
        let message = format!("`{}` has no effect here: `{new}` counts", entry.key);
        reading.findings.note(code::NOT_ENFORCED, at, message);
        return None;
    }
    let tree = match &entry.value.tree {
        Tree::Int(seconds) => Tree::Int(seconds.saturating_mul(MS)),
        Tree::Double(seconds) => Tree::Int((seconds * MS as f64).round() as i64),
        Tree::Null => Tree::Null,
        _ => {
            let what = format!("`{}`", entry.key);
            reading.wrong_type(&entry.value, &what, "a number of seconds");
            // What no duration is: the normal form refuses it, too.
            Tree::List(vec![entry.value.clone()])
        }
    };
    let value = Node { tree, ..entry.value.clone() };
    Some(Entry { key: new.into(), value, ..entry.clone() })
}

/// Milliseconds of a second.
const MS: i64 = 1000;
