//! The engine without I/O: takes inputs, answers with outputs, one call a turn.
//!
//! In reading order: [`input`], [`output`], [`key`] where rows stand, [`codec`] how they and
//! records look in bytes, then the engine itself. No clock, no files, no threads: the
//! shell (`runtime`, or `sim`) performs what the outputs ask.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod accept;
pub mod activation;
mod apply;
mod attempt;
mod begin;
pub mod codec;
pub mod dedupe;
mod deliver;
mod discard;
mod end;
mod engine;
pub mod guard;
pub mod input;
mod intents;
pub mod key;
mod letters;
mod listen;
pub mod options;
pub mod output;
pub mod recover;
mod redrive;
pub mod retain;
mod rows;
mod run;
pub mod schedule;
mod stories;
pub mod tally;
mod tell;
mod timer;
mod trigger;
mod turn;
mod unfinished;
mod work;

pub use engine::Engine;
pub use guard::{Guard, Unguarded};
pub use input::{Input, Request, Ticket};
pub use options::Options;
pub use output::{Output, Perform, Refusal, Reply};
pub use recover::{RecoverError, Recovered};
pub use retain::{Kind, Retained};
pub use turn::PARTITIONS;
