//! `onex run`: the host. Nothing starts unless every contract passes the check.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use onex_contract::diagnostic::Severity;
use onex_contract::graph::Graph;
use onex_runtime::{Handle, ServeError, Service};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use super::check;
use crate::compose::{self, Durable};
use crate::config::setting::Argument;
use crate::config::{Config, open_files};
use crate::fault::{Exit, Fault};
use crate::http::{Port, router, serve};
use crate::print;
use crate::system::{System, configure};

mod change;
mod hint;

/// What `onex run` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints `ready http://ADDR` on stdout when it takes requests. SIGTERM and Ctrl-C drain: what is
accepted and under way ends, the rest goes on with the next start. Nothing accepted is ever lost.
  onex run examples/01-order-fulfilment
  onex run contracts --data /var/lib/onex --listen 0.0.0.0:8085")]
pub struct Arguments {
    /// A contract file, or a folder with contracts
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The data folder (default: ./.onex); one host at a time holds it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port (default: 127.0.0.1:8085); port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Configuration file (default: `onex.toml` beside the path)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep everything in memory and forget it at the end
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Start even where the contracts changed in a way that does not fit what is alive
    #[arg(long)]
    yes: bool,
    /// Threads that serve requests and perform effects (default: one a core)
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
}

impl Arguments {
    fn layer(&self) -> Vec<Argument> {
        let data = self.data.as_ref().map(|data| data.display().to_string());
        let given = [
            ("store.data", data, "--data"),
            ("server.listen", self.listen.clone(), "--listen"),
            ("store.memory", self.memory.then(|| "true".into()), "--memory"),
            ("server.workers", self.workers.map(|workers| workers.to_string()), "--workers"),
        ];
        given
            .into_iter()
            .filter_map(|(key, value, name)| Some(Argument { key, value: value?, name }))
            .collect()
    }
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    open_files()?;
    let config = configure(&arguments.path, arguments.config.as_deref(), arguments.layer())?;
    let paths = std::slice::from_ref(&arguments.path);
    let mut system = System::load(paths, &config, true)?;
    let graph = graph(&mut system)?;
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.server.workers)
        .enable_all()
        .build()
        .map_err(|error| Fault::doing("starting threads", error))?;
    let durable = compose::open(&config)?;
    change::review(&*durable.0, &system, &graph, arguments.yes)?;
    let ended = runtime.block_on(host(&config, graph, durable));
    // Nothing that still runs may keep the process: what is durable is durable.
    runtime.shutdown_background();
    ended
}

/// Takes as many open files as there may be; too few are refused here and not under load.
fn open_files() -> Result<(), Fault> {
    open_files::raise();
    let (most, least) = (open_files::most(), open_files::LEAST);
    if most < least {
        let what = format!("the limit on open files is {most}, a host needs {least}");
        return Err(
            Fault::no(what).help("raise it with `ulimit -n 1024`, or in the service's unit")
        );
    }
    Ok(())
}

/// The graph to run; findings are shown, errors stop.
fn graph(system: &mut System) -> Result<Graph, Fault> {
    let findings = &mut system.checked.diagnostics;
    findings.retain(|finding| finding.severity > Severity::Note);
    if !findings.is_empty() {
        print::note(system.findings(print::has_reader()));
    }
    match system.checked.graph.take() {
        Some(graph) => Ok(graph),
        None => Err(Fault::no(check::summary(system)).help("nothing was started")),
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("ONEX_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // Fails only when somebody else has set one, which then is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(print::has_reader())
        .try_init();
}

async fn host(config: &Config, graph: Graph, durable: Durable) -> Result<Exit, Fault> {
    let mut signals = Signals::listen()?;
    let (service, handle) = compose::host(config, graph, durable)?;
    tracing::info!(
        open_files = open_files::most(),
        connections_max = config.server.connections_max,
        attempts_max = config.runtime.attempts_max,
        "limits"
    );
    let (listener, address) = listen(&config.server.listen).await?;
    let port = Port { handle: handle.clone(), limits: Arc::new(config.server.clone()) };
    let (close, closed) = oneshot::channel::<()>();
    let limits = port.limits.clone();
    let serving = tokio::spawn(async move {
        serve::serve(listener, router(port), &limits, async {
            // Dropped or told: both mean close.
            let _ = closed.await;
        })
        .await;
    });
    let ended = serve_until_signal(service, &handle, &mut signals, address).await;
    // Health has answered until here.
    let _ = close.send(());
    if ended.is_ok() {
        let _ = serving.await;
    }
    ended.map(|()| Exit::Done).map_err(failed)
}

async fn serve_until_signal(
    service: Service,
    handle: &Handle,
    signals: &mut Signals,
    address: SocketAddr,
) -> Result<(), ServeError> {
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = service.run(ready, async {
        let _ = stopped.await;
    });
    let mut running = std::pin::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = signals.next() => {}
        Ok(()) = is_ready => {
            // A closed stdout is no reason to stop.
            let _ = print::line(format!("ready http://{address}"));
            if print::has_reader() {
                print::note(hint::text(&handle.graph(), &address.to_string()));
            }
            tokio::select! {
                ended = &mut running => return ended,
                () = signals.next() => {}
            }
        }
    }
    let _ = stop.send(());
    tokio::select! {
        ended = &mut running => ended,
        () = signals.next() => {
            tracing::warn!("told to stop twice: what is under way goes on with the next start");
            Ok(())
        }
    }
}

fn failed(error: ServeError) -> Fault {
    let exit = match error {
        ServeError::Panicked => Exit::Bug,
        _ => Exit::No,
    };
    Fault::new(exit, error.to_string())
        .help("everything that was answered is durable; start again to go on from there")
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Fault> {
    let doing = || format!("listening on {address}");
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Fault::doing(doing(), error).help("--listen 127.0.0.1:0 takes a free port")
    })?;
    let bound = listener.local_addr().map_err(|error| Fault::doing(doing(), error))?;
    Ok((listener, bound))
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, Fault> {
        let doing = |error| Fault::doing("listening for signals", error);
        Ok(Signals {
            terminate: signal(SignalKind::terminate()).map_err(doing)?,
            interrupt: signal(SignalKind::interrupt()).map_err(doing)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
