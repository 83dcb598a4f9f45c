//! Limits of the shell, each named. Those of the engine stand in its own options.

use std::time::Duration;

/// What one host may hold and how long it waits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Limits of the engine.
    pub engine: onex_engine::Options,
    /// Messages that may wait for the engine; one more is told to come back.
    pub inbox_max: usize,
    /// Messages of one topic, or starts of one workflow, that may wait.
    pub inbox_topic_max: usize,
    /// Bytes of payloads that may wait.
    pub inbox_bytes_max: usize,
    /// How long a start of a run may take to be durable before its client is told to look again.
    pub accept_within: Duration,
    /// Attempts under way; more wait for their turn.
    pub attempts_max: usize,
    /// Attempts under way at one effect node; more wait for their turn.
    pub attempts_per_target_max: usize,
    /// Evaluation steps for rendering one request.
    pub request_fuel: u64,
    /// How long a drain waits for attempts in flight.
    pub drain: Duration,
    /// Bytes of unwritten rows above which clients are told to come back.
    pub unwritten_bytes_max: u64,
    /// How long the log rests after traffic before its tail is sealed.
    pub seal_after: Duration,
    /// Records that one query of the log looks at before it answers with what it has.
    pub scan_records_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            engine: onex_engine::Options::default(),
            inbox_max: 262_144,
            inbox_topic_max: 131_072,
            inbox_bytes_max: 512 << 20,
            accept_within: Duration::from_secs(30),
            attempts_max: 4096,
            attempts_per_target_max: 512,
            request_fuel: 1_000_000,
            drain: Duration::from_secs(30),
            unwritten_bytes_max: 512 << 20,
            seal_after: Duration::from_secs(1),
            scan_records_max: 1_000_000,
        }
    }
}
