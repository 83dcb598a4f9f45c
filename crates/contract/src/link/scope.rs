//! Scopes: which roots an expression sees in which place, in the order of `graph::roots`.

use std::sync::LazyLock;

use onex_expr::{Root, Scope, Text, Type};

use super::types::{nullable, object};

/// The roots of one kind of node.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    scope: Scope,
}

impl Roots {
    /// Roots by name, none of them here yet, nothing known of them.
    pub(crate) fn new(names: &[&'static str]) -> Roots {
        let root =
            |name: &&'static str| Root { name: Text::new_static(name), ty: Type::Dyn, here: false };
        Roots { scope: Scope { roots: names.iter().map(root).collect(), constants: Vec::new() } }
    }

    /// The same with a root that may be used here.
    #[must_use]
    pub(crate) fn with(mut self, slot: usize, ty: Type) -> Roots {
        let root = &mut self.scope.roots[slot];
        root.ty = ty;
        root.here = true;
        self
    }

    /// The same without a root.
    #[must_use]
    pub(crate) fn without(mut self, slot: usize) -> Roots {
        self.scope.roots[slot].here = false;
        self
    }

    /// The scope.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// `envelope`: ids, topic and time of a message. What a message may lack is null.
pub(crate) fn envelope() -> Type {
    static ENVELOPE: LazyLock<Type> = LazyLock::new(|| {
        object([
            ("id", Type::String),
            ("topic", Type::String),
            ("key", nullable(Type::String)),
            ("event_type", nullable(Type::String)),
            ("correlation_id", Type::String),
            ("causation_id", nullable(Type::String)),
            ("node", nullable(Type::String)),
            ("time", Type::Timestamp),
        ])
    });
    ENVELOPE.clone()
}

/// `entity` of a reducer.
pub(crate) fn entity() -> Type {
    static ENTITY: LazyLock<Type> = LazyLock::new(|| {
        object([
            ("key", Type::String),
            ("state", Type::String),
            ("previous_state", nullable(Type::String)),
            ("version", Type::Int),
            ("since", Type::Timestamp),
            ("timer", nullable(Type::Timestamp)),
        ])
    });
    ENTITY.clone()
}

/// `payload` under the trigger `timeout`.
pub(crate) fn timeout_payload() -> Type {
    object([("state", Type::String), ("armed_at", Type::String), ("due_at", Type::String)])
}

/// `run` of an orchestrator.
pub(crate) fn run() -> Type {
    object([("id", Type::String), ("key", nullable(Type::String)), ("started_at", Type::Timestamp)])
}

/// What went wrong: `error` of a step or of an item.
pub(crate) fn fault() -> [(&'static str, Type); 2] {
    [("code", Type::String), ("message", Type::String)]
}
