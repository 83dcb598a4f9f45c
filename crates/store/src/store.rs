//! The one seam of the crate: what every store does, whatever keeps its bytes.

use std::io;

use crate::backup::Summary;
use crate::{Record, RowBytes, RowKey, StoreError, Stored};

/// Longest key of a row, in bytes.
pub const KEY_BYTES_MAX: usize = 32 * 1024;

/// Longest content of a row, in bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest record with its rows as encoded, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A durable log of records and the rows they changed.
///
/// Every call may be made from any thread. After an error of kind
/// [`StoreError::Poisoned`] no call succeeds any more: the process ends and recovers.
pub trait Store: Send + Sync {
    /// Makes one turn durable (one frame, one sync), then its rows readable.
    ///
    /// Returns the offset of its first record. `time_micros` is the record time of the turn;
    /// a time before that of an earlier turn counts as that one. An empty turn writes nothing.
    ///
    /// # Errors
    /// `TooLarge` and `Full` when nothing was written; any other error poisons the store.
    fn append(&self, records: &[Record], time_micros: u64) -> Result<u64, StoreError>;

    /// Rows by key, durable ones only, in the order asked.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the store is poisoned.
    fn load(&self, keys: &[RowKey]) -> Result<Vec<Option<RowBytes>>, StoreError>;

    /// Rows of the key range `[from, to)`, in key order, at most `limit` of them.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or the store is poisoned.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(RowKey, RowBytes)>, StoreError>;

    /// Durable records from an offset on, at most `limit` of them.
    ///
    /// Stops before the bodies and rows exceed `bytes_max`, but never before the first record.
    ///
    /// # Errors
    /// `NotRetained` below the oldest record kept; `Corrupt` when the log is damaged there.
    fn read(&self, from: u64, limit: usize, bytes_max: usize) -> Result<Vec<Stored>, StoreError>;

    /// First offset that is not durable; everything below it is.
    fn durable_to(&self) -> u64;

    /// Oldest offset that [`Store::read`] still gives.
    fn oldest(&self) -> u64;

    /// Checkpoint: makes the rows of all durable records durable outside the log, then lets
    /// go of what retention no longer keeps. Returns the offset covered (all below it are).
    ///
    /// # Errors
    /// When the checkpoint cannot be written; the rows then stay in memory and in the log.
    fn commit(&self) -> Result<u64, StoreError>;

    /// An offset below which every record has a time before `micros`, as late as is cheap to find.
    ///
    /// # Errors
    /// When the store is poisoned.
    fn offset_at(&self, micros: u64) -> Result<u64, StoreError>;

    /// Seals the tail with an empty frame (clean stop, pause after traffic), so that the next
    /// start knows it to be durable. Does nothing when it is sealed.
    ///
    /// # Errors
    /// As [`Store::append`].
    fn seal(&self) -> Result<(), StoreError>;

    /// Writes everything before the offset that is durable now, while turns go on. Returns what was
    /// written; without its end it is no backup. See [`crate::backup`].
    ///
    /// # Errors
    /// What the writer says, or the store when it cannot be read; `Io` of kind `Unsupported` when
    /// nothing of it is durable.
    fn backup(&self, into: &mut dyn io::Write) -> Result<Summary, StoreError> {
        let _ = into;
        Err(StoreError::io("backing up", io::Error::from(io::ErrorKind::Unsupported)))
    }

    /// Whether new work should be refused: no room is left but the reserve in which accepted work
    /// ends. Costs next to nothing.
    fn is_full(&self) -> bool {
        self.status().full
    }

    /// What an operator and the admission of work want to know.
    fn status(&self) -> Status;
}

/// State of a store at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bytes of the log on disk, prepared ones included.
    pub log_bytes: u64,
    /// Bytes of the large payloads kept beside the log.
    pub claims_bytes: u64,
    /// Segments that hold records.
    pub segments: usize,
    /// Oldest offset retained.
    pub oldest: u64,
    /// Record time of the oldest frame retained, in microseconds; 0 when there is none.
    pub oldest_micros: u64,
    /// First offset not durable.
    pub durable_to: u64,
    /// Rows changed since the checkpoint, deleted ones included.
    pub unwritten_rows: usize,
    /// Their size in memory; admission pushes back on it.
    pub unwritten_bytes: u64,
    /// Size of the unchanged rows kept in memory.
    pub cached_bytes: u64,
    /// Offset that the checkpoint covers.
    pub checkpoint: u64,
    /// Duration of the last sync in microseconds; 0 without a clock.
    pub last_sync_micros: u64,
    /// Bytes that can be appended before another segment is needed.
    pub tail_free_bytes: u64,
    /// Whether the tail is sealed.
    pub sealed: bool,
    /// Whether only the reserve is left, because the disk is full.
    pub full: bool,
    /// Whether the next segment is being made: what `full` says may change with it.
    pub preparing: bool,
    /// Why the last checkpoint failed, until one succeeds.
    pub checkpoint_failed: Option<String>,
    /// Why the store takes no more calls.
    pub poisoned: Option<String>,
}
