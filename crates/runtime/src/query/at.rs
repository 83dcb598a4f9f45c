//! States as they were once a record was applied.
//!
//! A row that no later record changed is today what it was then; of one that was, the log has the
//! result that was put last before, as far as it is kept. Nothing is executed again. What cannot be
//! known any more is refused: an answer is never a partial one.

mod past;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onex_contract::graph::Body;
use onex_engine::codec::record;
use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::{RunHead, StepRow};
use onex_kernel::{Id, Micros};
use onex_store::{Store, Stored};

use super::entity::Entity;
use super::run::{self, Run};
use super::{QueryError, Reader};
use crate::graphs::{Graphs, Restore};
use past::{Made, Past, Range, Rows};

/// Steps of live runs that are read at a time.
const STEPS_AT_ONCE: usize = 4096;

/// Which states are asked for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The last record that is applied.
    pub offset: u64,
    /// Of this reducer or orchestrator.
    pub node: Option<Text>,
    /// With this entity key or value of `run_key`.
    pub key: Option<Text>,
    /// Behind this state, as `next` of an answer names it.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// States of one moment.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The last record that is applied.
    pub offset: u64,
    /// Its time.
    pub time: Micros,
    /// Entities by node and key, then runs by id.
    pub states: Vec<State>,
    /// What to give as `after` for the next part; `None` at the end.
    pub next: Option<String>,
}

/// What stood somewhere.
#[derive(Clone, Debug)]
pub enum State {
    /// An entity.
    Entity(Box<Entity>),
    /// A run; what it waited for is not told.
    Run(Box<Run>),
}

/// A data folder that no host has open.
pub struct AtRest(Reader);

impl AtRest {
    /// Reads with the graph that was active last.
    ///
    /// # Errors
    /// The store cannot be read or was never run with contracts that can be built again.
    pub fn open(store: Arc<dyn Store>, restore: Restore) -> Result<AtRest, QueryError> {
        let row = |key: &[u8]| Ok::<_, QueryError>(store.load(&[key.into()])?.pop().flatten());
        let digest = row(key::ACTIVE_GRAPH)?;
        let graph = match digest {
            Some(digest) => row(&[key::GRAPHS, &digest].concat())?,
            None => None,
        };
        let graph = graph.and_then(|graph| restore(&graph)).ok_or_else(|| {
            let what = "nothing ran here, or the contracts that did cannot be built again";
            QueryError::NotFound(what.to_owned())
        })?;
        let graphs = Graphs::new(Arc::new(graph), store.clone(), restore);
        let scan_records_max = usize::MAX;
        Ok(AtRest(Reader { store, graphs: Arc::new(graphs), scan_records_max }))
    }

    /// States as they were.
    ///
    /// # Errors
    /// The store cannot be read, or the log is not kept so far back.
    pub fn at(&self, ask: &Ask) -> Result<Answer, QueryError> {
        self.0.at(ask)
    }
}

/// The rows of one kind of state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Entities,
    Runs,
}

impl Reader {
    /// States as they were once a record was applied.
    pub fn at(&self, ask: &Ask) -> Result<Answer, QueryError> {
        let oldest = self.store.oldest();
        if ask.offset < oldest {
            return Err(QueryError::NotRetained { oldest });
        }
        let durable_to = self.store.durable_to();
        if ask.offset >= durable_to {
            return Err(QueryError::Invalid(match durable_to {
                0 => "the log is empty".to_owned(),
                _ => format!("the log ends at {}", durable_to - 1),
            }));
        }
        let time = self.record(ask.offset)?.message.time;
        let (family, after) = begin(ask.after.as_deref())?;
        let mut answer = Answer { offset: ask.offset, time, states: Vec::new(), next: None };
        let mut after = after;
        if family == Family::Entities {
            answer.next = self.entities_at(ask, after.take(), &mut answer.states)?;
            if answer.next.is_some() || !self.may_have_runs(ask) {
                return Ok(answer);
            }
            if answer.states.len() >= ask.limit {
                answer.next = Some(token(Family::Runs, key::RUNS));
                return Ok(answer);
            }
        }
        answer.next = self.runs_at(ask, after, &mut answer.states)?;
        Ok(answer)
    }

    fn entities_at(
        &self,
        ask: &Ask,
        after: Option<Vec<u8>>,
        states: &mut Vec<State>,
    ) -> Result<Option<String>, QueryError> {
        let prefix = match &ask.node {
            Some(node) => key::entities(node).to_vec(),
            None => key::ENTITIES.to_vec(),
        };
        let wanted = |place: &[u8]| {
            key::read_entity(place).is_some_and(|(_, entity)| match &ask.key {
                Some(key) => key == entity,
                None => true,
            })
        };
        let is_first = |stored: &Stored, row: &[u8]| {
            let entity = codec::row::read_entity(row)?;
            Ok(entity.version == 1 && entity.offset == stored.offset)
        };
        let rows = Rows { wanted: &wanted, made: Made::Row(&is_first) };
        let from = after.map_or_else(|| prefix.clone(), |after| super::next_key(&after));
        let range = Range { from, to: key::end_of(&prefix), limit: ask.limit };
        let Past { rows, next } = self.past(ask.offset, &range, &rows)?;
        for (place, row) in rows {
            if let Some((node, entity)) = key::read_entity(&place) {
                let entity = self.read_entity(node, entity, &row)?;
                states.push(State::Entity(Box::new(entity)));
            }
        }
        Ok(next.map(|place| token(Family::Entities, &place)))
    }

