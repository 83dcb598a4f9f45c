//! `effect_operations`: the menu of an effect.

use super::{At, Data, Located, Word};
use crate::graph::Backoff;
use crate::yaml::Node;

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct EffectOperations<'a> {
    /// Operations in the order written.
    pub operations: Vec<EffectOperation<'a>>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct EffectOperation<'a> {
    /// `operation_name`
    pub name: Word,
    /// The intent type it performs.
    pub on_intent: Option<Word>,
    /// The topic whose messages it performs.
    pub on_topic: Option<Word>,
    /// As said.
    pub idempotent: Option<Located<bool>>,
    /// The key that the target gets.
    pub idempotency_key: Option<Data<'a>>,
    /// False: intents of one entity do not wait for each other.
    pub ordered: bool,
    /// What is asked of the outside world.
    pub io: IoConfig<'a>,
    /// What is made of the answer.
    pub response: ResponseHandling<'a>,
    /// Bounds all attempts.
    pub timeout_ms: Option<Located<u64>>,
    /// When another attempt follows.
    pub retry: Option<RetryPolicy>,
    /// When calls stop.
    pub breaker: Option<BreakerPolicy>,
    /// Published when attempts are used up.
    pub on_exhausted: Option<Publication<'a>>,
}

/// `io_config`
#[derive(Clone, Debug)]
pub(crate) struct IoConfig<'a> {
    /// The whole mapping.
    pub node: &'a Node,
    /// Its place.
    pub at: At,
    /// `handler_type`
    pub kind: Word,
    /// Bounds one attempt.
    pub timeout_ms: Option<u64>,
    /// Every other field.
    pub fields: Vec<(Word, Data<'a>)>,
}

/// `response_handling`
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseHandling<'a> {
    /// Statuses that are success.
    pub success_codes: Option<Located<Vec<u16>>>,
    /// The output's fields.
    pub extract: Option<Data<'a>>,
    /// Published on success.
    pub outcome: Option<Publication<'a>>,
    /// Final answers of their own.
    pub refusals: Vec<RefusalRule<'a>>,
}

/// `{event, payload}`
#[derive(Clone, Debug)]
pub(crate) struct Publication<'a> {
    /// Where.
    pub topic: Word,
    /// What.
    pub payload: Option<Data<'a>>,
}

/// One entry of `refusals`.
#[derive(Clone, Debug)]
pub(crate) struct RefusalRule<'a> {
    /// Where it stands.
    pub at: At,
    /// Statuses it stands for.
    pub codes: Vec<u16>,
    /// What is published.
    pub outcome: Option<Publication<'a>>,
}

/// `retry_policy`
#[derive(Clone, Debug)]
pub(crate) struct RetryPolicy {
    /// Where it stands.
    pub at: At,
    /// False switches retries off.
    pub enabled: bool,
    /// Attempts after the first.
    pub max_retries: Option<u32>,
    /// How the pause grows.
    pub backoff: Option<Backoff>,
    /// First pause.
    pub base_delay_ms: Option<u64>,
    /// Longest pause.
    pub max_delay_ms: Option<u64>,
    /// Random share.
    pub jitter_factor: Option<f64>,
    /// Statuses that may pass.
    pub status_codes: Option<Vec<u16>>,
}

/// `circuit_breaker`
#[derive(Clone, Debug)]
pub(crate) struct BreakerPolicy {
    /// Where it stands.
    pub at: At,
    /// Off unless true.
    pub enabled: bool,
    /// Failures that open it.
    pub failure_threshold: Option<u32>,
    /// Successes that close it.
    pub success_threshold: Option<u32>,
    /// How long it stays open.
    pub timeout_ms: Option<Located<u64>>,
    /// Calls let through while half-open.
    pub half_open_requests: Option<u32>,
}

impl<'a> EffectOperation<'a> {
    /// Everything its end may publish.
    pub(crate) fn publications(&self) -> impl Iterator<Item = &Publication<'a>> {
        let refusals = self.response.refusals.iter().filter_map(|refusal| refusal.outcome.as_ref());
        self.response.outcome.iter().chain(refusals).chain(&self.on_exhausted)
    }
}

impl EffectOperations<'_> {
    /// Index of an operation by name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.operations.iter().position(|operation| operation.name.as_str() == name)
    }
}

impl RetryPolicy {
    /// Whether it asks for a second attempt.
    pub(crate) fn retries(&self) -> bool {
        self.enabled && self.max_retries != Some(0)
    }
}
