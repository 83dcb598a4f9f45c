//! What a host costs that only stands there, and how long it takes to stand again.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use onex_expr::Value;

use super::report::{ready_ms, rounded};
use super::server::{End, Server};
use super::workload::{Requests, Workload};
use crate::fault::Fault;

/// How long the plain file is written.
const RAW_FOR: Duration = Duration::from_secs(1);

/// Ticks of CPU time a second, as the system counts them for programs.
const TICKS_PER_S: f64 = 100.0;

/// One thing that was measured: name, unit, value.
pub type Figure = (&'static str, &'static str, Option<f64>);

/// CPU and disk writes of a host to which nothing is sent.
pub fn idle(server: &Server, duration: Duration) -> Vec<Figure> {
    let before = (ticks(server), written(server));
    // The span is what is measured, and there is nothing to wait for: nothing should happen.
    std::thread::sleep(duration);
    let spent = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
    let ticks = spent(ticks(server), before.0);
    let percent = ticks.map(|ticks| ticks / TICKS_PER_S / duration.as_secs_f64() * 100.0);
    vec![
        ("idle_cpu", "% of a core", percent),
        ("idle_writes", "bytes", spent(written(server), before.1)),
        ("memory", "MiB", memory(server)),
    ]
}

/// How long a host takes to be ready again after being killed, and after a clean stop.
pub fn restart(server: &mut Server) -> Result<Vec<Figure>, Fault> {
    let mut figures = Vec::new();
    for (name, end) in [("ready_after_kill", End::Kill), ("ready_after_stop", End::Terminate)] {
        server.restart(end)?;
        figures.push((name, "ms", Some(ready_ms(server.ready_after))));
    }
    figures.push(("memory_after_restart", "MiB", memory(server)));
    Ok(figures)
}

/// Messages a second that a plain file takes beside the host's data, one sync a batch: what no log
/// could be faster than.
pub fn raw_log(server: &Server) -> Result<Figure, Fault> {
    let writing = |error| Fault::doing("writing a plain file", error);
    let requests = Requests::new(Workload::C, &server.address, 1);
    let batch = requests.blank();
    let path = server.folder().join("raw");
    let mut file = File::create(&path).map_err(writing)?;
    let (began, mut batches) = (Instant::now(), 0_u64);
    while began.elapsed() < RAW_FOR {
        file.write_all(&batch).and_then(|()| file.sync_data()).map_err(writing)?;
        batches += 1;
    }
    let messages = (batches * Workload::C.units()) as f64 / began.elapsed().as_secs_f64();
    std::fs::remove_file(&path).map_err(writing)?;
    Ok(("raw_log", "messages/s", Some(messages)))
}

/// Figures for programs.
pub fn value(figures: &[Figure]) -> Value {
    Value::map(figures.iter().map(|(name, _, figure)| {
        (*name, figure.map_or(Value::Null, |figure| Value::Double(rounded(figure))))
    }))
}

fn ticks(server: &Server) -> Option<f64> {
    let stat = server.said("stat")?;
    // Behind the name, which may hold anything, in parentheses: the 12th and 13th field.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
    Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
}

fn written(server: &Server) -> Option<f64> {
    field(&server.said("io")?, "write_bytes:")
}

fn memory(server: &Server) -> Option<f64> {
    Some(field(&server.said("status")?, "VmRSS:")? / 1024.0)
}

fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
