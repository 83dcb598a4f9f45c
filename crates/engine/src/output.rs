//! What the engine asks of its shell: a closed set.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Graph, NodeIndex};
use onex_expr::{Text, Value};
use onex_kernel::row::RunStatus;
use onex_kernel::{Id, Message, Micros};

use crate::Ticket;

/// One output.
#[derive(Debug)]
pub enum Output {
    /// Give these rows with `Input::Loaded`.
    Load(Vec<Arc<[u8]>>),
    /// Make one frame of these records durable, then say `Input::Synced`. At most one is in flight.
    Write(Vec<Record>),
    /// Begin an attempt, answer with `Input::Answered`.
    Perform(Perform),
    /// Answer a request.
    Reply(Ticket, Reply),
    /// A run is over and durable: whoever waits for it may be told.
    RunEnded(RunEnd),
    /// Say `Input::Tick` at this time; replaces an earlier wish.
    WakeAt(Micros),
    /// Nothing is in flight any more.
    Drained,
}

/// A row put or deleted.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// Which.
    pub key: Arc<[u8]>,
    /// Its bytes unless it is deleted.
    pub value: Option<Arc<[u8]>>,
    /// Whether there is no such row before.
    pub fresh: bool,
}

/// One record of a frame: what came in, and the rows that its step put or deleted.
#[derive(Clone, Debug)]
pub struct Record {
    /// Virtual partition.
    pub partition: u16,
    /// See `codec::record`.
    pub body: Vec<u8>,
    /// Bytes of its end that are the payload.
    pub payload_bytes: usize,
    /// In order: a later change of the same row wins.
    pub rows: Vec<RowChange>,
}

/// An attempt to begin.
#[derive(Clone, Debug)]
pub struct Perform {
    /// The intent's message; its id is the idempotency key.
    pub intent: Arc<Message>,
    /// Number of this attempt, for `Input::Answered`.
    pub attempt: u64,
    /// The graph that the intent stays with.
    pub graph: Arc<Graph>,
    /// The effect.
    pub node: NodeIndex,
    /// Index of the operation.
    pub operation: u16,
    /// How long it may take, in milliseconds: what bounds an attempt, or what is left of the time
    /// for all of them.
    pub timeout_ms: u64,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// Which.
    pub run_id: Id,
    /// Its orchestrator.
    pub node: Text,
    /// How.
    pub status: RunStatus,
    /// Its story.
    pub correlation_id: Id,
    /// What it yielded.
    pub result: Value,
    /// Why it failed: code, message, step.
    pub error: Option<(Text, Text, Option<Text>)>,
}

/// The answer to one message of a batch: its id, its offset, and whether it had been accepted before.
pub type ItemAnswer = Result<(Id, u64, bool), Refusal>;

/// The answer to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A message is durable.
    Accepted {
        /// Its id.
        id: Id,
        /// Its offset.
        offset: u64,
        /// Whether it had been accepted before; then nothing happened now.
        repeated: bool,
    },
    /// One answer a message of a batch.
    Batch(Vec<ItemAnswer>),
    /// A run began, or had begun before.
    Started {
        /// The run.
        run_id: Id,
        /// Its status when answered.
        status: RunStatus,
        /// Its story.
        correlation_id: Id,
        /// Whether it had begun before; the shell then reads its row.
        repeated: bool,
    },
    /// A cancel or retry of a run was recorded.
    Done,
    /// What became of each letter.
    Redriven {
        /// Put back (or would be).
        redriven: Vec<Id>,
        /// Not put back, and why.
        refused: Vec<(Id, String)>,
    },
    /// What became of each letter that was to be let go of.
    Discarded {
        /// Let go of.
        discarded: Vec<Id>,
        /// Not, and why.
        refused: Vec<(Id, String)>,
    },
    /// A new graph is active from this offset on.
    Activated {
        /// The first offset under it.
        offset: u64,
    },
    /// No.
    Refused(Refusal),
}

/// Why a request was refused. `status` is HTTP's.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// 400, 403, 404, 409, 413, 422, 429 or 503.
    pub status: u16,
    /// Stable word: `unknown_topic`, `internal_topic`, `invalid_payload`, `id_reused`,
    /// `unknown_node`, `run_key_live`, `run_ended`, `unknown_run`, `busy`, `draining`, ...
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Located findings of a schema: JSON pointer and message.
    pub misfits: Vec<(String, String)>,
    /// The limit that stands in the way, by its key in the configuration.
    pub limit: Option<&'static str>,
    /// The run that holds a `run_key`, or was begun by this Idempotency-Key.
    pub run_id: Option<Id>,
}
