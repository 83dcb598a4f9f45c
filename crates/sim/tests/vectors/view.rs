//! What came of a vector, as values to compare.

use onex_contract::graph::Body;
use onex_engine::codec::{record, row};
use onex_engine::key;
use onex_expr::{Key, Value};
use onex_kernel::Id;
use onex_kernel::row::{Failure, Letter, RunHead, StepRow};
use onex_store::{RowBytes, RowKey, Store};

use crate::host::Host;

/// Whether a value is as expected: of a map what is named, of a list every item; a text that begins
/// with `~` is contained; null is absent or null; numbers are compared as numbers.
pub fn fits(expected: &Value, found: Option<&Value>, place: &str) -> Result<(), String> {
    let said = || found.map_or("nothing".to_owned(), Value::to_json);
    let wrong = || Err(format!("{place}: expected {}, found {}", expected.to_json(), said()));
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    };
    match (expected, found) {
        (Value::Null, None | Some(Value::Null)) => Ok(()),
        (Value::String(part), Some(Value::String(text))) if part.starts_with('~') => {
            if text.contains(&part[1..]) { Ok(()) } else { wrong() }
        }
        (Value::Map(wanted), Some(found @ Value::Map(_))) => {
            for (key, wanted) in wanted.iter() {
                let name = key.as_str().unwrap_or_default();
                fits(wanted, found.get(name), &format!("{place}.{name}"))?;
            }
            Ok(())
        }
        (Value::List(wanted), Some(Value::List(items))) => {
            if wanted.len() != items.len() {
                return wrong();
            }
            for (at, (wanted, item)) in wanted.iter().zip(items.iter()).enumerate() {
                fits(wanted, Some(item), &format!("{place}[{at}]"))?;
            }
            Ok(())
        }
        (expected, Some(found)) if number(expected).is_some() => {
            if number(expected) == number(found) { Ok(()) } else { wrong() }
        }
        // The short form of a step: its status alone.
        (Value::String(status), Some(found @ Value::Map(_))) => {
            fits(expected, found.get("status"), place)
                .map_err(|_| format!("{place}: expected {status}, found {}", found.to_json()))
        }
        (expected, Some(found)) if expected == found => Ok(()),
        _ => wrong(),
    }
}

fn rows(host: &Host, prefix: &[u8]) -> Vec<(RowKey, RowBytes)> {
    host.store.scan(prefix, &key::end_of(prefix), usize::MAX).expect("memory")
}

fn load(host: &Host, key: RowKey) -> Option<RowBytes> {
    host.store.load(&[key]).expect("memory").pop().flatten()
}

fn seconds(host: &Host, at: onex_kernel::Micros) -> Value {
    let now = i64::try_from(host.now / 1000).unwrap_or(i64::MAX);
    Value::Int(i64::try_from(at.0 / 1000).unwrap_or(i64::MAX) - now)
}

/// `NODE/KEY`.
pub fn entity(host: &Host, name: &str) -> Option<Value> {
    let (node, entity) = name.split_once('/')?;
    let row = row::read_entity(&load(host, key::entity(node, entity))?).expect("a whole row");
    let refusal = row.last_refusal.map_or(Value::Null, |refused| {
        Value::map([
            ("trigger", Value::String(refused.trigger)),
            ("guard", Value::String(refused.guard)),
        ])
    });
    Some(Value::map([
        ("state", Value::String(row.state)),
        ("previous_state", row.previous_state.map_or(Value::Null, Value::String)),
        ("data", row.data),
        ("version", Value::Int(i64::try_from(row.version).unwrap_or(i64::MAX))),
        ("timer_in_ms", row.timer.map_or(Value::Null, |timer| seconds(host, timer.due))),
        ("last_refusal", refusal),
    ]))
}

/// The id of a run: its label, or its node where it is the only one, or `NODE@KEY` by run key, or
/// `NODE#n` by start.
pub fn run_id(host: &Host, name: &str) -> Result<Id, String> {
    let labelled = Id::of_text("vector", name);
    if load(host, key::run(labelled)).is_some() {
        return Ok(labelled);
    }
    let keyed = name.split_once('@');
    let (node, number) = match name.split_once('#') {
        Some((node, number)) => (node, number.parse::<usize>().map_err(|e| e.to_string())?),
        None => (keyed.map_or(name, |(node, _)| node), 1),
    };
    let mut heads: Vec<RunHead> = rows(host, key::RUNS)
        .iter()
        .map(|(_, bytes)| row::read_run(bytes).expect("a whole row").0)
        .filter(|head| head.node == node)
        .collect();
    if let Some((_, key)) = keyed {
        heads.retain(|head| head.key.as_deref() == Some(key));
    }
    heads.sort_by_key(|head| (head.started_at, head.id));
    if heads.len() > 1 && !name.contains('#') {
        return Err(format!("{node} has {} runs", heads.len()));
    }
    heads.get(number - 1).map(|head| head.id).ok_or_else(|| format!("there is no run {name}"))
}

