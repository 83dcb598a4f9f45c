//! Which names an expression may use: roots with a slot each, and constants.

use alloc::vec::Vec;

use crate::{Text, Type, Value};

/// The names visible in one place of a contract.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Roots in slot order: `Program::eval` takes their values in the same order. At most 64.
    pub roots: Vec<Root>,
    /// Names with a value known at load (`config`, `env`).
    pub constants: Vec<(Text, Value)>,
}

/// One root.
#[derive(Clone, Debug)]
pub struct Root {
    /// Its name, such as `payload`.
    pub name: Text,
    /// What is known of it.
    pub ty: Type,
    /// False when the root exists elsewhere but not in this place: its use is a fault that says so.
    pub here: bool,
}