    fn may_have_runs(&self, ask: &Ask) -> bool {
        let graph = self.graphs.active();
        let found = ask.node.as_deref().and_then(|node| graph.find(node));
        !found.is_some_and(|node| matches!(graph.node(node).body, Body::Reducer(_)))
    }

    fn runs_at(
        &self,
        ask: &Ask,
        after: Option<Vec<u8>>,
        states: &mut Vec<State>,
    ) -> Result<Option<String>, QueryError> {
        let is_first = |stored: &Stored, row: &[u8]| {
            let (head, _) = run::read(row)?;
            let found = record::decode(&stored.body)?;
            Ok(head.envelope.id == found.message.id && head.visit == 0)
        };
        let rows = Rows { wanted: &|_| true, made: Made::Row(&is_first) };
        let from = after.map_or_else(|| key::RUNS.to_vec(), |after| super::next_key(&after));
        let limit = ask.limit - states.len();
        let range = Range { from, to: key::end_of(key::RUNS), limit };
        let Past { rows, next } = self.past(ask.offset, &range, &rows)?;
        let mut runs: BTreeMap<Id, (RunHead, Vec<StepRow>)> = BTreeMap::new();
        let mut alive = BTreeSet::new();
        for (_, row) in rows {
            let (head, steps) = run::read(&row)?;
            let is_asked = ask.node.as_ref().is_none_or(|node| *node == head.node)
                && (ask.key.is_none() || ask.key == head.key);
            if !is_asked {
                continue;
            }
            if steps.is_none() {
                alive.insert(head.id);
            }
            let pending = || {
                let count = self.graphs.steps(head.graph, &head.node).len();
                vec![StepRow::pending(); count]
            };
            let steps = steps.unwrap_or_else(pending);
            runs.insert(head.id, (head, steps));
        }
        self.add_steps_at(ask.offset, &alive, &mut runs)?;
        for (head, steps) in runs.into_values() {
            states.push(State::Run(Box::new(self.named_steps(head, steps))));
        }
        Ok(next.map(|place| token(Family::Runs, &place)))
    }

    /// The steps of runs that were alive stood in rows of their own; one that had not started in
    /// none.
    fn add_steps_at(
        &self,
        offset: u64,
        alive: &BTreeSet<Id>,
        runs: &mut BTreeMap<Id, (RunHead, Vec<StepRow>)>,
    ) -> Result<(), QueryError> {
        let (Some(first), Some(last)) = (alive.first(), alive.last()) else {
            return Ok(());
        };
        let since = self.record(self.store.oldest())?.message.time;
        let began_since: BTreeSet<Id> = alive
            .iter()
            .filter(|run| runs.get(*run).is_some_and(|(head, _)| head.started_at > since))
            .copied()
            .collect();
        let wanted =
            |place: &[u8]| key::read_step(place).is_some_and(|(run, _)| alive.contains(&run));
        let mut from = key::step(*first, 0).to_vec();
        let to = super::next_key(&key::step(*last, u16::MAX));
        loop {
            // Of a run that began in what is kept, a step without a row had not started.
            let made = |place: &[u8]| {
                key::read_step(place).is_some_and(|(run, _)| began_since.contains(&run))
            };
            let rows = Rows { wanted: &wanted, made: Made::Key(&made) };
            let range = Range { from, to: to.clone(), limit: STEPS_AT_ONCE };
            let Past { rows, next } = self.past(offset, &range, &rows)?;
            for (place, row) in rows {
                let step = key::read_step(&place)
                    .and_then(|(run, at)| runs.get_mut(&run)?.1.get_mut(usize::from(at)));
                if let Some(step) = step {
                    *step = codec::row::read_step(&row)?;
                }
            }
            match next {
                Some(next) => from = super::next_key(&next),
                None => return Ok(()),
            }
        }
    }
}

/// Names the place up to which an answer goes, in characters that an address takes.
fn token(family: Family, place: &[u8]) -> String {
    let family = if family == Family::Entities { 'e' } else { 'r' };
    place.iter().fold(String::from(family), |text, byte| format!("{text}{byte:02x}"))
}

fn begin(after: Option<&str>) -> Result<(Family, Option<Vec<u8>>), QueryError> {
    let Some(after) = after else {
        return Ok((Family::Entities, None));
    };
    let wrong = || QueryError::Invalid(format!("`after` is the `next` of an answer: {after}"));
    let family = match after.chars().next() {
        Some('e') => Family::Entities,
        Some('r') => Family::Runs,
        _ => return Err(wrong()),
    };
    let digits = after.as_bytes()[1..].chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2);
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    let place = digits.collect::<Option<Vec<u8>>>().ok_or_else(wrong)?;
    Ok((family, Some(place)))
}
