//! A linked effect.

use onex_expr::{Template, Text};

/// Operations around the outside world.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The menu, in the order written.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `operation_name`.
    pub name: Text,
    /// `handler_type`: the effect kind that performs it.
    pub kind: Text,
    /// `io_config` without `handler_type` and `timeout_ms`: a map. Only here may `secret` be read.
    pub request: Template,
    /// The key that the target gets in the header `Idempotency-Key`.
    pub idempotency_key: Option<Template>,
    /// Names of the secrets that `request` reads.
    pub secrets: Vec<Text>,
    /// Bounds one attempt.
    pub attempt_timeout_ms: u64,
    /// `operation_timeout_ms`: bounds all attempts and pauses from the first on.
    pub timeout_ms: u64,
    /// Whether it may be attempted again.
    pub idempotent: bool,
    /// When and how often it is.
    pub retry: Retry,
    /// Stops calls to a failing target.
    pub breaker: Option<Breaker>,
    /// Whether the intents of one entity wait for each other.
    pub ordered: bool,
    /// Whether answers carry a status that `success_codes` judges.
    pub has_status: bool,
    /// Statuses that are success.
    pub success_codes: Vec<u16>,
    /// The output's fields; `None`: the outcome's payload, else `response.body`.
    pub extract: Option<Template>,
    /// What is published on success.
    pub outcome: Option<Published>,
    /// What is published on final answers, by status.
    pub refusals: Vec<Refusal>,
    /// What is published when attempts are used up.
    pub on_exhausted: Option<Published>,
}

/// A message that an operation's end publishes.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where.
    pub topic: Text,
    /// What; `None`: the output, or what was given plus `error`.
    pub payload: Option<Template>,
}

/// A final answer with an outcome of its own.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Statuses it stands for.
    pub codes: Vec<u16>,
    /// What is published, if anything.
    pub outcome: Option<Published>,
}

/// When an attempt is followed by another (spec section 4.4.6).
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts after the first.
    pub max_retries: u32,
    /// How the pause grows.
    pub backoff: Backoff,
    /// First pause.
    pub base_delay_ms: u64,
    /// Longest pause.
    pub max_delay_ms: u64,
    /// Share of the pause that is random, 0 to 0.5, both ways.
    pub jitter_factor: f64,
    /// Statuses that may pass; `None`: 408, 425, 429 and 5xx.
    pub status_codes: Option<Vec<u16>>,
}

/// Growth of the pause between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// base x 2^n
    Exponential,
    /// base x (n + 1)
    Linear,
    /// base
    Fixed,
}

/// Limits of a breaker (spec section 4.4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failure_threshold: u32,
    /// Successes in half-open that close it.
    pub success_threshold: u32,
    /// How long it stays open.
    pub timeout_ms: u64,
    /// Calls let through at a time while half-open.
    pub half_open_requests: u32,
}
