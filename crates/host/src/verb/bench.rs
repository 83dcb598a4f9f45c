//! `onex bench`: requests a second, latencies, syncs and CPU of a host, over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::wait;
use crate::bench::report::{self, Line};
use crate::bench::server::Server;
use crate::bench::workload::Workload;
use crate::bench::{counters, load};
use crate::cli::Output;
use crate::client::Client;
use crate::config::unit;
use crate::fault::{Exit, Fault};
use crate::print;

/// Before each measurement the same load runs for this part of its time, uncounted.
const WARM_UP_PART: u32 = 5;

/// What `onex bench` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Starts a host of its own on a temporary folder, with syncs on, and asks it over HTTP.
  A  three `echo` effects in a row, each outcome durable before the next step begins
  B  three computes in a row, in one commit
  C  batches of 512 messages of 256 bytes to a reducer that counts by 20,000 keys
A unit is a workflow of A and B, and a message of C.
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
    let server = match &arguments.url {
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
    if arguments.output.is_json() {
        print::value(&report::value(&lines, ready_after))?;
    } else {
        report::table(&lines)?;
        if let Some(ready) = ready_after {
            print::line(format!("ready after {} ms", ready.as_millis()))?;
        }
    }
    Ok(if lines.iter().all(Line::is_clean) { Exit::Done } else { Exit::No })
}

async fn measure(arguments: &Arguments, url: &str) -> Result<Vec<Line>, Fault> {
    let client = Client::new(url)?;
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut lines = Vec::new();
    for workload in &arguments.workload {
        for clients in &arguments.clients {
            let warm_up = arguments.duration / WARM_UP_PART;
            load::run(address, *workload, *clients, warm_up).await?;
            let before = counters::read(&client, url).await?;
            let seen = load::run(address, *workload, *clients, arguments.duration).await?;
            let after = counters::read(&client, url).await?;
            let between = after.since(&before);
            lines.push(Line::new(*workload, *clients, &seen, &between));
        }
    }
    Ok(lines)
}
