//! What everybody else may ask of a running host: requests to the engine, answers read from what
//! is durable, tails. Clonable; every call may be made from any task.

mod backup;
pub mod letters;
mod read;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use onex_contract::graph::Graph;
use onex_engine::input::{Publish, StartRun};
use onex_engine::output::RunEnd;
use onex_engine::{Refusal, Reply, Request};
use onex_expr::{Text, Value};
use onex_kernel::Id;
use onex_kernel::row::{RunHead, RunStatus};
use onex_store::Status;
use tokio::sync::{oneshot, watch};

use crate::graphs::Graphs;
use crate::inbox::{Closed, Inbox, Sink};
use crate::query::Reader;
use crate::query::run::has_ended;
use crate::telemetry::{self, Telemetry};
use crate::waiters::{Told, Waiter, Waiters};

pub use backup::Backup;

/// See the module.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub inbox: Arc<Inbox>,
    pub waiters: Arc<Waiters>,
    pub reader: Reader,
    pub graphs: Arc<Graphs>,
    pub durable: watch::Receiver<u64>,
    pub telemetry: Arc<Telemetry>,
    pub ready: AtomicBool,
    pub pressed: Arc<AtomicBool>,
    pub backing_up: AtomicBool,
    pub began: Instant,
    pub accept_within: Duration,
}

/// A message that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: Id,
    /// Its offset.
    pub offset: u64,
    /// Whether it had been accepted before; then nothing happened now.
    pub repeated: bool,
}

/// A run that has begun, and perhaps ended.
#[derive(Clone, Debug)]
pub struct Started {
    /// The run.
    pub run_id: Id,
    /// Its orchestrator.
    pub node: Text,
    /// Its status.
    pub status: RunStatus,
    /// Its story.
    pub correlation_id: Id,
    /// What it yielded.
    pub result: Value,
    /// Why it failed: code, message, step.
    pub error: Option<(Text, Text, Option<Text>)>,
}

/// What a host is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether it is draining.
    pub draining: bool,
    /// Whether clients are told to come back because too much is unwritten.
    pub pressed: bool,
    /// Messages of clients that wait for the engine.
    pub inbox: usize,
    /// Accepted but unfinished work.
    pub unfinished: u64,
    /// The store.
    pub store: Status,
    /// Contracts in the active graph.
    pub contracts: usize,
    /// Since the start.
    pub uptime: Duration,
}

impl From<RunEnd> for Started {
    fn from(end: RunEnd) -> Self {
        Started {
            run_id: end.run_id,
            node: end.node,
            status: end.status,
            correlation_id: end.correlation_id,
            result: end.result,
            error: end.error,
        }
    }
}

impl From<RunHead> for Started {
    fn from(head: RunHead) -> Self {
        Started {
            run_id: head.id,
            node: head.node,
            status: head.status,
            correlation_id: head.correlation_id,
            result: head.result,
            error: head.error.map(|failure| (failure.code, failure.message, failure.step)),
        }
    }
}

/// A new id: a UUID of version 7.
pub fn new_id() -> Id {
    Id(uuid::Uuid::now_v7().into_bytes())
}

impl Handle {
    /// Publishes a message; returns once it is durable.
    pub async fn publish(&self, publish: Publish) -> Result<Accepted, Refusal> {
        match self.ask(Request::Publish(publish)).await? {
            Reply::Accepted { id, offset, repeated } => Ok(Accepted { id, offset, repeated }),
            other => Err(unexpected(other)),
        }
    }

    /// Publishes messages, each on its own, in the order given.
    pub async fn batch(
        &self,
        batch: Vec<Publish>,
    ) -> Result<Vec<Result<Accepted, Refusal>>, Refusal> {
        match self.ask(Request::Batch(batch)).await? {
            Reply::Batch(answers) => Ok(answers
                .into_iter()
                .map(|answer| {
                    answer.map(|(id, offset, repeated)| Accepted { id, offset, repeated })
                })
                .collect()),
            other => Err(unexpected(other)),
        }
    }

    /// Begins a run; returns once that is durable or, with `wait`, when the run has ended or the
    /// time is up. `wait` bounds the wait for the end only: what is returned is durable. What is
    /// rarely needed is boxed: the future of every start would be as large as its largest part.
    pub async fn start(&self, start: StartRun, wait: Option<Duration>) -> Result<Started, Refusal> {
        let run_id = start.run_id;
        let begun = Started {
            run_id,
            node: start.node.clone(),
            status: RunStatus::Running,
            correlation_id: start.correlation_id,
            result: Value::Null,
            error: None,
        };
        let Some(wait) = wait else {
            let asked = self.ask(Request::Start(start));
            let reply = tokio::time::timeout(self.shared.accept_within, asked).await;
            return self.begun(reply.map_err(|_| not_yet(run_id))??, begun);
        };
        let mut waiter = self.shared.waiters.wait_for(run_id);
        let sink = Sink::UnlessBegun(waiter.waiting());
        self.bring(Request::Start(start), sink)?;
        let began = tokio::time::Instant::now();
        let until = began + wait;
        match tokio::time::timeout_at(until, waiter.told()).await {
            Ok(Some(Told::Ended(end))) => Ok(end.into()),
            Ok(Some(Told::Reply(reply))) => {
                let started = self.begun(reply, begun)?;
                if has_ended(started.status) {
                    return Ok(started);
                }
                drop(waiter);
                let left = until.saturating_duration_since(tokio::time::Instant::now());
                let head = Box::pin(self.run_end(run_id, left)).await;
                Ok(head.ok().flatten().map_or(started, Started::from))
            }
            Ok(None) => Err(gone()),
            Err(_) => {
                let until = until.max(began + self.shared.accept_within);
                Box::pin(self.durable_start(begun, &mut waiter, until)).await
            }
        }
    }

