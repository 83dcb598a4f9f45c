//! What is counted: a registry of its own, written by the engine thread, read as OpenMetrics text.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onex_engine::tally::Tally;
use onex_engine::{Engine, Kind, Refusal};
use onex_expr::Text;
use onex_kernel::row::RunStatus;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::lanes::Waits;

/// Metrics of one host.
pub struct Telemetry {
    registry: Registry,
    frames: Counter,
    records: Counter,
    sync: Histogram,
    runs_ended: Family<Ending, Counter>,
    engine: Family<Named, Gauge>,
    letters_open: Family<Letters, Gauge>,
    letters_written: Family<Letters, Counter>,
    letters_redriven: Family<Letters, Counter>,
    letters_discarded: Family<Letters, Counter>,
    ended: [Kept; 2],
    unfinished: Gauge,
    refused: Family<Limited, Counter>,
    inbox: Gauge,
    inbox_bytes: Gauge,
    durable_to: Gauge,
    unwritten_bytes: Gauge,
    log_bytes: Gauge,
    oldest: Gauge,
    oldest_time: Gauge<f64, AtomicU64>,
    claims_bytes: Gauge,
    cpu: Gauge<f64, AtomicU64>,
    noted: Mutex<BTreeMap<Text, u64>>,
    letters: Mutex<Tally>,
    letters_changes: AtomicU64,
    unfinished_now: AtomicU64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    status: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    limit: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    name: String,
}

/// What has ended, of one kind.
#[derive(Debug, Default)]
struct Kept {
    kept: Gauge,
    forgotten: Counter,
}

/// Dead letters of one reason and node; the node is empty where none is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Letters {
    reason: Word,
    node: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Word(&'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

/// What is read from elsewhere when somebody asks for metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    /// What waits for the engine.
    pub inbox: Waits,
    /// State of the store.
    pub store: onex_store::Status,
    /// CPU time of the process.
    pub cpu: Duration,
}

impl Default for Telemetry {
    fn default() -> Self {
        let mut telemetry = Telemetry {
            registry: Registry::with_prefix("onex"),
            frames: Counter::default(),
            records: Counter::default(),
            sync: Histogram::new(sync_buckets()),
            runs_ended: Family::default(),
            engine: Family::default(),
            letters_open: Family::default(),
            letters_written: Family::default(),
            letters_redriven: Family::default(),
            letters_discarded: Family::default(),
            ended: Default::default(),
            unfinished: Gauge::default(),
            refused: Family::default(),
            inbox: Gauge::default(),
            inbox_bytes: Gauge::default(),
            durable_to: Gauge::default(),
            unwritten_bytes: Gauge::default(),
            log_bytes: Gauge::default(),
            oldest: Gauge::default(),
            oldest_time: Gauge::default(),
            claims_bytes: Gauge::default(),
            cpu: Gauge::default(),
            noted: Mutex::default(),
            letters: Mutex::default(),
            letters_changes: AtomicU64::new(0),
            unfinished_now: AtomicU64::new(0),
        };
        telemetry.register();
        telemetry
    }
}

/// 10 us to 10 s, each a fifth more than the one before: a median is read from them.
fn sync_buckets() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(10e-6), |bound| Some(bound * 1.2)).take_while(|bound| *bound < 10.0)
}

