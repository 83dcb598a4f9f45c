//! What a store holds before anything runs on it: the graph that was active, and how many instances
//! of a node are alive.

use std::sync::Arc;

use onex_engine::codec::row;
use onex_engine::key;
use onex_store::Store;

use super::run::has_ended;
use super::{QueryError, Visit, each_row};

/// What the graph that was active last is stored as; none in an empty store.
///
/// # Errors
/// The store cannot be read.
pub fn active_graph(store: &dyn Store) -> Result<Option<Arc<[u8]>>, QueryError> {
    let row = |key: Arc<[u8]>| Ok::<_, QueryError>(store.load(&[key])?.pop().flatten());
    match row(key::ACTIVE_GRAPH.into())? {
        Some(digest) => row([key::GRAPHS, &digest].concat().into()),
        None => Ok(None),
    }
}

/// Entities of a reducer, in one state or in all.
///
/// # Errors
/// The store cannot be read.
pub fn entities(store: &dyn Store, node: &str, state: Option<&str>) -> Result<u64, QueryError> {
    let mut count = 0;
    each_row(store, &key::entities(node), None, |_, bytes| {
        let wanted = match state {
            Some(state) => row::read_entity(bytes)?.state == state,
            None => true,
        };
        count += u64::from(wanted);
        Ok(Visit::Next)
    })?;
    Ok(count)
}

/// Runs of an orchestrator that have not ended.
///
/// # Errors
/// The store cannot be read.
pub fn runs(store: &dyn Store, node: &str) -> Result<u64, QueryError> {
    let mut count = 0;
    each_row(store, key::RUNS, None, |_, bytes| {
        let (head, _) = row::read_run(bytes)?;
        count += u64::from(head.node == node && !has_ended(head.status));
        Ok(Visit::Next)
    })?;
    Ok(count)
}
