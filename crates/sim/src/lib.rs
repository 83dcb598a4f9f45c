//! The second shell around the engine: everything from one seed.
//!
//! The same engine and the same store as a host's, on a simulated disk, clock and outside world.
//! A run with the same seed is the same run, byte for byte. Never uses a real clock or file.

mod check;
mod outside;
mod random;
mod recover;
mod scenario;
mod world;

pub use check::Violation;
pub use outside::catalog;
pub use random::Random;
pub use recover::Durable;
pub use scenario::{Op, Scenario};
pub use world::{Faults, Report, World};
