//! What a start reads from the store for the engine.

use std::fmt;
use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_engine::activation::{Lost, Stranded};
use onex_engine::codec::Corrupt;
use onex_engine::recover::{Source, TakeChange, active_graph};
use onex_engine::{Options, Recovered, key};
use onex_kernel::Micros;
use onex_store::{RowBytes, RowKey, Store, StoreError, Stored};

use crate::graphs::Restore;

/// Rows or records that are read at a time.
const READ_AT_ONCE: usize = 4096;

/// Bytes of the log that are read at a time.
const READ_BYTES: usize = 8 << 20;

/// Why a store cannot be gone on with.
#[derive(Debug)]
pub struct RecoverError(onex_engine::RecoverError<StoreError>);

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            onex_engine::RecoverError::Source(error) => {
                write!(f, "reading the data folder: {error}")
            }
            onex_engine::RecoverError::Corrupt(error) => {
                write!(f, "reading the data folder: {error}")
            }
            onex_engine::RecoverError::Graph(id) => write!(
                f,
                "the contracts that work in progress began under (graph {id}) cannot be built again"
            ),
            onex_engine::RecoverError::Stranded(stranded) => {
                f.write_str("the contracts have no place for what there is")?;
                stranded.iter().try_for_each(|stranded| write_stranded(f, stranded))
            }
        }
    }
}

fn write_stranded(f: &mut fmt::Formatter<'_>, stranded: &Stranded) -> fmt::Result {
    let Stranded { node, state, lost, entities, key } = stranded;
    let what = match lost {
        Lost::State => "which is gone",
        Lost::Timeout => "with a timeout armed that no transition takes any more",
    };
    write!(f, "; {entities} of {node} in the state {state}, {what} (such as {key})")
}

impl std::error::Error for RecoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            onex_engine::RecoverError::Source(error) => Some(error),
            onex_engine::RecoverError::Corrupt(error) => Some(error),
            onex_engine::RecoverError::Graph(_) | onex_engine::RecoverError::Stranded(_) => None,
        }
    }
}

impl From<onex_engine::RecoverError<StoreError>> for RecoverError {
    fn from(error: onex_engine::RecoverError<StoreError>) -> Self {
        RecoverError(error)
    }
}

impl From<Corrupt> for RecoverError {
    fn from(error: Corrupt) -> Self {
        RecoverError(error.into())
    }
}

/// Reads what the engine needs. `graph` is the one to run; another one is active in the result
/// when the store ended with it.
pub(crate) fn recover(
    store: &dyn Store,
    graph: &Arc<Graph>,
    restore: &Restore,
    options: &Options,
    now: Micros,
) -> Result<Recovered, RecoverError> {
    Ok(Recovered::read(&Durable(store), graph, &**restore, options, now)?)
}

/// Whether the graph to run must be activated first: the store is empty or ended with another one.
pub(crate) fn is_active(store: &dyn Store, graph: &Graph) -> Result<bool, RecoverError> {
    Ok(active_graph(&Durable(store))? == Some(graph.id))
}

/// A store as the engine reads it.
struct Durable<'s>(&'s dyn Store);

impl Durable<'_> {
    fn each(&self, mut from: u64, take: &mut dyn FnMut(&Stored)) -> Result<(), StoreError> {
        loop {
            let read = self.0.read(from, READ_AT_ONCE, READ_BYTES)?;
            let Some(last) = read.last() else {
                return Ok(());
            };
            from = last.offset + 1;
            read.iter().for_each(&mut *take);
        }
    }
}

impl Source for Durable<'_> {
    type Error = StoreError;

    fn next_offset(&self) -> u64 {
        self.0.durable_to()
    }

    fn offset_at(&self, time: Micros) -> Result<u64, StoreError> {
        Ok(self.0.offset_at(time.0)?.max(self.0.oldest()))
    }

    fn row(&self, key: RowKey) -> Result<Option<RowBytes>, StoreError> {
        Ok(self.0.load(&[key])?.pop().flatten())
    }

    fn rows(&self, prefix: &[u8]) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        let end = key::end_of(prefix);
        let mut from = prefix.to_vec();
        let mut found = Vec::new();
        loop {
            let read = self.0.scan(&from, &end, READ_AT_ONCE)?;
            let whole = read.len() < READ_AT_ONCE;
            if let Some((last, _)) = read.last() {
                from = last.to_vec();
                from.push(0);
            }
            found.extend(read);
            if whole {
                return Ok(found);
            }
        }
    }

    fn records(
        &self,
        from: u64,
        take: &mut dyn FnMut(u64, Micros, &[u8]),
    ) -> Result<(), StoreError> {
        self.each(from, &mut |stored| {
            take(stored.offset, Micros(stored.time_micros), &stored.body);
        })
    }

    fn changes(&self, from: u64, take: &mut TakeChange<'_>) -> Result<(), StoreError> {
        self.each(from, &mut |stored| {
            stored.rows.iter().for_each(|(key, value)| take(stored.offset, key, value));
        })
    }
}
