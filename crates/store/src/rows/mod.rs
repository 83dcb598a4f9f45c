//! The checkpoint of rows outside the log: the seam, a plain file for simulations, and fjall.
//!
//! A checkpoint is written together with the offset it covers, as a whole or not at all, so
//! that recovery knows from where the log must be applied again.

mod lsm;
mod place;
mod plain;

use std::collections::BTreeMap;

use crate::{RowBytes, RowKey, StoreError};

pub use lsm::Fjall;
pub use place::Place;
pub use plain::{Moment, Plain, Table};

/// Changed rows in key order.
pub type Changes = BTreeMap<Place, Change>;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its content; `None` is a deleted row.
    pub value: Option<RowBytes>,
    /// Whether there was no such row before.
    pub fresh: bool,
}

/// Format number of the checkpoint.
pub(crate) const FORMAT: u32 = 1;

/// Rows that are durable outside the log.
pub trait Rows: Send + Sync + 'static {
    /// Offset that the rows cover: the changes of all records below it are in. 0 at first.
    ///
    /// # Errors
    /// `Format`, `Corrupt`, or what the disk says.
    fn covered(&self) -> Result<u64, StoreError>;

    /// Makes changes durable together with the offset they cover, as a whole or not at all.
    ///
    /// # Errors
    /// When they may not be durable; what was there before is kept.
    fn write(&self, covered: u64, changes: &Changes) -> Result<(), StoreError>;

    /// The rows as they are now, whatever is written later.
    fn view(&self) -> Box<dyn View + '_>;
}

/// Rows at one moment.
pub trait View {
    /// One row.
    ///
    /// # Errors
    /// What the disk says.
    fn get(&self, key: &[u8]) -> Result<Option<RowBytes>, StoreError>;

    /// Rows of the key range `[from, to)` in key order.
    fn range<'a>(
        &'a self,
        from: &[u8],
        to: &[u8],
    ) -> Box<dyn Iterator<Item = Result<(RowKey, RowBytes), StoreError>> + 'a>;
}
