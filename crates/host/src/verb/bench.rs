//! `onex bench`: requests a second, latencies, syncs and CPU of a host, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::wait;
use crate::bench::counters;
use crate::bench::load::{self, Until};
use crate::bench::report::{self, Line};
use crate::bench::server::Server;
use crate::bench::standing::{self, Figure};
use crate::bench::workload::Workload;
use crate::cli::Output;
use crate::client::Client;
use crate::config::unit;
use crate::fault::{Exit, Fault};
use crate::print;

/// Before each measurement the same load runs for this part of its time, uncounted.
const WARM_UP_PART: u32 = 5;

/// Most keys: their digits have room.
const KEYS_MAX: u64 = 9_999_999_999;

/// What `onex bench` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Starts a host of its own on a temporary folder, with syncs on, and asks it over HTTP.
  A  three `echo` effects in a row, each outcome durable before the next step begins
  B  three computes in a row, in one commit
  C  batches of 512 messages of 256 bytes to a reducer that counts by key
  D  the same to a reducer in which each message arms the timer of its key anew, a day ahead
A unit is a workflow of A and B, and a message of C and D.
The time of a sync is measured in the same run, by the host, because everything depends on it.")]
pub struct Arguments {
    /// Which workloads
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["a", "b"])]
    workload: Vec<Workload>,
    /// How many clients at a time
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    clients: Vec<usize>,
    /// How long each measurement takes
    #[arg(long, default_value = "5s", value_parser = duration)]
    duration: Duration,
    /// How many keys C and D spread their messages over
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=KEYS_MAX))]
    keys: u64,
    /// Before that, send C or D one message for each key, and say what that took
    #[arg(long)]
    fill: bool,
    /// Afterwards, watch the host so long while nothing is sent
    #[arg(long, value_parser = duration, conflicts_with = "url")]
    idle: Option<Duration>,
    /// Afterwards, kill the host and start it again, stop it and start it again
    #[arg(long, conflicts_with = "url")]
    restart: bool,
    /// The folder in which the host under test keeps its data for the time being
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Measure this host, which must run the contracts of the benchmark
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    output: Output,
}

fn duration(text: &str) -> Result<Duration, String> {
    unit::read_duration(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "a span of time, such as 5s".to_owned())
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let mut server = match &arguments.url {
        Some(_) => None,
        None => Some(Server::start(arguments.data.as_deref())?),
    };
    let url = match (&arguments.url, &server) {
        (Some(url), _) => url.clone(),
        (None, Some(server)) => format!("http://{}", server.address),
        (None, None) => String::new(),
    };
    let lines = wait(measure(arguments, &url))?;
    let ready_after = server.as_ref().map(|server| server.ready_after);
    let figures = match &mut server {
        Some(server) => stand(arguments, server)?,
        None => Vec::new(),
    };
    if arguments.output.is_json() {
        print::value(&report::value(&lines, ready_after, &figures))?;
    } else {
        report::table(&lines)?;
        if let Some(ready) = ready_after {
            print::line(format!("ready after {} ms", ready.as_millis()))?;
        }
        for (name, unit, figure) in figures {
            let figure = figure.map_or("not known here".to_owned(), |f| format!("{f:.1} {unit}"));
            print::line(format!("{} {figure}", name.replace('_', " ")))?;
        }
    }
    Ok(if lines.iter().all(Line::is_clean) { Exit::Done } else { Exit::No })
}

fn stand(arguments: &Arguments, server: &mut Server) -> Result<Vec<Figure>, Fault> {
    let mut figures = Vec::new();
    if arguments.workload.iter().any(|workload| workload.is_stream()) {
        figures.push(standing::raw_log(server)?);
    }
    if let Some(duration) = arguments.idle {
        figures.extend(standing::idle(server, duration));
    }
    if arguments.restart {
        figures.extend(standing::restart(server)?);
    }
    Ok(figures)
}

async fn measure(arguments: &Arguments, url: &str) -> Result<Vec<Line>, Fault> {
    let client = Client::new(url)?;
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut lines = Vec::new();
    for workload in arguments.workload.iter().copied() {
        let load = |clients, until| load::run(address, workload, arguments.keys, clients, until);
        let most = arguments.clients.iter().copied().max().unwrap_or(1);
        if arguments.fill && workload.is_stream() {
            let before = counters::read(&client, url).await?;
            let seen = load(most, Until::Units(arguments.keys)).await?;
            let between = counters::read(&client, url).await?.since(&before);
            lines.push(Line::new(workload, most, &seen, &between));
        }
        for clients in arguments.clients.iter().copied() {
            load(clients, Until::For(arguments.duration / WARM_UP_PART)).await?;
            let before = counters::read(&client, url).await?;
            let seen = load(clients, Until::For(arguments.duration)).await?;
            let between = counters::read(&client, url).await?.since(&before);
            lines.push(Line::new(workload, clients, &seen, &between));
        }
    }
    Ok(lines)
}
