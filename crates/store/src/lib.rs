//! Durable log and rows: bytes, keys and positions, and nothing about what they mean.
//!
//! A turn of the engine is one [`Store::append`]: its records become durable as one frame
//! with one sync, and only then the rows they changed become readable. The log is the only
//! durable truth; the rows outside it are a checkpoint that recovery brings up to date.
//!
//! This crate must not know contracts, messages or nodes, and must not use async.

mod error;
mod record;
mod store;

pub mod backup;
pub mod disk;
pub mod embedded;
pub mod memory;
pub mod rows;

mod codec;
mod frame;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use codec::EncodedRows;
pub use error::StoreError;
pub use record::{Record, RowBytes, RowChange, RowKey, Stored};
pub use store::{KEY_BYTES_MAX, RECORD_BYTES_MAX, Status, Store, VALUE_BYTES_MAX};