/// A run; none when there is none.
pub fn run(host: &Host, name: &str) -> Result<Option<Value>, String> {
    let Ok(id) = run_id(host, name) else {
        return Ok(None);
    };
    let Some(bytes) = load(host, key::run(id)) else {
        return Ok(None);
    };
    let (head, ended) = row::read_run(&bytes).map_err(|error| error.to_string())?;
    let Body::Orchestrator(plan) =
        &host.graph.node(host.graph.find(&head.node).ok_or("its node is gone")?).body
    else {
        return Err(format!("{} is no orchestrator", head.node));
    };
    let steps: Vec<StepRow> = match ended {
        Some(ended) => ended.steps,
        None => (0..plan.steps.len())
            .map(|at| match load(host, key::step(id, at as u16)) {
                Some(bytes) => row::read_step(&bytes).expect("a whole row"),
                None => StepRow::pending(),
            })
            .collect(),
    };
    let steps = plan.steps.iter().zip(&steps);
    let steps = steps.map(|(step, row)| (Key::String(step.id.clone()), self::step(host, row)));
    Ok(Some(Value::map([
        ("node", Value::String(head.node.clone())),
        ("status", Value::text(head.status.as_str())),
        ("compensation", Value::text(head.compensation.as_str())),
        ("key", head.key.clone().map_or(Value::Null, Value::String)),
        ("input", head.input.clone()),
        ("result", head.result.clone()),
        ("error", head.error.as_ref().map_or(Value::Null, failure)),
        ("parent_step", head.parent.clone().map_or(Value::Null, |(_, step)| Value::String(step))),
        ("timeout_in_ms", head.timer.map_or(Value::Null, |timer| seconds(host, timer.due))),
        ("steps", Value::Map(steps.collect::<onex_expr::Map>().into())),
    ])))
}

fn step(host: &Host, row: &StepRow) -> Value {
    let items = row.items.as_ref().map_or(Value::Null, |items| {
        Value::map([
            ("total", Value::Int(items.total.into())),
            ("completed", Value::Int(items.completed.into())),
            ("failed", Value::Int(items.failed.into())),
            ("running", Value::Int(items.running.into())),
        ])
    });
    Value::map([
        ("status", Value::text(row.status.as_str())),
        ("input", row.input.clone()),
        ("output", row.output.clone()),
        ("error", row.error.as_ref().map_or(Value::Null, failure)),
        ("attempts", Value::Int(row.attempts.into())),
        ("items", items),
        ("timer_in_ms", row.timer.map_or(Value::Null, |timer| seconds(host, timer.due))),
    ])
}

fn failure(failure: &Failure) -> Value {
    Value::map([
        ("code", Value::String(failure.code.clone())),
        ("message", Value::String(failure.message.clone())),
        ("step", failure.step.clone().map_or(Value::Null, Value::String)),
    ])
}

/// Payloads on a topic, in the log's order; what clients sent is among them.
pub fn events(host: &Host, topic: &str) -> Value {
    let stored = host.store.read(0, usize::MAX, usize::MAX).expect("memory");
    let records = stored.iter().map(|one| record::decode(&one.body).expect("a whole record"));
    let found = records.filter(|record| record.message.topic == topic);
    let outcome = onex_kernel::Category::Outcome;
    let found = found.filter(|record| record.message.category != outcome);
    Value::list(found.map(|record| record::payload(&record)).collect())
}

fn all_letters(host: &Host) -> Vec<Letter> {
    let rows = rows(host, key::LETTERS);
    let mut letters: Vec<Letter> =
        rows.iter().map(|(_, bytes)| row::read_letter(bytes).expect("a whole row")).collect();
    letters.sort_by_key(|letter| (letter.created_at, letter.offset, letter.id));
    letters
}

/// Ids of dead letters, oldest first.
pub fn letter_ids(host: &Host) -> Vec<Id> {
    all_letters(host).iter().map(|letter| letter.id).collect()
}

/// Dead letters, oldest first.
pub fn letters(host: &Host) -> Value {
    let text = |text: Option<onex_expr::Text>| text.map_or(Value::Null, Value::String);
    let letters = all_letters(host).into_iter().map(|letter| {
        Value::map([
            ("reason", Value::text(letter.reason.as_str())),
            ("detail", Value::String(letter.detail)),
            ("node", text(letter.node)),
            ("operation", text(letter.operation)),
            ("step", text(letter.step)),
            ("topic", Value::String(letter.message.topic)),
            ("payload", letter.message.payload.value),
            ("redriven", Value::Bool(letter.redriven_at.is_some())),
        ])
    });
    Value::list(letters.collect())
}

/// Operations with an attempt under way, oldest first.
pub fn under_way(host: &Host) -> Value {
    let names = host.attempts.iter().map(|perform| {
        let node = host.graph.node(perform.node);
        let operation = match &node.body {
            Body::Effect(effect) => effect.operations[usize::from(perform.operation)].name.clone(),
            _ => Default::default(),
        };
        Value::text(format!("{}.{operation}", node.name))
    });
    Value::list(names.collect())
}

/// The engine's counters.
pub fn counts(host: &Host) -> Value {
    let counts = host.engine.counts().iter();
    Value::map(
        counts.map(|(name, count)| {
            (name.clone(), Value::Int(i64::try_from(*count).unwrap_or(i64::MAX)))
        }),
    )
}

/// Whether a text stands in any row or record.
pub fn is_recorded(host: &Host, text: &str) -> bool {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let records = host.store.read(0, usize::MAX, usize::MAX).expect("memory");
    records.iter().any(|record| holds(&record.body))
        || rows(host, &[]).iter().any(|(_, bytes)| holds(bytes))
}
