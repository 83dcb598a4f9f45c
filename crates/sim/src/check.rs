//! The promises, asked of a world.

use std::collections::{BTreeMap, BTreeSet};

use onex_contract::graph::{Body, StepWork};
use onex_engine::codec::record::{self, LogRecord};
use onex_engine::codec::row;
use onex_engine::key;
use onex_kernel::row::RunStatus;
use onex_kernel::{Category, Id, Origin};
use onex_store::{RowBytes, RowKey, Store, StoreError};

use crate::world::World;

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which, and how that was seen.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Violation {
        Violation { what: what.into() }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Violation {}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Self {
        Violation::new(format!("the store cannot be read: {error}"))
    }
}

/// BLAKE3 of all records and their rows.
pub(crate) fn trace(store: &dyn Store) -> Result<[u8; 32], Violation> {
    let mut hasher = blake3::Hasher::new();
    for stored in records(store)? {
        hasher.update(&stored.body);
        for (key, value) in stored.rows.iter() {
            hasher.update(key);
            hasher.update(value.unwrap_or(b"\0deleted"));
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

/// What must hold once nothing is left to happen.
pub(crate) fn at_rest(world: &World) -> Result<(), Violation> {
    let store = &*world.store;
    let stored = records(store)?;
    let mut decoded = Vec::new();
    for one in &stored {
        let record =
            record::decode(&one.body).map_err(|error| Violation::new(error.to_string()))?;
        decoded.push((one.offset, record));
    }
    every_answer_is_durable(world, &decoded)?;
    nothing_is_accepted_twice(&decoded)?;
    nothing_is_stuck(store)?;
    every_intent_has_one_key(world, &decoded)?;
    nothing_stays_held(world)?;
    rows_are_the_sum_of_their_changes(store, &stored)
}

fn every_answer_is_durable(world: &World, log: &[(u64, LogRecord)]) -> Result<(), Violation> {
    let ids: BTreeSet<Id> = log.iter().map(|(_, record)| record.message.id).collect();
    for (op, (id, offset)) in &world.answered {
        if !ids.contains(id) {
            return Err(Violation::new(format!(
                "op {op} was answered, its {id} is not in the log"
            )));
        }
        let at = log.iter().find(|(_, record)| record.message.id == *id).map(|(at, _)| *at);
        if *offset != 0 && at != Some(*offset) {
            return Err(Violation::new(format!("op {op} was told offset {offset}, it is {at:?}")));
        }
    }
    if world.answered.len() != world.scenario.ops.len() {
        return Err(Violation::new("an op was never answered"));
    }
    Ok(())
}

fn nothing_is_accepted_twice(log: &[(u64, LogRecord)]) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    for (offset, record) in log {
        let message = &record.message;
        let known = matches!(message.category, Category::Timer | Category::Control);
        if !known && !seen.insert((message.id, message.category as u8, message.generation)) {
            return Err(Violation::new(format!(
                "{} is in the log twice, again at {offset}",
                message.id
            )));
        }
    }
    Ok(())
}

/// At rest there is no wake-up left: so nothing may wait for one.
fn nothing_is_stuck(store: &dyn Store) -> Result<(), Violation> {
    for (prefix, what) in
        [(key::INTENTS, "intent"), (key::BACKLOG, "message"), (key::TIMERS, "timer")]
    {
        let left = store.scan(prefix, &key::end_of(prefix), usize::MAX)?;
        if !left.is_empty() {
            return Err(Violation::new(format!("{} rows of kind {what} are left", left.len())));
        }
    }
    for (_, bytes) in store.scan(key::RUNS, &key::end_of(key::RUNS), usize::MAX)? {
        let (head, _) = row::read_run(&bytes).map_err(|error| Violation::new(error.to_string()))?;
        if head.ended_at.is_none() {
            return Err(Violation::new(format!(
                "run {} of {} is {:?} and nothing will wake it",
                head.id, head.node, head.status
            )));
        }
    }
    Ok(())
}

/// Each key that the target saw is an intent of the log.
fn every_intent_has_one_key(world: &World, log: &[(u64, LogRecord)]) -> Result<(), Violation> {
    let inner = inner_topics(world);
    let intents: BTreeSet<Id> = log
        .iter()
        .filter(|(_, record)| record.message.category == Category::Intent)
        .filter(|(_, record)| !inner.contains(record.message.topic.as_str()))
        .map(|(_, record)| record.message.id)
        .collect();
    for (key, entry) in &world.outside.ledger {
        if !intents.contains(key) {
            return Err(Violation::new(format!(
                "{} was asked {} times under {key}, which is no intent of the log",
                entry.operation, entry.asked
            )));
        }
    }
    let outcomes = log
        .iter()
        .filter(|(_, record)| record.message.origin == Origin::Outcome)
        .filter_map(|(_, record)| record.message.causation_id)
        .collect::<Vec<_>>();
    let distinct: BTreeSet<Id> = outcomes.iter().copied().collect();
    if distinct.len() != outcomes.len() || distinct != intents {
        return Err(Violation::new(format!(
            "{} intents, {} outcomes of {} of them",
            intents.len(),
            outcomes.len(),
            distinct.len()
        )));
    }
    Ok(())
}

/// Topics of intents that no effect performs: they begin runs or trigger reducers.
fn inner_topics(world: &World) -> BTreeSet<&str> {
    let nodes = world.scenario.graph.nodes.iter();
    let steps = nodes.flat_map(|node| match &node.body {
        Body::Orchestrator(plan) => plan.steps.as_slice(),
        _ => &[],
    });
    steps
        .filter_map(|step| match &step.work {
            StepWork::Run { topic, .. } | StepWork::Reduce { topic, .. } => Some(topic.as_str()),
            _ => None,
        })
        .collect()
}

/// What did not end well holds nothing, what ended well holds what it should; unless a dead letter
/// of the story says that a person has to look.
fn nothing_stays_held(world: &World) -> Result<(), Violation> {
    let store = &*world.store;
    let bad = |error: onex_engine::codec::Corrupt| Violation::new(error.to_string());
    let mut excused = BTreeSet::new();
    for (_, bytes) in store.scan(key::LETTERS, &key::end_of(key::LETTERS), usize::MAX)? {
        excused.insert(row::read_letter(&bytes).map_err(bad)?.message.correlation_id);
    }
    let mut good = BTreeMap::new();
    for (_, bytes) in store.scan(key::RUNS, &key::end_of(key::RUNS), usize::MAX)? {
        let (head, _) = row::read_run(&bytes).map_err(bad)?;
        if head.parent.is_some() {
            continue;
        }
        good.insert(head.correlation_id, head.status == RunStatus::Completed);
    }
    let holds = |story: Id, node: &str| {
        let mut held = world.outside.held.iter();
        held.any(|((one, effect, _), keys)| *one == story && effect == node && !keys.is_empty())
    };
    for (story, good) in good.iter().filter(|(story, _)| !excused.contains(*story)) {
        for node in world.scenario.reserving {
            if holds(*story, node) != *good {
                return Err(Violation::new(format!(
                    "the run of {story} ended well: {good}; but {node} holds something: {}\n{}",
                    !good,
                    tell(store, *story)?
                )));
            }
        }
    }
    let entities = key::entities(world.scenario.order);
    for (_, bytes) in store.scan(&entities, &key::end_of(&entities), usize::MAX)? {
        let entity = row::read_entity(&bytes).map_err(bad)?;
        let paid = entity.state == "shipped";
        let story = entity.correlation_id;
        if !excused.contains(&story) && holds(story, world.scenario.charging) != paid {
            return Err(Violation::new(format!(
                "an order of {story} is {}, but a charge is held: {}",
                entity.state, !paid
            )));
        }
    }
    Ok(())
}

/// The story as the log tells it, one line a record.
fn tell(store: &dyn Store, story: Id) -> Result<String, Violation> {
    let mut lines = String::new();
    for stored in records(store)? {
        let Ok(record) = record::decode(&stored.body) else { continue };
        let message = &record.message;
        if message.correlation_id != story {
            continue;
        }
        let payload = message.payload.bytes.as_deref().unwrap_or_default();
        lines.push_str(&format!(
            "{:>5} {:>12} {:?} {} {} {}\n",
            stored.offset,
            stored.time_micros % 1_000_000_000,
            message.category,
            message.topic,
            message.id,
            String::from_utf8_lossy(payload)
        ));
    }
    Ok(lines)
}

/// Redo gives what the store has.
fn rows_are_the_sum_of_their_changes(
    store: &dyn Store,
    stored: &[onex_store::Stored],
) -> Result<(), Violation> {
    let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for one in stored {
        for (key, value) in one.rows.iter() {
            match value {
                Some(value) => model.insert(key.to_vec(), value.to_vec()),
                None => model.remove(key),
            };
        }
    }
    let rows: Vec<(RowKey, RowBytes)> = store.scan(&[0], &[0xff], usize::MAX)?;
    let same = rows.len() == model.len()
        && rows.iter().zip(&model).all(|((k, v), (mk, mv))| **k == **mk && **v == **mv);
    if same { Ok(()) } else { Err(Violation::new("rows differ from the sum of their changes")) }
}

fn records(store: &dyn Store) -> Result<Vec<onex_store::Stored>, Violation> {
    let mut all = Vec::new();
    let mut at = store.oldest();
    loop {
        let found = store.read(at, 4096, 16 << 20)?;
        let Some(last) = found.last() else {
            return Ok(all);
        };
        at = last.offset + 1;
        all.extend(found);
    }
}
