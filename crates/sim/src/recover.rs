//! From a store to what an engine needs to go on.

use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_engine::codec::record;
use onex_engine::{Recovered, key, recover};
use onex_kernel::Micros;
use onex_store::{RowBytes, RowKey, Store, StoreError};

/// Reads what is pending in a store. `graph` is active and the only one.
///
/// # Errors
/// The store cannot be read.
pub fn recover(
    store: &dyn Store,
    graph: &Arc<Graph>,
    now: Micros,
) -> Result<Recovered, StoreError> {
    let all = |prefix: &[u8]| -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        store.scan(prefix, &key::end_of(prefix), usize::MAX)
    };
    let window = now.0.saturating_sub(600_000_000);
    let mut seen = Vec::new();
    let mut time = Micros(0);
    let mut at = store.offset_at(window)?;
    loop {
        let records = store.read(at, 1024, 4 << 20)?;
        let Some(last) = records.last() else { break };
        at = last.offset + 1;
        for stored in &records {
            time = time.max(Micros(stored.time_micros));
            if let Ok(found) = record::decode(&stored.body) {
                seen.extend(recover::seen(stored.offset, &found));
            }
        }
    }
    Ok(Recovered {
        next_offset: store.durable_to(),
        time,
        active: graph.clone(),
        graphs: Vec::new(),
        intents: all(key::INTENTS)?.into_iter().map(|(_, bytes)| bytes).collect(),
        timers: all(key::TIMERS)?.into_iter().map(|(key, _)| key).collect(),
        listeners: all(key::LISTENERS)?,
        backlog: all(key::BACKLOG)?,
        seen,
    })
}
