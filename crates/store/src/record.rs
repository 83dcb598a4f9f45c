//! What goes into the store and what comes out: opaque records with the rows they changed.

use std::sync::Arc;

use crate::codec::EncodedRows;

/// Key of a row; rows are ordered by its bytes.
pub type RowKey = Arc<[u8]>;

/// Content of a row, opaque to the store.
pub type RowBytes = Arc<[u8]>;

/// One row put or deleted by a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The row.
    pub key: RowKey,
    /// Its new content; `None` deletes the row.
    pub value: Option<RowBytes>,
    /// Whether the writer knows that there is no such row before this change. If it is deleted
    /// before a checkpoint takes it, nothing has to be remembered of it. `false` is always right.
    pub fresh: bool,
}

/// One record of a turn: an opaque body and the rows its step put or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Virtual partition of the record, carried along unchanged.
    pub partition: u16,
    /// The record as its writer encoded it.
    pub body: Vec<u8>,
    /// How many bytes at the end of the body are its payload: what may be kept beside the log when
    /// it is large. Read back, the body is whole again.
    pub payload_bytes: usize,
    /// Rows changed, in order; a later change of the same key wins.
    pub rows: Vec<RowChange>,
}

/// One durable record as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Position of the record in the log.
    pub offset: u64,
    /// Virtual partition given when it was appended.
    pub partition: u16,
    /// Record time of its turn, in microseconds.
    pub time_micros: u64,
    /// The record as its writer encoded it.
    pub body: Arc<[u8]>,
    /// The rows it changed, decoded on demand.
    pub rows: EncodedRows,
}
