//! A compiled expression.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::{Scope, Text, Type, Value};

/// How grave a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The expression cannot be used.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// A located finding about an expression's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// How grave.
    pub severity: Severity,
    /// A stable word for the kind of fault: `syntax`, `unknown_root`, `root_out_of_place`,
    /// `unknown_field`, `maybe_missing`, `unknown_function`, `no_overload`, `never_equal`,
    /// `uint`, `too_deep`, `too_long`, `looks_like_path`, `secret_out_of_place`, `bad_literal`, ...
    pub kind: &'static str,
    /// Byte range in the source text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What compiling gave: a program unless there is an error among the faults.
#[derive(Clone, Debug)]
pub struct Compiled<T> {
    /// The result, absent when a fault is an error.
    pub value: Option<T>,
    /// Every fault, in source order.
    pub faults: Vec<Fault>,
}

/// Evaluation steps left. Shared by all expressions of one decision.
#[derive(Clone, Copy, Debug)]
pub struct Fuel(pub u64);

/// Why an evaluation ended without a value.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalError {
    /// A stable word: `no_such_field`, `no_such_key`, `no_overload`, `overflow`, `divide_by_zero`,
    /// `out_of_range`, `bad_conversion`, `fuel`, `too_large`, `not_json`, ...
    pub kind: &'static str,
    /// What happened, with names and never with payload content longer than 64 bytes.
    pub message: String,
    /// Byte range in the source text.
    pub range: Range<usize>,
}

/// A checked expression, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {}

impl Program {
    /// Parses and checks CEL in a scope.
    pub fn compile(_source: &str, _scope: &Scope) -> Compiled<Program> {
        unimplemented!()
    }

    /// Evaluates with one value a root, in the scope's order; a root that `uses` denies may be
    /// given as `Value::Null`.
    pub fn eval(&self, _roots: &[Value], _fuel: &mut Fuel) -> Result<Value, EvalError> {
        unimplemented!()
    }

    /// Whether the expression reads the root in this slot.
    pub fn uses(&self, _slot: usize) -> bool {
        unimplemented!()
    }

    /// The type of what it yields.
    pub fn output_type(&self) -> &Type {
        unimplemented!()
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        unimplemented!()
    }

    /// Every static path read below a root: `["lines"]` for `input.lines.map(..)`, `["a", "output"]`
    /// for `steps.a.output`. A dynamic index ends the path.
    pub fn paths(&self, _slot: usize) -> Vec<Vec<Text>> {
        unimplemented!()
    }
}
