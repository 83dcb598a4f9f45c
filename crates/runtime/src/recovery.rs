//! What a start reads from the store for the engine: the last position, graphs, pending intents,
//! timers, waiting messages, and the client ids of the dedupe window.

use std::fmt;
use std::sync::Arc;

use onex_contract::graph::{Graph, GraphId};
use onex_engine::codec::{Corrupt, record};
use onex_engine::recover::{Recovered, seen};
use onex_engine::{Options, key};
use onex_kernel::Micros;
use onex_store::{RowBytes, RowKey, Store, StoreError};

use crate::graphs::Restore;

/// Rows or records that are read at a time.
const READ_AT_ONCE: usize = 4096;

/// Bytes of the log that are read at a time.
const READ_BYTES: usize = 8 << 20;

/// Why a store cannot be gone on with.
#[derive(Debug)]
pub enum RecoverError {
    /// The store failed.
    Store(StoreError),
    /// A row or record cannot be read.
    Corrupt(Corrupt),
    /// A graph that the data folder needs cannot be built again.
    Graph(String),
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoverError::Store(error) => write!(f, "reading the data folder: {error}"),
            RecoverError::Corrupt(error) => write!(f, "reading the data folder: {error}"),
            RecoverError::Graph(digest) => write!(
                f,
                "the contracts that began earlier work (graph {digest}) cannot be built again"
            ),
        }
    }
}

impl std::error::Error for RecoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RecoverError::Store(error) => Some(error),
            RecoverError::Corrupt(error) => Some(error),
            RecoverError::Graph(_) => None,
        }
    }
}

impl From<StoreError> for RecoverError {
    fn from(error: StoreError) -> Self {
        RecoverError::Store(error)
    }
}

impl From<Corrupt> for RecoverError {
    fn from(error: Corrupt) -> Self {
        RecoverError::Corrupt(error)
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
    let next_offset = store.durable_to();
    let (active, graphs) = graphs(store, graph, restore)?;
    Ok(Recovered {
        next_offset,
        time: last_time(store, next_offset)?,
        active,
        graphs,
        intents: rows(store, key::INTENTS)?.into_iter().map(|(_, row)| row).collect(),
        timers: rows(store, key::TIMERS)?.into_iter().map(|(key, _)| key).collect(),
        listeners: rows(store, key::LISTENERS)?,
        backlog: rows(store, key::BACKLOG)?,
        seen: window(store, options, now)?,
    })
}

/// Whether the graph to run must be activated first: the store is empty or ended with another one.
pub(crate) fn is_active(store: &dyn Store, graph: &Graph) -> Result<bool, RecoverError> {
    Ok(active_id(store)? == Some(graph.id))
}

fn active_id(store: &dyn Store) -> Result<Option<GraphId>, RecoverError> {
    let row = store.load(&[key::ACTIVE_GRAPH.into()])?.pop().flatten();
    let Some(row) = row else { return Ok(None) };
    let digest =
        <[u8; 32]>::try_from(row.as_ref()).map_err(|_| Corrupt { what: "active graph row" })?;
    Ok(Some(GraphId(digest)))
}

fn graphs(
    store: &dyn Store,
    graph: &Arc<Graph>,
    restore: &Restore,
) -> Result<(Arc<Graph>, Vec<Arc<Graph>>), RecoverError> {
    let active_id = active_id(store)?.unwrap_or(graph.id);
    let mut active = (active_id == graph.id).then(|| graph.clone());
    let mut others = Vec::new();
    for (row_key, row) in rows(store, key::GRAPHS)? {
        if row_key.get(1..) == Some(&graph.id.0) {
            continue;
        }
        let restored = restore(&row).map(Arc::new).ok_or_else(|| {
            let digest = row_key.get(1..).unwrap_or_default();
            RecoverError::Graph(digest.iter().map(|byte| format!("{byte:02x}")).collect())
        })?;
        if restored.id == active_id {
            active = Some(restored);
        } else {
            others.push(restored);
        }
    }
    let active = active.ok_or(Corrupt { what: "row of the active graph" })?;
    Ok((active, others))
}

fn last_time(store: &dyn Store, next_offset: u64) -> Result<Micros, RecoverError> {
    let Some(last) = next_offset.checked_sub(1) else {
        return Ok(Micros::default());
    };
    let read = store.read(last, 1, READ_BYTES)?;
    Ok(Micros(read.first().map_or(0, |stored| stored.time_micros)))
}

fn rows(store: &dyn Store, prefix: &[u8]) -> Result<Vec<(RowKey, RowBytes)>, RecoverError> {
    let end = key::end_of(prefix);
    let mut from = prefix.to_vec();
    let mut found = Vec::new();
    loop {
        let read = store.scan(&from, &end, READ_AT_ONCE)?;
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

fn window(
    store: &dyn Store,
    options: &Options,
    now: Micros,
) -> Result<Vec<onex_engine::dedupe::Seen>, RecoverError> {
    let since = now.0.saturating_sub(options.dedupe_window_us);
    let mut from = store.offset_at(since)?.max(store.oldest());
    let mut found = Vec::new();
    loop {
        let read = store.read(from, READ_AT_ONCE, READ_BYTES)?;
        let Some(last) = read.last() else {
            return Ok(found);
        };
        from = last.offset + 1;
        for stored in &read {
            let decoded = record::decode(&stored.body)?;
            found.extend(seen(stored.offset, &decoded));
        }
    }
}