    /// Waits until a run has durably begun: its row is there.
    async fn durable_start(
        &self,
        begun: Started,
        waiter: &mut Waiter,
        until: tokio::time::Instant,
    ) -> Result<Started, Refusal> {
        let mut durable = self.shared.durable.clone();
        loop {
            durable.borrow_and_update();
            if let Ok(Some(head)) = self.shared.reader.run_head(begun.run_id) {
                return Ok(head.into());
            }
            tokio::select! {
                told = waiter.told() => return match told {
                    Some(Told::Ended(end)) => Ok(end.into()),
                    Some(Told::Reply(reply)) => self.begun(reply, begun),
                    None => Err(gone()),
                },
                moved = durable.changed() => moved.map_err(|_| gone())?,
                () = tokio::time::sleep_until(until) => return Err(not_yet(begun.run_id)),
            }
        }
    }

    fn begun(&self, reply: Reply, begun: Started) -> Result<Started, Refusal> {
        match reply {
            Reply::Started { run_id, status, correlation_id, repeated } => {
                if repeated && let Ok(Some(head)) = self.shared.reader.run_head(run_id) {
                    return Ok(head.into());
                }
                Ok(Started { run_id, status, correlation_id, ..begun })
            }
            other => Err(unexpected(other)),
        }
    }

    /// Cancels a run; returns once that is durable.
    pub async fn cancel(&self, run: Id) -> Result<(), Refusal> {
        self.done(Request::Cancel(run)).await
    }

    /// Retries a failed or cancelled run; returns once that is durable.
    pub async fn retry(&self, run: Id) -> Result<(), Refusal> {
        self.done(Request::Retry(run)).await
    }

    /// Makes a new graph the active one; returns the first offset under it.
    pub async fn activate(&self, graph: Arc<Graph>) -> Result<u64, Refusal> {
        let (sender, receiver) = oneshot::channel();
        self.shared.inbox.activate(graph.clone(), Sink::Reply(sender));
        match receiver.await.map_err(|_| gone())? {
            Reply::Activated { offset } => {
                self.shared.graphs.activated(graph);
                Ok(offset)
            }
            other => Err(unexpected(other)),
        }
    }

    /// The active graph.
    pub fn graph(&self) -> Arc<Graph> {
        self.shared.graphs.active()
    }

    /// Whether requests are taken.
    pub fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire)
    }

    /// What the host is doing.
    pub fn health(&self) -> Health {
        Health {
            ready: self.is_ready(),
            draining: self.shared.inbox.is_draining(),
            pressed: self.shared.pressed.load(Ordering::Relaxed),
            inbox: self.shared.inbox.waits().messages,
            unfinished: self.shared.telemetry.unfinished(),
            store: self.shared.reader.store.status(),
            contracts: self.graph().nodes.len(),
            uptime: self.shared.began.elapsed(),
        }
    }

    /// Metrics as OpenMetrics text; `cpu` is the CPU time of the process.
    pub fn metrics(&self, cpu: Duration) -> String {
        self.shared.telemetry.encode(telemetry::Read {
            inbox: self.shared.inbox.waits(),
            store: self.shared.reader.store.status(),
            cpu,
        })
    }

    async fn done(&self, request: Request) -> Result<(), Refusal> {
        match self.ask(request).await? {
            Reply::Done => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        let (sender, receiver) = oneshot::channel();
        self.bring(request, Sink::Reply(sender))?;
        receiver.await.map_err(|_| gone())
    }

    fn bring(&self, request: Request, sink: Sink) -> Result<(), Refusal> {
        let brought = self.admit(request, sink);
        brought.inspect_err(|refusal| self.shared.telemetry.refused(refusal))
    }

    fn admit(&self, request: Request, sink: Sink) -> Result<(), Refusal> {
        if is_new_work(&request) && self.shared.reader.store.is_full() {
            let message = "the disk is full: what was accepted goes on, nothing new is taken";
            return Err(limited("store.reserve", refusal(503, "disk_full", message)));
        }
        if self.shared.pressed.load(Ordering::Relaxed) {
            let limit = "engine.unwritten_bytes_max";
            return Err(busy(limit, "too many changed rows wait to be written"));
        }
        let brought = self.shared.inbox.request(request, sink);
        brought.map_err(|closed| match closed {
            Closed::Full(limit) => busy(limit, "too many requests wait"),
            Closed::Draining => gone(),
        })
    }
}

/// Whether a request begins something, rather than helping something to end.
fn is_new_work(request: &Request) -> bool {
    !matches!(
        request,
        Request::Cancel(_)
            | Request::Discard { .. }
            | Request::Redrive { dry_run: true, .. }
            | Request::RedriveDiscarded { dry_run: true, .. }
    )
}

fn not_yet(run_id: Id) -> Refusal {
    let message = "the start is not durable yet; look for the run, or start it again under the same \
                   Idempotency-Key";
    Refusal { run_id: Some(run_id), ..refusal(503, "not_yet_durable", message) }
}

fn busy(limit: &'static str, message: &str) -> Refusal {
    limited(limit, refusal(429, "busy", &format!("{message}, the limit ({limit})")))
}

fn limited(limit: &'static str, refusal: Refusal) -> Refusal {
    Refusal { limit: Some(limit), ..refusal }
}

fn gone() -> Refusal {
    refusal(503, "draining", "the host is shutting down")
}

fn refusal(status: u16, code: &'static str, message: &str) -> Refusal {
    Refusal::new(status, code, message)
}

/// A refusal is one; any other reply to this kind of request would be a bug of the engine's.
fn unexpected(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => {
            tracing::error!(?other, "the engine gave a reply of another kind");
            refusal(500, "internal", "the engine gave a reply of another kind")
        }
    }
}