impl Telemetry {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("frames", "Frames written and synced", self.frames.clone());
        registry.register("records", "Records made durable", self.records.clone());
        registry.register_with_unit(
            "sync",
            "Time to write and sync one frame",
            Unit::Seconds,
            self.sync.clone(),
        );
        registry.register("runs_ended", "Runs that ended", self.runs_ended.clone());
        registry.register(
            "engine_events",
            "What the engine counted since the start: ignored, refused, dead, late, applied",
            self.engine.clone(),
        );
        registry.register(
            "dead_letters_open",
            "Dead letters that somebody has yet to do something about",
            self.letters_open.clone(),
        );
        for (name, help, family) in [
            ("written", "Dead letters written since the start", &self.letters_written),
            ("redriven", "Dead letters put back since the start", &self.letters_redriven),
            ("discarded", "Dead letters let go of since the start", &self.letters_discarded),
        ] {
            registry.register(format!("dead_letters_{name}"), help, family.clone());
        }
        for (name, what, of) in [
            ("ended_runs", "Ended runs", &self.ended[Kind::Runs as usize]),
            ("terminal_entities", "Terminal entities", &self.ended[Kind::Entities as usize]),
        ] {
            registry.register(
                format!("{name}_kept"),
                format!("{what} that are kept"),
                of.kept.clone(),
            );
            let help = format!("{what} forgotten since the start");
            registry.register(format!("{name}_forgotten"), help, of.forgotten.clone());
        }
        registry.register("unfinished", "Accepted but unfinished work", self.unfinished.clone());
        registry.register(
            "refused",
            "Requests and messages refused for a limit, by the key of the configuration",
            self.refused.clone(),
        );
        registry.register("inbox", "Messages of clients that wait", self.inbox.clone());
        registry.register_with_unit(
            "inbox",
            "Payloads of clients that wait",
            Unit::Bytes,
            self.inbox_bytes.clone(),
        );
        registry.register(
            "durable_to",
            "First offset that is not durable",
            self.durable_to.clone(),
        );
        registry.register_with_unit(
            "unwritten",
            "Rows in memory that the checkpoint lacks",
            Unit::Bytes,
            self.unwritten_bytes.clone(),
        );
        registry.register_with_unit(
            "log",
            "Size of the log on disk",
            Unit::Bytes,
            self.log_bytes.clone(),
        );
        registry.register("oldest", "Oldest offset that is kept", self.oldest.clone());
        registry.register_with_unit(
            "oldest_time",
            "Record time of the oldest frame that is kept, since 1970",
            Unit::Seconds,
            self.oldest_time.clone(),
        );
        registry.register_with_unit(
            "claims",
            "Size of the large payloads kept beside the log",
            Unit::Bytes,
            self.claims_bytes.clone(),
        );
        registry.register_with_unit(
            "process_cpu",
            "CPU time of the process",
            Unit::Seconds,
            self.cpu.clone(),
        );
    }

    /// A frame of so many records took so long.
    pub(crate) fn wrote(&self, records: usize, took: Duration) {
        self.frames.inc();
        self.records.inc_by(records as u64);
        self.sync.observe(took.as_secs_f64());
    }

    /// A request was refused, perhaps for a limit.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        if let Some(limit) = refusal.limit {
            self.refused.get_or_create(&Limited { limit: Word(limit) }).inc();
        }
    }

    /// A run ended.
    pub(crate) fn run_ended(&self, status: RunStatus) {
        let status = Word(status.as_str());
        self.runs_ended.get_or_create(&Ending { status }).inc();
    }

    /// Copies what the engine counted.
    pub(crate) fn note(&self, engine: &Engine) {
        let unfinished = engine.unfinished() as u64;
        self.unfinished_now.store(unfinished, Ordering::Relaxed);
        self.lock().clone_from(engine.counts());
        for kind in Kind::ALL {
            let (of, retained) = (&self.ended[kind as usize], engine.retained());
            of.kept.set(signed(retained.kept(kind) as u64));
            of.forgotten.inner().store(retained.forgotten(kind), Ordering::Relaxed);
        }
        let changes = engine.letters().changes();
        if self.letters_changes.swap(changes, Ordering::Relaxed) != changes {
            self.lock_letters().clone_from(engine.letters());
        }
    }

    /// Everything as OpenMetrics text.
    pub(crate) fn encode(&self, read: Read) -> String {
        let unfinished = self.unfinished_now.load(Ordering::Relaxed);
        self.unfinished.set(signed(unfinished));
        self.inbox.set(signed(read.inbox.messages as u64));
        self.inbox_bytes.set(signed(read.inbox.bytes as u64));
        self.durable_to.set(signed(read.store.durable_to));
        self.unwritten_bytes.set(signed(read.store.unwritten_bytes));
        self.log_bytes.set(signed(read.store.log_bytes));
        self.oldest.set(signed(read.store.oldest));
        self.oldest_time.set(read.store.oldest_micros as f64 / 1e6);
        self.claims_bytes.set(signed(read.store.claims_bytes));
        self.cpu.set(read.cpu.as_secs_f64());
        for (name, count) in self.lock().iter() {
            let name = name.to_string();
            self.engine.get_or_create(&Named { name }).set(signed(*count));
        }
        self.set_letters();
        let mut out = String::new();
        // Writing to a string cannot fail; what is written so far is whole metrics.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    fn set_letters(&self) {
        for (reason, node, count) in self.lock_letters().iter() {
            let of = Letters { reason: Word(reason), node: node.to_string() };
            self.letters_open.get_or_create(&of).set(signed(count.open));
            for (family, count) in [
                (&self.letters_written, count.written),
                (&self.letters_redriven, count.redriven),
                (&self.letters_discarded, count.discarded),
            ] {
                family.get_or_create(&of).inner().store(count, Ordering::Relaxed);
            }
        }
    }

    /// Accepted but unfinished work.
    pub(crate) fn unfinished(&self) -> u64 {
        self.unfinished_now.load(Ordering::Relaxed)
    }

    fn lock_letters(&self) -> MutexGuard<'_, Tally> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Text, u64>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
