//! Literal data with `${...}` in it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{Compiled, EvalError, Fuel, Program, Scope, Text, Type, Value};

mod compile;
mod output;
mod path;
mod render;
mod url;

pub use compile::meant_as_expression;

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
    pub fn compile(source: &str, place: Place, scope: &Scope) -> Compiled<Template> {
        compile::compile(source, place, scope)
    }

    /// A list of templates; one without expressions is a literal.
    pub fn list(items: Vec<Template>) -> Template {
        let literal = |item: &Template| item.as_literal().cloned();
        match items.iter().map(literal).collect::<Option<Vec<Value>>>() {
            Some(values) => Template::Literal(Value::list(values)),
            None => Template::List(Arc::new(items)),
        }
    }

    /// A map of templates; one without expressions is a literal. Of two equal keys the later wins.
    pub fn map(entries: Vec<(Text, Template)>) -> Template {
        let literal =
            |(key, item): &(Text, Template)| Some((key.clone(), item.as_literal()?.clone()));
        match entries.iter().map(literal).collect::<Option<Vec<(Text, Value)>>>() {
            Some(values) => Template::Literal(Value::map(values)),
            None => Template::Map(Arc::new(entries)),
        }
    }

    /// The value, if it is known without evaluating anything.
    pub fn as_literal(&self) -> Option<&Value> {
        match self {
            Template::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Renders; `None` is an optional none (the caller leaves the key out). What comes out is JSON:
    /// timestamps, durations and bytes are text, NaN and infinity are errors.
    pub fn render(&self, roots: &[Value], fuel: &mut Fuel) -> Result<Option<Value>, EvalError> {
        render::render(self, roots, fuel)
    }

    /// Whether any expression in it reads the root in this slot.
    pub fn uses(&self, slot: usize) -> bool {
        let mut found = false;
        self.for_each_program(&mut |program| found |= program.uses(slot));
        found
    }

    /// Whether any expression in it may read this field of the root in this slot.
    pub fn reads(&self, slot: usize, field: &str) -> bool {
        let mut found = false;
        self.for_each_program(&mut |program| found |= program.reads(slot, field));
        found
    }

    /// Every static path read below a root by any expression in it.
    pub fn paths(&self, slot: usize) -> Vec<Vec<Text>> {
        let mut paths = Vec::new();
        self.for_each_program(&mut |program| paths.extend(program.paths(slot)));
        paths
    }

    /// Calls back with every expression in it.
    pub fn for_each_program(&self, visit: &mut dyn FnMut(&Program)) {
        match self {
            Template::Literal(_) => {}
            Template::Expr(program) => visit(program),
            Template::Joined(joined) => joined.parts.iter().for_each(|part| {
                if let Part::Expr(program) = part {
                    visit(program);
                }
            }),
            Template::List(items) => items.iter().for_each(|item| item.for_each_program(visit)),
            Template::Map(entries) => {
                entries.iter().for_each(|(_, item)| item.for_each_program(visit))
            }
        }
    }

    /// The type of what it yields.
    pub fn output_type(&self) -> Type {
        output::output_type(self)
    }
}
