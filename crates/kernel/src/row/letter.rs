//! A message given up on.

use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::Text;

use super::{FailedAttempt, Owner};
use crate::{Id, Message, Micros};

/// A message given up on.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its id.
    pub id: Id,
    /// Why.
    pub reason: Reason,
    /// For people.
    pub detail: Text,
    /// The node that could not take or perform it.
    pub node: Option<Text>,
    /// The operation, for an intent.
    pub operation: Option<Text>,
    /// The run, for a compensation.
    pub run_id: Option<Id>,
    /// The step's id.
    pub step: Option<Text>,
    /// The message as it was.
    pub message: Message,
    /// Its offset.
    pub offset: u64,
    /// The intent as it was, so that redrive can go on with it.
    pub owner: Option<Owner>,
    /// Failed attempts.
    pub attempts: Vec<FailedAttempt>,
    /// The graph at the time.
    pub graph: GraphId,
    /// When it was written.
    pub created_at: Micros,
    /// When it was put back.
    pub redriven_at: Option<Micros>,
    /// When it was let go of, and why.
    pub discarded: Option<Discarded>,
}

/// That a letter was let go of.
#[derive(Clone, Debug, PartialEq)]
pub struct Discarded {
    /// When.
    pub at: Micros,
    /// Why, in the words of whoever did it.
    pub reason: Text,
}

/// Where a letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterStatus {
    /// A person has yet to do something about it.
    Open,
    /// It was put back.
    Redriven,
    /// It was let go of.
    Discarded,
}

impl LetterStatus {
    /// Every status.
    pub const ALL: [LetterStatus; 3] =
        [LetterStatus::Open, LetterStatus::Redriven, LetterStatus::Discarded];

    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            LetterStatus::Open => "open",
            LetterStatus::Redriven => "redriven",
            LetterStatus::Discarded => "discarded",
        }
    }
}

impl Letter {
    /// Where it stands: one that was put back after it had been let go of is put back.
    pub fn status(&self) -> LetterStatus {
        if self.redriven_at.is_some() {
            LetterStatus::Redriven
        } else if self.discarded.is_some() {
            LetterStatus::Discarded
        } else {
            LetterStatus::Open
        }
    }

    /// Whether a person has yet to do something about it.
    pub fn is_open(&self) -> bool {
        self.status() == LetterStatus::Open
    }
}

/// Why a message is a dead letter (interfaces.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// It does not satisfy a schema.
    InvalidPayload = 0,
    /// No transition mentions it.
    Unhandled = 1,
    /// No entity key.
    NoKey = 2,
    /// A guard failed while running.
    GuardError = 3,
    /// Another expression failed while running.
    ExpressionError = 4,
    /// The target said no for good.
    Refused = 5,
    /// A step could not be undone.
    CompensationFailed = 6,
    /// Attempts or time used up.
    Exhausted = 7,
    /// Begun before a crash, outcome never seen.
    InDoubt = 8,
    /// Waited too long for an open breaker.
    Expired = 9,
    /// Out of fuel.
    Exceeded = 10,
    /// Larger than a limit.
    TooLarge = 11,
    /// Nobody takes it.
    NoRoute = 12,
    /// Its step panicked.
    StepPanicked = 13,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 14] = [
        Reason::InvalidPayload,
        Reason::Unhandled,
        Reason::NoKey,
        Reason::GuardError,
        Reason::ExpressionError,
        Reason::Refused,
        Reason::CompensationFailed,
        Reason::Exhausted,
        Reason::InDoubt,
        Reason::Expired,
        Reason::Exceeded,
        Reason::TooLarge,
        Reason::NoRoute,
        Reason::StepPanicked,
    ];

    /// The word on the interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InvalidPayload => "invalid_payload",
            Reason::Unhandled => "unhandled",
            Reason::NoKey => "no_key",
            Reason::GuardError => "guard_error",
            Reason::ExpressionError => "expression_error",
            Reason::Refused => "refused",
            Reason::CompensationFailed => "compensation_failed",
            Reason::Exhausted => "exhausted",
            Reason::InDoubt => "in_doubt",
            Reason::Expired => "expired",
            Reason::Exceeded => "exceeded",
            Reason::TooLarge => "too_large",
            Reason::NoRoute => "no_route",
            Reason::StepPanicked => "step_panicked",
        }
    }
}
