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

impl Root {
    /// A root that may be used.
    pub fn new(name: impl Into<Text>, ty: Type) -> Root {
        Root { name: name.into(), ty, here: true }
    }
}

/// What a name stands for.
pub(crate) enum Found {
    Root(usize),
    Constant(Value),
}

/// The most roots a scope can have: their use is a set of bits.
pub(crate) const ROOTS_MAX: usize = 64;

impl Scope {
    /// Whether anything bears this name, or a name that begins with it and a dot.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| {
            known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let roots = self.roots.iter().take(ROOTS_MAX).map(|root| root.name.as_str());
        roots.chain(self.constants.iter().map(|(name, _)| name.as_str()))
    }

    /// What a name stands for, and how many of the fields behind it belong to the name: of names
    /// with dots in them the longest that fits counts.
    pub(crate) fn find(&self, name: &str, fields: &[&str]) -> Option<(Found, usize)> {
        let roots = self.roots.iter().take(ROOTS_MAX).enumerate().filter_map(|(slot, root)| {
            Some((Found::Root(slot), fields_used(&root.name, name, fields)?))
        });
        let constants = self.constants.iter().filter_map(|(constant, value)| {
            Some((Found::Constant(value.clone()), fields_used(constant, name, fields)?))
        });
        roots.chain(constants).max_by_key(|(_, used)| *used)
    }
}

/// How many fields it takes to spell a known name, if they and the name do.
fn fields_used(known: &str, name: &str, fields: &[&str]) -> Option<usize> {
    let mut rest = known.strip_prefix(name)?;
    let mut used = 0;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.')?.strip_prefix(*fields.get(used)?)?;
        used += 1;
    }
    Some(used)
}
