//! The shell around the engine: one engine thread, the disk, timers, dispatch of intents, tails.
//!
//! In reading order: [`options`] its limits; `inbox` where everything arrives; `turn` the engine
//! thread; `writer` frames made durable beside it; `perform` attempts of effects; `waiters` who waits for the end of a run;
//! [`handle`] what everybody else may ask; [`query`] answers read from durable rows;
//! [`telemetry`] what is counted; `recovery` and [`service`] how it starts and stops.
//! Holds no rule of the engine and names no concrete effect or store.

mod graphs;
pub mod guard;
pub mod handle;
mod inbox;
mod lanes;
pub mod options;
mod perform;
pub mod query;
mod recovery;
mod scrub;
pub mod service;
pub mod telemetry;
mod turn;
mod waiters;
mod writer;

pub use graphs::Restore;
pub use handle::{Accepted, Handle, Started};
pub use options::Options;
pub use perform::{Binding, Secrets};
pub use recovery::RecoverError;
pub use service::{BuildError, Clock, Deps, ServeError, Service, build};
pub use turn::TurnError;
