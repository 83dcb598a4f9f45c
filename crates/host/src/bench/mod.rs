//! Measuring a host over HTTP.
//!
//! In reading order: [`workload`] what is asked of it, [`server`] the host under test, a process of
//! its own, [`load`] clients that ask, [`counters`] what the host counted meanwhile, [`standing`] what it costs without them, [`report`].

pub mod counters;
pub mod load;
pub mod report;
pub mod server;
pub mod standing;
pub mod workload;
