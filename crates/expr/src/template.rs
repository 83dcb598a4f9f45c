//! Literal data with `${...}` in it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{Compiled, EvalError, Fuel, Program, Scope, Text, Type, Value};

/// Where a template's text ends up, which decides how values are written into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Plain data: a lone `${}` keeps its type, inside longer text values stand as text.
    Data,
    /// A URL: `config` and `env` stand as they are, everything else is percent-encoded as one
    /// segment or query value; scheme and host only from literals, `config` and `env`.
    Url,
    /// A file path: the result must stay under the literal prefix before each value.
    Path,
}

/// Compiled data with expressions in it. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Template {
    /// A literal.
    Literal(Value),
    /// One expression: keeps its type.
    Expr(Program),
    /// Text with expressions in it.
    Joined(Arc<Joined>),
    /// A list; an item that yields an optional none is left out.
    List(Arc<Vec<Template>>),
    /// A map; a key that yields an optional none is left out.
    Map(Arc<Vec<(Text, Template)>>),
}

/// Text and expressions in turn.
#[derive(Clone, Debug)]
pub struct Joined {
    /// How values are written.
    pub place: Place,
    /// The parts in order.
    pub parts: Box<[Part]>,
}

/// A part of joined text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Literal text (`$${` already read as `${`).
    Text(Text),
    /// An expression.
    Expr(Program),
}

impl Template {
    /// Compiles one scalar text; ranges of faults are byte ranges of `source`.
    pub fn compile(_source: &str, _place: Place, _scope: &Scope) -> Compiled<Template> {
        unimplemented!()
    }

    /// Renders; `None` is an optional none (the caller leaves the key out). What comes out is JSON:
    /// timestamps, durations and bytes are text, NaN and infinity are errors.
    pub fn render(&self, _roots: &[Value], _fuel: &mut Fuel) -> Result<Option<Value>, EvalError> {
        unimplemented!()
    }

    /// Whether any expression in it reads the root in this slot.
    pub fn uses(&self, _slot: usize) -> bool {
        unimplemented!()
    }

    /// The type of what it yields.
    pub fn output_type(&self) -> Type {
        unimplemented!()
    }
}
