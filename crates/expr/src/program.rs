//! A compiled expression.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

pub use crate::fault::{Compiled, EvalError, Fault, Severity};
use crate::plan::{self, Plan};
use crate::scope::Root;
use crate::{Scope, Text, Type, Value, check, eval, syntax};

/// Evaluation steps left. Shared by all expressions of one decision.
#[derive(Clone, Copy, Debug)]
pub struct Fuel(pub u64);

/// A checked expression, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Text,
    /// Where the source begins in the text that ranges count in.
    offset: usize,
    plan: Plan,
    output: Type,
}

impl Program {
    /// Parses and checks CEL in a scope.
    pub fn compile(source: &str, scope: &Scope) -> Compiled<Program> {
        Program::compile_at(source, 0, scope)
    }

    /// The same for a part of a longer text, in which ranges count.
    pub(crate) fn compile_at(source: &str, offset: usize, scope: &Scope) -> Compiled<Program> {
        let (ast, root, mut faults) = syntax::parse(source);
        let (output, found) = check::check(&ast, root, scope);
        faults.extend(found);
        let (plan, found) = plan::build(&ast, root, scope);
        faults.extend(found);
        for fault in &mut faults {
            fault.range = fault.range.start + offset..fault.range.end + offset;
        }
        let inner = Inner { source: source.into(), offset, plan, output };
        Compiled::new(Program { inner: Arc::new(inner) }, faults)
    }

    /// Evaluates with one value a root, in the scope's order; a root that `uses` denies may be
    /// given as `Value::Null`.
    pub fn eval(&self, roots: &[Value], fuel: &mut Fuel) -> Result<Value, EvalError> {
        eval::run(&self.inner.plan, roots, &mut fuel.0).map_err(|mut error| {
            error.range =
                error.range.start + self.inner.offset..error.range.end + self.inner.offset;
            error
        })
    }

    /// Whether the expression reads the root in this slot.
    pub fn uses(&self, slot: usize) -> bool {
        slot < 64 && self.inner.plan.uses & (1 << slot) != 0
    }

    /// Whether the expression may read this field of the root in this slot.
    pub fn reads(&self, slot: usize, field: &str) -> bool {
        let below = self.inner.plan.paths.iter().filter(|(root, _)| *root == slot);
        below.map(|(_, path)| path.first()).any(|first| first.is_none_or(|first| first == field))
    }

    /// The value, where the expression reads no root and does not fail.
    pub fn constant(&self) -> Option<&Value> {
        self.inner.plan.constant()
    }

    /// Where the expression stands in the text that ranges count in.
    pub(crate) fn range(&self) -> Range<usize> {
        self.inner.offset..self.inner.offset + self.inner.source.len()
    }

    /// The type of what it yields.
    pub fn output_type(&self) -> &Type {
        &self.inner.output
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Every static path read below a root: `["lines"]` for `input.lines.map(..)`, `["a", "output"]`
    /// for `steps.a.output`. A dynamic index ends the path.
    pub fn paths(&self, slot: usize) -> Vec<Vec<Text>> {
        let paths = &self.inner.plan.paths;
        paths.iter().filter(|(root, _)| *root == slot).map(|(_, path)| path.clone()).collect()
    }
}

/// Why a text did not evaluate.
#[derive(Clone, Debug, PartialEq)]
pub enum TextError {
    /// It cannot be compiled: the faults that are errors.
    Faults(Vec<Fault>),
    /// It failed while running.
    Failed(EvalError),
}

/// Compiles and evaluates one text against roots of which no type is known. The checker has no
/// veto here, as in CEL without a checker; where the evaluation fails too, its finding explains why.
pub fn eval_text(
    source: &str,
    roots: &[(Text, Value)],
    fuel: &mut Fuel,
) -> Result<Value, TextError> {
    let scope = Scope {
        roots: roots.iter().map(|(name, _)| Root::new(name.clone(), Type::Dyn)).collect(),
        constants: Vec::new(),
    };
    let (ast, root, faults) = syntax::parse(source);
    if !faults.is_empty() {
        return Err(TextError::Faults(faults));
    }
    let (plan, _) = plan::build(&ast, root, &scope);
    let values: Vec<Value> = roots.iter().map(|(_, value)| value.clone()).collect();
    eval::run(&plan, &values, &mut fuel.0).map_err(|error| {
        // The checker explains better what is wrong with names and types, and with them only.
        const EXPLAINED: [&str; 4] =
            ["unknown_root", "unknown_function", "no_overload", "no_such_field"];
        if EXPLAINED.contains(&error.kind) {
            let (_, mut faults) = check::check(&ast, root, &scope);
            faults.retain(Fault::is_error);
            if !faults.is_empty() {
                return TextError::Faults(faults);
            }
        }
        TextError::Failed(error)
    })
}
