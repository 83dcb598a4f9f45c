//! The behaviour that every backend must show, as functions that a test calls.
//!
//! Each function is given what it needs to make a store or a disk, and panics where the
//! behaviour differs.

mod disk;
mod reopened;
mod store;

pub use disk::disk;
pub use reopened::reopened;
pub use store::store;
