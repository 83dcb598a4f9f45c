//! How a host's shell is built, runs and stops.
//!
//! Stopping: no more requests, the engine finishes what is in flight, the checkpoint is written
//! and the log sealed. A failed write ends the service at once; the process must end with it.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use onex_contract::graph::Graph;
use onex_engine::Engine;
use onex_engine::guard::Guard;
use onex_expr::Text;
use onex_kernel::Micros;
use onex_store::{Store, StoreError};
use tokio::sync::{oneshot, watch};

use crate::graphs::{Graphs, Restore};
use crate::handle::{Handle, Shared};
use crate::inbox::{Inbox, Limits};
use crate::options::Options;
use crate::perform::{Binding, Needs, Performer, Secrets};
use crate::query::Reader;
use crate::recovery::{self, RecoverError};
use crate::telemetry::Telemetry;
use crate::turn::{TurnError, Turns};
use crate::waiters::Waiters;
use crate::writer::{Frames, Writer};

/// The wall clock.
pub type Clock = Arc<dyn Fn() -> Micros + Send + Sync>;

/// What a service is made of.
pub struct Deps {
    /// Where everything durable is.
    pub store: Arc<dyn Store>,
    /// The graph to run.
    pub graph: Arc<Graph>,
    /// Builds graphs of earlier starts again.
    pub restore: Restore,
    /// Effect kinds by `handler_type`.
    pub effects: HashMap<Text, Binding>,
    /// Secrets by name.
    pub secrets: Secrets,
    /// Protects the process from steps.
    pub guard: Box<dyn Guard>,
    /// The wall clock.
    pub clock: Clock,
}

/// A service that has recovered and does not run yet.
pub struct Service {
    turns: Turns,
    handle: Handle,
    activate: Option<Arc<Graph>>,
    options: Options,
}

/// Why a service cannot be built.
#[derive(Debug)]
pub enum BuildError {
    /// The store cannot be gone on with.
    Recover(RecoverError),
    /// A thread could not be started.
    Thread(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Recover(error) => write!(f, "{error}"),
            BuildError::Thread(error) => write!(f, "starting a thread: {error}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Recover(error) => Some(error),
            BuildError::Thread(error) => Some(error),
        }
    }
}

/// Why a service ended before it was asked to.
#[derive(Debug)]
pub enum ServeError {
    /// A thread could not be started.
    Thread(io::Error),
    /// The graph was not taken.
    Activate(String),
    /// The engine thread failed: nothing after its last frame happened.
    Turn(TurnError),
    /// The engine thread panicked: a bug of ours.
    Panicked,
    /// The last checkpoint could not be written.
    Checkpoint(StoreError),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Thread(error) => write!(f, "starting a thread: {error}"),
            ServeError::Activate(why) => write!(f, "activating the contracts: {why}"),
            ServeError::Turn(error) => write!(f, "{error}"),
            ServeError::Panicked => f.write_str("the engine thread panicked"),
            ServeError::Checkpoint(error) => write!(f, "writing the checkpoint: {error}"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ServeError::Thread(error) => Some(error),
            ServeError::Turn(error) => Some(error),
            ServeError::Checkpoint(error) => Some(error),
            ServeError::Activate(_) | ServeError::Panicked => None,
        }
    }
}

