//! The simulated host: the engine and its store on the simulated disk, as one process.

use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_engine::{Engine, Input, Options, Recovered, Unguarded};
use onex_kernel::Micros;
use onex_store::disk::Memory;
use onex_store::embedded::{self, Embedded};
use onex_store::{Record, RowChange, Store, StoreError};

use crate::forgetful::Forgetful;
use crate::outside::catalog;
use crate::promise::Violation;
use crate::recover::Durable;
use crate::scenario::Scenario;
use crate::trouble::Limits;

/// A process.
pub(crate) struct Host {
    pub store: Arc<dyn Store>,
    pub engine: Engine,
    /// What arrived and was not handed to the engine yet.
    pub arrived: Vec<Input>,
    /// A frame that is being written, and when that is done.
    pub writing: Option<(Micros, Vec<Record>)>,
    /// When the engine wants to be woken, by the wall clock.
    pub wake_at: Option<Micros>,
    /// It was asked to stop.
    pub draining: bool,
    /// It has drained.
    pub drained: bool,
}

/// Why there is no process.
pub(crate) enum NoStart {
    /// The store cannot be opened.
    Store(StoreError),
    /// It is open, and the engine refuses.
    Engine(Violation),
}

/// What survives the process: the disk, and rows beside it.
#[derive(Clone)]
pub(crate) struct Kept {
    pub disk: Memory,
    pub rows: Option<Forgetful>,
}

impl Kept {
    /// Opens the store.
    pub fn open(&self, limits: &Limits, entropy: u64) -> Result<Embedded<Memory>, StoreError> {
        let options = embedded::Options {
            background: false,
            entropy,
            segment_first_bytes: limits.segment_bytes / 4,
            segment_bytes: limits.segment_bytes,
            reserve_bytes: 64 * 1024,
            inline_bytes_max: limits.inline_bytes_max,
            ..Default::default()
        };
        match &self.rows {
            None => Embedded::open(self.disk.clone(), options),
            Some(rows) => {
                let (disk, rows) = (Arc::new(self.disk.clone()), Arc::new(rows.clone()));
                Embedded::open_with(disk, rows, options)
            }
        }
    }
}

impl Host {
    /// Starts a process: opens the store, recovers the engine.
    pub fn start(
        kept: &Kept,
        scenario: &Scenario,
        now: Micros,
        starts: u64,
    ) -> Result<Host, NoStart> {
        let limits = &scenario.troubles.limits;
        let store = kept.open(limits, starts).map_err(NoStart::Store)?;
        let store: Arc<dyn Store> = Arc::new(store);
        let options = Options {
            ended_runs_ms: limits.ended_runs_ms,
            terminal_entities_ms: limits.terminal_entities_ms,
            turn_records_max: limits.turn_records_max,
            turn_records_ready: limits.turn_records_ready,
            cache_bytes_max: limits.cache_bytes_max,
            unfinished_max: limits.unfinished_max,
            breaker_wait_ms: 5_000,
            ..Options::default()
        };
        let source = Durable(&*store);
        let restore = |stored: &[u8]| Graph::restore(stored, &catalog()).ok();
        let recovered = Recovered::read(&source, &scenario.graph, &restore, &options, now);
        let refused = |text: String| NoStart::Engine(Violation::new(text));
        let recovered = recovered.map_err(|error| refused(format!("no start: {error:?}")))?;
        let engine = Engine::recover(options, Box::new(Unguarded), recovered, now)
            .map_err(|error| refused(format!("no start: {error}")))?;
        Ok(Host {
            store,
            engine,
            // What was pending begins without waiting for a message.
            arrived: vec![Input::Tick],
            writing: None,
            wake_at: None,
            draining: false,
            drained: false,
        })
    }
}

/// A record as the store takes it.
pub(crate) fn to_store(record: onex_engine::output::Record) -> Record {
    Record {
        partition: record.partition,
        body: record.body,
        payload_bytes: record.payload_bytes,
        rows: record
            .rows
            .into_iter()
            .map(|row| RowChange { key: row.key, value: row.value, fresh: row.fresh })
            .collect(),
    }
}
