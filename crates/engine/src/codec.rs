//! How rows and records look in bytes.