/// Builds everything and recovers. Must be called within a tokio runtime, where attempts will run.
///
/// # Errors
/// When the store cannot be read, or a graph of earlier work cannot be built again.
pub fn build(options: Options, deps: Deps) -> Result<(Service, Handle), BuildError> {
    let now = (deps.clock)();
    let store = deps.store;
    let active = recovery::is_active(store.as_ref(), &deps.graph).map_err(BuildError::Recover)?;
    let recovered =
        recovery::recover(store.as_ref(), &deps.graph, &deps.restore, &options.engine, now)
            .map_err(BuildError::Recover)?;
    let graphs = Graphs::new(recovered.active.clone(), store.clone(), deps.restore);
    let engine = Engine::recover(options.engine.clone(), deps.guard, recovered, now)
        .map_err(|error| BuildError::Recover(RecoverError::from(error)))?;
    let inbox = Arc::new(Inbox::new(Limits {
        messages_max: options.inbox_max,
        lane_max: options.inbox_topic_max,
        bytes_max: options.inbox_bytes_max,
    }));
    let performer = Performer::new(Needs {
        effects: deps.effects,
        secrets: deps.secrets,
        attempts_max: options.attempts_max,
        attempts_per_target_max: options.attempts_per_target_max,
        request_fuel: options.request_fuel,
        inbox: inbox.clone(),
        tasks: tokio::runtime::Handle::current(),
    });
    let (durable, seen_durable) = watch::channel(store.durable_to());
    let graphs = Arc::new(graphs);
    let shared = Arc::new(Shared {
        inbox: inbox.clone(),
        waiters: Arc::new(Waiters::default()),
        reader: Reader {
            store: store.clone(),
            graphs: graphs.clone(),
            scan_records_max: options.scan_records_max,
        },
        graphs,
        durable: seen_durable,
        telemetry: Arc::new(Telemetry::default()),
        ready: AtomicBool::new(false),
        pressed: Arc::new(AtomicBool::new(false)),
        backing_up: AtomicBool::new(false),
        began: Instant::now(),
        accept_within: options.accept_within,
    });
    let frames = Frames {
        store: store.clone(),
        telemetry: shared.telemetry.clone(),
        durable: Arc::new(durable),
    };
    let turns = Turns {
        engine,
        store,
        inbox,
        waiters: shared.waiters.clone(),
        performer,
        telemetry: shared.telemetry.clone(),
        writer: Writer::start(frames.clone(), &shared.inbox).map_err(BuildError::Thread)?,
        frames,
        clock: deps.clock,
        pressed: shared.pressed.clone(),
        unwritten_bytes_max: options.unwritten_bytes_max,
        take_max: options.engine.turn_records_max,
        seal_after: options.seal_after,
        state: crate::turn::State::default(),
    };
    let handle = Handle { shared };
    let service = Service {
        turns,
        handle: handle.clone(),
        activate: (!active).then_some(deps.graph),
        options,
    };
    Ok((service, handle))
}

impl Service {
    /// Runs until `shutdown`, then drains and stops. `ready` is told once requests are taken.
    ///
    /// # Errors
    /// When the engine thread ends by itself, or the contracts are not taken. What was answered is
    /// durable even then; nothing else is.
    pub async fn run(
        self,
        ready: oneshot::Sender<()>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let Service { turns, handle, activate, options } = self;
        let shared = handle.shared.clone();
        let store = turns.store.clone();
        let mut engine = spawn_engine(turns)?;

        if let Some(graph) = activate {
            tokio::select! {
                end = &mut engine => return ended(end),
                activated = handle.activate(graph) => {
                    activated.map_err(|refusal| ServeError::Activate(refusal.message))?;
                }
            }
        }
        shared.ready.store(true, Ordering::Release);
        // Who wanted to know may have gone away.
        let _ = ready.send(());
        tokio::select! {
            end = &mut engine => return ended(end),
            () = shutdown => {}
        }

        shared.ready.store(false, Ordering::Release);
        shared.inbox.drain();
        let drained = match tokio::time::timeout(options.drain, &mut engine).await {
            Ok(end) => end,
            Err(_) => {
                tracing::warn!("attempts in flight did not end in time; the next start goes on");
                shared.inbox.stop();
                engine.await
            }
        };
        ended(drained)?;
        let last = tokio::task::spawn_blocking(move || store.commit());
        match last.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(ServeError::Checkpoint(error)),
            Err(_) => Err(ServeError::Panicked),
        }
    }
}

type Ended = oneshot::Receiver<Result<(), TurnError>>;

fn spawn_engine(turns: Turns) -> Result<Ended, ServeError> {
    let (ended, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("engine".into())
        .spawn(move || {
            // Dropped without a word when the thread panics; that is how it is noticed.
            let _ = ended.send(turns.run());
        })
        .map_err(ServeError::Thread)?;
    Ok(receiver)
}

fn ended(end: Result<Result<(), TurnError>, oneshot::error::RecvError>) -> Result<(), ServeError> {
    end.map_err(|_| ServeError::Panicked)?.map_err(ServeError::Turn)
}
