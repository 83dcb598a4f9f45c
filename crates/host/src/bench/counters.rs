//! What a host counted: read from its metrics before and after a load.

use std::collections::BTreeMap;

use http_body_util::BodyExt;

use crate::client::{Client, unreachable};
use crate::fault::Fault;

/// Counters of one moment.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    frames: f64,
    records: f64,
    cpu_s: f64,
    /// Syncs no longer than this many nanoseconds.
    syncs: BTreeMap<u64, f64>,
}

/// What happened between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Between {
    /// The median time to write and sync a frame, in microseconds.
    pub sync_p50_us: f64,
    /// CPU time of the host, in microseconds.
    pub cpu_us: f64,
    /// Records in one frame.
    pub records_per_sync: f64,
}

/// Reads a host's counters.
pub async fn read(client: &Client, url: &str) -> Result<Counters, Fault> {
    let response = client.get("/metrics").send().await?;
    let body = response.into_body().collect().await;
    let bytes = body.map_err(|error| unreachable(url, &error.to_string()))?.to_bytes();
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

fn parse(text: &str) -> Counters {
    let mut counters = Counters::default();
    for line in text.lines() {
        let Some((name, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let Ok(value) = value.parse::<f64>() else {
            continue;
        };
        match name {
            "onex_frames_total" => counters.frames = value,
            "onex_records_total" => counters.records = value,
            "onex_process_cpu_seconds" => counters.cpu_s = value,
            _ => {
                let bound = name
                    .strip_prefix("onex_sync_seconds_bucket{le=\"")
                    .and_then(|rest| rest.strip_suffix("\"}"))
                    .and_then(|bound| bound.parse::<f64>().ok());
                if let Some(bound) = bound {
                    counters.syncs.insert((bound * 1e9) as u64, value);
                }
            }
        }
    }
    counters
}

impl Counters {
    /// What happened since an earlier moment.
    pub fn since(&self, earlier: &Counters) -> Between {
        let frames = self.frames - earlier.frames;
        Between {
            sync_p50_us: self.sync_p50_us(earlier),
            cpu_us: (self.cpu_s - earlier.cpu_s) * 1e6,
            records_per_sync: if frames > 0.0 {
                (self.records - earlier.records) / frames
            } else {
                0.0
            },
        }
    }

    /// The median, between the bounds of its bucket in proportion.
    fn sync_p50_us(&self, earlier: &Counters) -> f64 {
        let counted = |bound: &u64, count: &f64| count - earlier.syncs.get(bound).unwrap_or(&0.0);
        let total =
            self.syncs.iter().next_back().map_or(0.0, |(bound, count)| counted(bound, count));
        let half = total / 2.0;
        let (mut below, mut lower) = (0.0, 0.0);
        for (bound, count) in &self.syncs {
            let count = counted(bound, count);
            let upper = *bound as f64 / 1000.0;
            if count >= half && count > below {
                return lower + (upper - lower) * (half - below) / (count - below);
            }
            (below, lower) = (count, upper);
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
onex_frames_total 10
onex_records_total 10
onex_process_cpu_seconds 1.5
onex_sync_seconds_bucket{le=\"0.0001\"} 10
onex_sync_seconds_bucket{le=\"0.0002\"} 10
onex_sync_seconds_bucket{le=\"+Inf\"} 10
";
    const AFTER: &str = "\
onex_frames_total 30
onex_records_total 70
onex_process_cpu_seconds 1.75
onex_sync_seconds_bucket{le=\"0.0001\"} 15
onex_sync_seconds_bucket{le=\"0.0002\"} 25
onex_sync_seconds_bucket{le=\"+Inf\"} 30
";

    #[test]
    fn what_happened_is_the_difference_of_two_readings() {
        let between = parse(AFTER).since(&parse(BEFORE));
        assert!((between.cpu_us - 250_000.0).abs() < 1e-3);
        assert!((between.records_per_sync - 3.0).abs() < 1e-9);
        // Half of 20 syncs is reached in the middle of the bucket from 100 to 200 us.
        assert!((between.sync_p50_us - 150.0).abs() < 1e-3);
    }
}
