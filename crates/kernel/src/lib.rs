//! What each kind of node decides about one message.
//!
//! In reading order: [`id`] and [`time`], [`message`] what is delivered, [`row`] what is kept,
//! [`decision`] what a node answers; then the deciders [`reduce`], [`orchestrate`], [`compute`],
//! [`effect`]; the machine [`breaker`]; and [`port`], the seam to the outside.
//! Pure: no clock, no randomness, no environment, no I/O.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod ask;
pub mod breaker;
pub mod compute;
pub mod decision;
pub mod effect;
pub mod id;
pub mod message;
pub mod orchestrate;
pub mod port;
pub mod reduce;
pub mod row;
pub mod time;

pub use decision::{
    Circumstances, Decision, Draft, Fault, Intended, Produced, Published, Tidings, Told, Verdict,
};
pub use id::Id;
pub use message::{Category, Envelope, Message, Origin, Payload};
pub use time::Micros;
