//! The second shell around the engine: everything from one seed.
//!
//! The same engine and the same store as a host's, on a simulated disk, clock and outside world.
//! A run with the same seed is the same run, byte for byte. Never uses a real clock or file.
//!
//! In reading order: [`scenario`] what is simulated, [`system`] contracts that chance drew,
//! [`trouble`] what goes wrong; [`world`] what happens then; [`promise`] what must hold all the
//! while, and [`model`] what must come of it; [`shrink`] the least that still breaks a promise.

mod forgetful;
mod model;
mod outside;
mod promise;
mod random;
mod recover;
mod scenario;
mod shrink;
mod system;
mod trace;
mod trouble;
mod world;

pub use outside::catalog;
pub use promise::Violation;
pub use random::Random;
pub use recover::Durable;
pub use scenario::{Held, Op, Scenario};
pub use shrink::shrink;
pub use trouble::{Limits, Trouble, Troubles};
pub use world::{Report, World};
