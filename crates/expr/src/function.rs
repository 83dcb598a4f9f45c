//! The functions of the language: a registry of families, one file each. Names, signatures (for
//! the checker) and code stand together.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::eval::{Meter, Ref};
use crate::fault::{Failed, failed};
use crate::syntax::{Ast, Expr, Id};
use crate::{Text, Value};

mod aggregate;
mod convert;
mod digest;
mod encoder;
mod format;
mod json;
mod lists;
mod map;
mod math;
mod optional;
mod pattern;
mod sets;
mod standard;
mod strings;
mod time;
mod uuid;

pub(crate) use convert::scalar_text;
pub(crate) use pattern::compile_regex;

/// Every function. A new one is a line in its family's table; a new family is a line here.
const FAMILIES: &[&[Function]] = &[
    aggregate::FUNCTIONS,
    convert::FUNCTIONS,
    digest::FUNCTIONS,
    encoder::FUNCTIONS,
    format::FUNCTIONS,
    json::FUNCTIONS,
    lists::FUNCTIONS,
    map::FUNCTIONS,
    math::FUNCTIONS,
    optional::FUNCTIONS,
    pattern::FUNCTIONS,
    sets::FUNCTIONS,
    standard::FUNCTIONS,
    strings::FUNCTIONS,
    time::FUNCTIONS,
    uuid::FUNCTIONS,
];

pub(crate) type Native = fn(&Args<'_>) -> Result<Value, Failed>;

/// What a function is called with; a method's target is the first value.
pub(crate) struct Args<'a> {
    pub(crate) name: &'static str,
    pub(crate) values: &'a [Ref<'a>],
    pub(crate) meter: &'a Meter,
}

impl<'a> Args<'a> {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// The answer to arguments that no overload takes.
    #[cold]
    fn no_overload(&self) -> Failed {
        let types: Vec<&str> = self.values.iter().map(|arg| arg.kind_name()).collect();
        failed("no_overload", format!("no such overload: {}({})", self.name, types.join(", ")))
    }

    /// The code of what is an operation of its own and gets here only with wrong arguments.
    fn refuse(&self) -> Result<Value, Failed> {
        Err(self.no_overload())
    }

    /// Refuses other numbers of arguments.
    fn expect(&self, counts: core::ops::RangeInclusive<usize>) -> Result<(), Failed> {
        if counts.contains(&self.len()) { Ok(()) } else { Err(self.no_overload()) }
    }

    fn value(&self, at: usize) -> Result<&'a Value, Failed> {
        self.values.get(at).map(|value| &**value).ok_or_else(|| self.no_overload())
    }

    /// A text, which is paid for as if it were read once.
    fn text(&self, at: usize) -> Result<&'a Text, Failed> {
        match self.value(at)? {
            Value::String(text) => {
                self.meter.read(text.len())?;
                Ok(text)
            }
            _ => Err(self.no_overload()),
        }
    }

    /// A whole number, also one that came as a double.
    fn int(&self, at: usize) -> Result<i64, Failed> {
        match self.value(at)? {
            Value::Int(number) => Ok(*number),
            Value::Double(number) => crate::value::whole(*number).ok_or_else(|| self.no_overload()),
            _ => Err(self.no_overload()),
        }
    }

    /// A list, which is paid for as if it were gone through once.
    fn list(&self, at: usize) -> Result<&'a [Value], Failed> {
        match self.value(at)? {
            Value::List(items) => {
                self.meter.spend(items.len() as u64)?;
                Ok(items)
            }
            _ => Err(self.no_overload()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Function {
    /// With dots where it lives in a namespace.
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    /// `string, int -> string`: one for each overload; the first parameter of a method is its
    /// target. `A` and `B` stand for any type, the same one wherever they stand; `...` behind the
    /// last parameter for any number of it.
    pub(crate) signatures: &'static [&'static str],
    /// Whether it makes lists or maps out of others.
    pub(crate) builds: bool,
    pub(crate) call: Native,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `size(x)`
    Global,
    /// `x.size()`
    Method,
    Both,
}

impl Function {
    const fn global(
        name: &'static str,
        signatures: &'static [&'static str],
        call: Native,
    ) -> Function {
        Function { name, style: Style::Global, signatures, builds: false, call }
    }

    const fn method(
        name: &'static str,
        signatures: &'static [&'static str],
        call: Native,
    ) -> Function {
        Function { name, style: Style::Method, signatures, builds: false, call }
    }

    const fn both(
        name: &'static str,
        signatures: &'static [&'static str],
        call: Native,
    ) -> Function {
        Function { name, style: Style::Both, signatures, builds: false, call }
    }

    /// The same, known to make lists or maps.
    const fn building(self) -> Function {
        Function { builds: true, ..self }
    }
}

pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().copied().flatten()
}

/// The function of a name, called on a target or not.
pub(crate) fn find(name: &str, on_target: bool) -> Option<&'static Function> {
    let other = if on_target { Style::Global } else { Style::Method };
    all().find(|function| function.name == name && function.style != other)
}

/// The function that a call means, and its target: that of `math.abs(x)` is none, unless a
/// variable or root is called `math`, which `taken` tells.
pub(crate) fn resolve(
    ast: &Ast,
    target: Option<Id>,
    name: &str,
    taken: impl Fn(&str) -> bool,
) -> (Option<&'static Function>, Option<Id>) {
    let Some(target) = target else {
        return (find(name, false), None);
    };
    if let Expr::Ident { name: space, .. } = ast.expr(target)
        && !taken(space)
        && let Some(function) = find(&format!("{space}.{name}"), false)
    {
        return (Some(function), None);
    }
    (find(name, true), Some(target))
}

/// Names that stand for types, with the fields that spell the dotted ones and how many they are.
pub(crate) fn type_name(name: &str, fields: &[&str]) -> Option<(&'static str, usize)> {
    const PLAIN: [&str; 11] = [
        "bool",
        "int",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "optional_type",
        "uint",
    ];
    const DOTTED: [&str; 2] = ["google.protobuf.Timestamp", "google.protobuf.Duration"];
    if let Some(found) = PLAIN.iter().find(|plain| **plain == name) {
        return Some((found, 0));
    }
    let [package, last, ..] = fields else {
        return None;
    };
    let dotted = format!("{name}.{package}.{last}");
    DOTTED.iter().find(|known| **known == dotted).map(|found| (*found, 2))
}

/// Sorts pairs by their first value, which must all be of one kind that has an order.
pub(crate) fn sort_pairs(pairs: &mut [(Value, Value)], meter: &Meter) -> Result<(), Failed> {
    let keys = || pairs.iter().map(|(key, _)| key);
    for key in keys() {
        meter.walk(key)?;
        let fits = key.is_ordered() && keys().next().is_none_or(|first| comparable(first, key));
        if !fits {
            let message = "only values of one kind that has an order can be sorted";
            return Err(failed("no_overload", message));
        }
    }
    let count = pairs.len() as u64;
    meter.spend(count * u64::from(count.max(1).ilog2()))?;
    pairs.sort_by(|(a, _), (b, _)| a.total_order(b));
    Ok(())
}

/// Whether two values are of kinds that have an order between them.
fn comparable(a: &Value, b: &Value) -> bool {
    a.compare(b).is_some() || a.as_double().is_some() && b.as_double().is_some()
}

/// A new text, paid for.
fn new_text(text: String, meter: &Meter) -> Result<Value, Failed> {
    meter.produce(text.len())?;
    Ok(Value::String(Text::from(text)))
}

/// The names of all functions, for documents and tests; those with a dot live in a namespace.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    all().map(|function| function.name)
}
