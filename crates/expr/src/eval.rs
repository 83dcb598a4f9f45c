//! Walks a plan with fuel. Values are borrowed from roots and constants wherever possible, so
//! that a guard allocates nothing.

use alloc::format;
use core::ops::Deref;

use crate::fault::{Failed, failed};
use crate::plan::{At, Op, Plan};
use crate::{EvalError, Value};

mod fold;
mod make;
mod meter;
mod operator;
mod select;

pub(crate) use meter::Meter;
pub(crate) use operator::{add, equal};

/// A value that is borrowed for as long as the evaluation lasts, or newly made.
pub(crate) enum Ref<'a> {
    Borrowed(&'a Value),
    Owned(Value),
}

impl Deref for Ref<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Ref::Borrowed(value) => value,
            Ref::Owned(value) => value,
        }
    }
}

impl Ref<'_> {
    pub(crate) fn into_value(self) -> Value {
        match self {
            Ref::Borrowed(value) => value.clone(),
            Ref::Owned(value) => value,
        }
    }
}

/// Variables of macros, innermost first.
#[derive(Clone, Copy)]
struct Frame<'a> {
    value: &'a Value,
    outer: Option<&'a Frame<'a>>,
}

type Locals<'a> = Option<&'a Frame<'a>>;

struct Machine<'m> {
    plan: &'m Plan,
    roots: &'m [Value],
    meter: Meter,
}

/// Evaluates a plan. The fuel left is written back whatever comes out.
pub(crate) fn run(plan: &Plan, roots: &[Value], fuel: &mut u64) -> Result<Value, EvalError> {
    let machine = Machine { plan, roots, meter: Meter::new(*fuel) };
    let result = machine.eval(plan.root(), None).map(Ref::into_value).and_then(|value| {
        if plan.builds {
            machine.meter.walk(&value)?;
        }
        Ok(value)
    });
    *fuel = machine.meter.fuel_left();
    result.map_err(|failure| failure.into_error())
}

/// The value of an operation that reads no root, if it has one.
pub(crate) fn constant(plan: &Plan, at: At, fuel: u64) -> Option<Value> {
    let machine = Machine { plan, roots: &[], meter: Meter::new(fuel) };
    let value = machine.eval(at, None).ok()?.into_value();
    machine.meter.walk(&value).ok()?;
    Some(value)
}

impl<'m> Machine<'m> {
    /// Evaluates one operation; a failure takes its range.
    fn eval<'a>(&'a self, at: At, locals: Locals<'a>) -> Result<Ref<'a>, Failed> {
        self.step(at, locals).map_err(|mut failure| {
            failure.range.get_or_insert_with(|| self.plan.range(at));
            failure
        })
    }

    fn step<'a>(&'a self, at: At, locals: Locals<'a>) -> Result<Ref<'a>, Failed> {
        self.meter.spend(1)?;
        match self.plan.op(at) {
            Op::Const(value) => Ok(Ref::Borrowed(value)),
            Op::Path { slot, fields } => self.path(*slot, fields),
            Op::Local(distance) => Ok(Ref::Borrowed(local(locals, *distance))),
            Op::Select { operand, field } => select::field(self.eval(*operand, locals)?, field),
            Op::SelectOptional { operand, field } => {
                select::optional_field(&*self.eval(*operand, locals)?, field)
            }
            Op::Has { operand, field } => {
                Ok(truth(select::has(&*self.eval(*operand, locals)?, field)?))
            }
            Op::Index { operand, index } => {
                let operand = self.eval(*operand, locals)?;
                select::index(operand, &*self.eval(*index, locals)?)
            }
            Op::IndexOptional { operand, index } => {
                let operand = self.eval(*operand, locals)?;
                select::optional_index(&operand, &*self.eval(*index, locals)?)
            }
            Op::Not(operand) => Ok(truth(!self.truth(*operand, locals)?)),
            Op::Negate(operand) => operator::negate(&*self.eval(*operand, locals)?).map(Ref::Owned),
            Op::And(operands) => self.any(operands, false, locals).map(|found| truth(!found)),
            Op::Or(operands) => self.any(operands, true, locals).map(truth),
            Op::Ternary(condition, then, otherwise) => {
                let branch = if self.truth(*condition, locals)? { then } else { otherwise };
                self.eval(*branch, locals)
            }
            Op::Binary(sign, left, right) => {
                let left = self.eval(*left, locals)?;
                operator::binary(*sign, &left, &*self.eval(*right, locals)?, &self.meter)
                    .map(Ref::Owned)
            }
            Op::List(items) => self.list(items, locals).map(Ref::Owned),
            Op::Map(entries) => self.map(entries, locals).map(Ref::Owned),
            Op::Call { function, args } => self.call(function, args, locals).map(Ref::Owned),
            Op::OrElse { operand, otherwise, unwrap } => {
                self.or_else(*operand, *otherwise, *unwrap, locals)
            }
            Op::Matches { text, regex } => self.matches(*text, regex, locals),
            Op::Fold(fold) => self.fold(fold, locals).map(Ref::Owned),
            Op::Bind { value, body } => self.bind(*value, *body, locals).map(Ref::Owned),
            Op::Fail { kind, message } => Err(failed(kind, &**message)),
        }
    }

