//! The engine's limits, each named.

/// Limits of one engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Records of one turn, deliveries beyond it wait for the next.
    pub turn_records_max: usize,
    /// Records of a turn that are written as soon as no other turn is under way, though more has
    /// arrived: while a frame is synced the next turn is decided.
    pub turn_records_ready: usize,
    /// Bytes of records and rows of one turn; deliveries beyond it wait for the next.
    pub turn_bytes_max: usize,
    /// Evaluation steps of one decision.
    pub fuel: u64,
    /// How long a client's message id is remembered, in microseconds.
    pub dedupe_window_us: u64,
    /// How many client message ids are remembered.
    pub dedupe_ids_max: usize,
    /// Accepted but unfinished work (pending intents, live runs, waiting messages) beyond which
    /// clients are told to come back.
    pub unfinished_max: usize,
    /// How long an intent waits for an open breaker before its first attempt, in milliseconds.
    pub breaker_wait_ms: u64,
    /// Decoded rows kept in memory, in bytes, about.
    pub cache_bytes_max: usize,
    /// How long ended runs are kept, in milliseconds.
    pub ended_runs_ms: u64,
    /// How many ended runs are kept, but for those that must stay.
    pub ended_runs_max: usize,
    /// How long entities in a terminal state are kept, in milliseconds.
    pub terminal_entities_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            turn_records_max: 4096,
            turn_records_ready: 64,
            turn_bytes_max: 8 << 20,
            fuel: 1_000_000,
            dedupe_window_us: 600_000_000,
            dedupe_ids_max: 1_000_000,
            unfinished_max: 200_000,
            breaker_wait_ms: 900_000,
            cache_bytes_max: 256 << 20,
            ended_runs_ms: 86_400_000,
            ended_runs_max: 1_000_000,
            terminal_entities_ms: 30 * 86_400_000,
        }
    }
}
