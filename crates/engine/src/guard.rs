//! How the shell protects the process from a step: user data drives it, so it may panic or kill
//! the process.

use alloc::string::ToString;

use onex_kernel::row::Reason;
use onex_kernel::{Fault, Id, Message};

/// Runs steps one at a time.
pub trait Guard: Send {
    /// Notes the delivery where the next start will find it, runs the step, and takes the note
    /// away. `false` when the step panicked.
    #[must_use]
    fn step(&mut self, delivery: Id, step: &mut dyn FnMut()) -> bool;

    /// Whether this delivery was found noted at two successive starts: it is not to be tried again.
    /// The id is worked out only when there is one to compare it with.
    fn poisoned(&self, delivery: &mut dyn FnMut() -> Id) -> bool;
}

/// No protection: a panic goes through. For engines whose shell contains a panic otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unguarded;

impl Guard for Unguarded {
    fn step(&mut self, _delivery: Id, step: &mut dyn FnMut()) -> bool {
        step();
        true
    }

    fn poisoned(&self, _delivery: &mut dyn FnMut() -> Id) -> bool {
        false
    }
}

/// Runs a step under its note, unless it is poisoned. The fault says why it came to nothing.
pub(crate) fn guarded(
    guard: &mut dyn Guard,
    note: Id,
    step: &mut dyn FnMut(),
) -> Result<(), Fault> {
    if guard.poisoned(&mut || note) {
        let detail = "its step was under way when the process ended, twice".into();
        return Err(Fault { reason: Reason::StepPanicked, detail });
    }
    if guard.step(note, step) { Ok(()) } else { Err(panicked()) }
}

/// The fault of a step that panicked.
pub(crate) fn panicked() -> Fault {
    Fault {
        reason: Reason::StepPanicked,
        detail: "the step panicked; this is a bug of onex".into(),
    }
}

/// The note of a step, the same at each start: what `otherwise` says, unless the engine made the
/// message itself. Then its id has its offset in it, and what it says tells it from others.
pub(crate) fn note_of(message: &Message, otherwise: impl FnOnce() -> Id) -> Id {
    match message.topic.is_empty() {
        true => Id::of_text(&message.correlation_id.to_string(), &message.payload.value.to_json()),
        false => otherwise(),
    }
}

/// What tells the nodes that a message is delivered to from one another, FNV-1a: it need not be safe
/// from those who would make two alike, only quick.
pub(crate) fn delivered(message: &Message, node: &str) -> Id {
    let start = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128 ^ u128::from(message.generation);
    let mix = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul((1 << 88) | 0x13b);
    let hash = node.bytes().fold(start, mix);
    Id((u128::from_be_bytes(message.id.0) ^ hash).to_be_bytes())
}

/// What tells a run that hears a message from the others that do.
pub(crate) fn told(message: &Message, run: Id) -> Id {
    let mut note = message.id;
    note.0.iter_mut().zip(run.0).for_each(|(byte, of_run)| *byte ^= of_run);
    note.0[0] ^= message.generation as u8;
    note
}