    fn path<'a>(&'a self, slot: usize, fields: &[crate::Text]) -> Result<Ref<'a>, Failed> {
        let mut value =
            self.roots.get(slot).ok_or_else(|| failed("unknown_root", "the root was not given"))?;
        for (used, field) in fields.iter().enumerate() {
            self.meter.spend(1)?;
            match value {
                Value::Map(map) => match map.get(field) {
                    Some(found) => value = found,
                    None => return Err(select::no_field(field)),
                },
                _ => {
                    return fields[used..].iter().try_fold(Ref::Borrowed(value), |value, field| {
                        select::field(value, field)
                    });
                }
            }
        }
        Ok(Ref::Borrowed(value))
    }

    /// A truth value, or no overload.
    fn truth(&self, at: At, locals: Locals<'_>) -> Result<bool, Failed> {
        match &*self.eval(at, locals)? {
            Value::Bool(truth) => Ok(*truth),
            other => {
                let mut failure =
                    failed("no_overload", format!("expected a bool, found {}", other.kind_name()));
                failure.range = Some(self.plan.range(at));
                Err(failure)
            }
        }
    }

    /// Whether any operand is `wanted`. As CEL has it, one that is absorbs the failures of others.
    fn any(&self, operands: &[At], wanted: bool, locals: Locals<'_>) -> Result<bool, Failed> {
        let mut held: Option<Failed> = None;
        for operand in operands {
            match self.truth(*operand, locals) {
                Ok(truth) if truth == wanted => return Ok(true),
                Ok(_) => {}
                Err(failure) if failure.is_final() => return Err(failure),
                Err(failure) => {
                    held.get_or_insert(failure);
                }
            }
        }
        held.map_or(Ok(false), Err)
    }

    fn or_else<'a>(
        &'a self,
        operand: At,
        otherwise: At,
        unwrap: bool,
        locals: Locals<'a>,
    ) -> Result<Ref<'a>, Failed> {
        let operand = self.eval(operand, locals)?;
        match &*operand {
            Value::Optional(Some(inner)) if unwrap => Ok(Ref::Owned((**inner).clone())),
            Value::Optional(Some(_)) => Ok(operand),
            Value::Optional(None) => match self.eval(otherwise, locals)? {
                other if !unwrap && !matches!(*other, Value::Optional(_)) => Err(failed(
                    "no_overload",
                    format!("`or` takes an optional, found {}", other.kind_name()),
                )),
                other => Ok(other),
            },
            other => Err(failed(
                "no_overload",
                format!("expected an optional, found {}", other.kind_name()),
            )),
        }
    }

    fn matches<'a>(
        &'a self,
        text: At,
        regex: &regex::Regex,
        locals: Locals<'a>,
    ) -> Result<Ref<'a>, Failed> {
        match &*self.eval(text, locals)? {
            Value::String(text) => {
                self.meter.read(text.len())?;
                Ok(truth(regex.is_match(text)))
            }
            other => Err(failed(
                "no_overload",
                format!("`matches` takes a string, found {}", other.kind_name()),
            )),
        }
    }

    fn bind(&self, value: At, body: At, locals: Locals<'_>) -> Result<Value, Failed> {
        let value = self.eval(value, locals)?;
        let frame = Frame { value: &value, outer: locals };
        Ok(self.eval(body, Some(&frame))?.into_value())
    }
}

fn truth(truth: bool) -> Ref<'static> {
    Ref::Owned(Value::Bool(truth))
}

fn local<'a>(locals: Locals<'a>, distance: usize) -> &'a Value {
    let mut frame = locals;
    for _ in 0..distance {
        frame = frame.and_then(|frame| frame.outer);
    }
    frame.map_or(&Value::Null, |frame| frame.value)
}
