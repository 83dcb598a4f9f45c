//! How the shell protects the process from a step: user data drives it, so it may panic or kill
//! the process.

use onex_kernel::Id;

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
