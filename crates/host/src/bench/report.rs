//! What a measurement says.

use std::time::Duration;

use onex_expr::Value;

use super::counters::Between;
use super::load::Seen;
use super::standing::{self, Figure};
use super::workload::Workload;
use crate::fault::Fault;
use crate::print;

/// One line of the report.
pub struct Line {
    workload: Workload,
    clients: usize,
    completed: u64,
    failed: u64,
    requests_per_s: f64,
    units_per_s: f64,
    p50_us: u64,
    p99_us: u64,
    sync_p50_us: f64,
    cpu_us_per_unit: f64,
    records_per_sync: f64,
}

impl Line {
    /// A line from what clients saw and what the host counted.
    pub fn new(workload: Workload, clients: usize, seen: &Seen, between: &Between) -> Line {
        let completed = seen.completed as f64;
        Line {
            workload,
            clients,
            completed: seen.completed,
            failed: seen.failed,
            requests_per_s: seen.latencies.len() as f64 / seen.took.as_secs_f64(),
            units_per_s: completed / seen.took.as_secs_f64(),
            p50_us: seen.latencies.value_at_quantile(0.5),
            p99_us: seen.latencies.value_at_quantile(0.99),
            sync_p50_us: between.sync_p50_us,
            cpu_us_per_unit: between.cpu_us / completed.max(1.0),
            records_per_sync: between.records_per_sync,
        }
    }

    /// Whether everything ended well.
    pub fn is_clean(&self) -> bool {
        self.failed == 0
    }

    fn value(&self) -> Value {
        let count = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        Value::map([
            ("workload", Value::text(self.workload.word())),
            ("clients", count(self.clients as u64)),
            ("completed", count(self.completed)),
            ("failed", count(self.failed)),
            ("requests_per_s", Value::Double(rounded(self.requests_per_s))),
            ("units_per_s", Value::Double(rounded(self.units_per_s))),
            ("p50_us", count(self.p50_us)),
            ("p99_us", count(self.p99_us)),
            ("sync_p50_us", Value::Double(rounded(self.sync_p50_us))),
            ("cpu_us_per_workflow", Value::Double(rounded(self.cpu_us_per_unit))),
            ("records_per_sync", Value::Double(rounded(self.records_per_sync))),
        ])
    }
}

/// To one digit behind the point.
pub fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A time to be ready, in milliseconds.
pub fn ready_ms(ready: Duration) -> f64 {
    ready.as_secs_f64() * 1000.0
}

/// The report for programs.
pub fn value(lines: &[Line], ready_after: Option<Duration>, figures: &[Figure]) -> Value {
    let ready = ready_after.map_or(Value::Null, |ready| Value::Double(rounded(ready_ms(ready))));
    Value::map([
        ("ready_ms", ready),
        ("results", Value::list(lines.iter().map(Line::value).collect())),
        ("figures", standing::value(figures)),
    ])
}

/// The report for people.
pub fn table(lines: &[Line]) -> Result<(), Fault> {
    let rows = lines.iter().map(|line| {
        [
            line.workload.word().to_owned(),
            line.clients.to_string(),
            format!("{:.0}", line.requests_per_s),
            format!("{:.0}", line.units_per_s),
            line.p50_us.to_string(),
            line.p99_us.to_string(),
            format!("{:.0}", line.sync_p50_us),
            format!("{:.1}", line.cpu_us_per_unit),
            format!("{:.1}", line.records_per_sync),
            line.failed.to_string(),
        ]
    });
    let headings = [
        "workload",
        "clients",
        "requests/s",
        "units/s",
        "p50 us",
        "p99 us",
        "sync p50 us",
        "cpu us/unit",
        "records/sync",
        "failed",
    ];
    print::table(headings, rows.collect())
}
