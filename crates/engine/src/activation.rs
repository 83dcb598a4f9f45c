//! What a new graph would leave stranded: entities in a state that it does not know, and armed
//! timeouts that it has no transition for. Such a graph is not activated.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, Reducer};
use onex_expr::Text;

use crate::codec::{Corrupt, row};
use crate::key;
use crate::recover::{RecoverError, Source};

/// Entities that a new graph has no place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranded {
    /// The reducer.
    pub node: Text,
    /// The state they are in.
    pub state: Text,
    /// What is gone.
    pub lost: Lost,
    /// How many there are.
    pub entities: u64,
    /// One of them.
    pub key: Text,
}

/// What a new graph lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// The state.
    State,
    /// A transition for the `timeout` that is armed.
    Timeout,
}

/// What `new` would strand of what runs under `old`.
///
/// # Errors
/// The source cannot be read.
pub fn stranded<S: Source>(
    source: &S,
    old: &Graph,
    new: &Graph,
) -> Result<Vec<Stranded>, RecoverError<S::Error>> {
    let mut found = Vec::new();
    for node in &old.nodes {
        let Body::Reducer(reducer) = &node.body else {
            continue;
        };
        let successor = new.find(&node.name).and_then(|index| match &new.node(index).body {
            Body::Reducer(reducer) => Some(reducer),
            _ => None,
        });
        let lost = lost(reducer, successor);
        if !lost.is_empty() {
            found.extend(in_states(source, &node.name, &lost)?);
        }
    }
    Ok(found)
}

/// States whose entities a change of the reducer would strand. Where the whole reducer goes,
/// entities that have ended may stay behind.
fn lost(old: &Reducer, new: Option<&Reducer>) -> BTreeSet<(Text, Lost)> {
    let mut lost = BTreeSet::new();
    for state in &old.states {
        let Some(new) = new else {
            if !state.terminal {
                lost.insert((state.name.clone(), Lost::State));
            }
            continue;
        };
        match new.states.iter().position(|other| other.name == state.name) {
            None => {
                lost.insert((state.name.clone(), Lost::State));
            }
            Some(at) if !has_timeout(new, at) => {
                lost.insert((state.name.clone(), Lost::Timeout));
            }
            Some(_) => {}
        }
    }
    lost.retain(|(state, what)| *what == Lost::State || may_be_armed(old, state));
    lost
}

fn has_timeout(reducer: &Reducer, state: usize) -> bool {
    reducer.timeout_trigger.is_some_and(|trigger| {
        reducer
            .candidates
            .get(state)
            .and_then(|by_trigger| by_trigger.get(usize::from(trigger)))
            .is_some_and(|candidates| !candidates.is_empty())
    })
}

fn may_be_armed(reducer: &Reducer, state: &Text) -> bool {
    reducer.states.iter().any(|other| other.name == *state && other.timeout_ms.is_some())
}

fn in_states<S: Source>(
    source: &S,
    node: &Text,
    lost: &BTreeSet<(Text, Lost)>,
) -> Result<Vec<Stranded>, RecoverError<S::Error>> {
    let mut found: BTreeMap<(Text, Lost), Stranded> = BTreeMap::new();
    for (row_key, bytes) in source.rows(&key::entities(node)).map_err(RecoverError::Source)? {
        let entity = row::read_entity(&bytes)?;
        let (_, key) = key::read_entity(&row_key).ok_or(Corrupt { what: "entity row" })?;
        for what in [Lost::State, Lost::Timeout] {
            let place = (entity.state.clone(), what);
            if !lost.contains(&place) || (what == Lost::Timeout && entity.timer.is_none()) {
                continue;
            }
            let first = || Stranded {
                node: node.clone(),
                state: entity.state.clone(),
                lost: what,
                entities: 0,
                key: key.into(),
            };
            found.entry(place).or_insert_with(first).entities += 1;
        }
    }
    Ok(found.into_values().collect())
}
