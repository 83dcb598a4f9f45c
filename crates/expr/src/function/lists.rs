//! The list extensions; `reverse` also of text.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Args, Function, new_text, sort_pairs};
use crate::Value;
use crate::eval::{Meter, equal};
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::method("slice", &["list(A), int, int -> list(A)"], slice).building(),
    Function::method(
        "flatten",
        &["list(list(A)) -> list(A)", "list(dyn) -> list(dyn)", "list(dyn), int -> list(dyn)"],
        flatten,
    )
    .building(),
    Function::method("sort", &["list(A) -> list(A)"], sort).building(),
    Function::method("distinct", &["list(A) -> list(A)"], distinct).building(),
    Function::method("reverse", &["list(A) -> list(A)", "string -> string"], reverse).building(),
    Function::method("first", &["list(A) -> optional(A)"], first),
    Function::method("last", &["list(A) -> optional(A)"], last),
    Function::global("lists.range", &["int -> list(int)"], range).building(),
];

fn list(items: Vec<Value>, meter: &Meter) -> Result<Value, Failed> {
    meter.produce_items(items.len())?;
    Ok(Value::List(Arc::new(items)))
}

fn slice(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(3..=3)?;
    let (items, start, end) = (args.list(0)?, args.int(1)?, args.int(2)?);
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match bounds.and_then(|(start, end)| items.get(start..end)) {
        Some(part) => list(part.to_vec(), args.meter),
        None => {
            let count = items.len();
            let message =
                alloc::format!("cannot slice {start} to {end} of a list of {count} items");
            Err(failed("out_of_range", message))
        }
    }
}

/// Lists in the list give their items, one level deep or as deep as said.
fn flatten(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=2)?;
    let depth = if args.len() == 2 { args.int(1)? } else { 1 };
    if depth < 0 {
        return Err(failed("out_of_range", "flatten takes a depth of 0 or more"));
    }
    let mut out = Vec::new();
    flatten_into(args.list(0)?, depth, args.meter, &mut out)?;
    Ok(Value::List(Arc::new(out)))
}

fn flatten_into(
    items: &[Value],
    depth: i64,
    meter: &Meter,
    out: &mut Vec<Value>,
) -> Result<(), Failed> {
    for item in items {
        meter.spend(1)?;
        match item {
            Value::List(inner) if depth > 0 => flatten_into(inner, depth - 1, meter, out)?,
            other => {
                meter.produce_items(1)?;
                out.push(other.clone());
            }
        }
    }
    Ok(())
}

fn sort(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let items = args.list(0)?;
    args.meter.produce_items(items.len() * 2)?;
    let mut pairs: Vec<(Value, Value)> =
        items.iter().map(|item| (item.clone(), Value::Null)).collect();
    sort_pairs(&mut pairs, args.meter)?;
    list(pairs.into_iter().map(|(item, _)| item).collect(), args.meter)
}

/// The first of equal items each.
fn distinct(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let mut kept: Vec<Value> = Vec::new();
    for item in args.list(0)? {
        args.meter.spend(kept.len() as u64)?;
        let mut known = false;
        for other in &kept {
            known = known || equal(item, other, args.meter)?;
        }
        if !known {
            kept.push(item.clone());
        }
    }
    list(kept, args.meter)
}

fn reverse(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    match args.value(0)? {
        Value::String(_) => new_text(args.text(0)?.chars().rev().collect::<String>(), args.meter),
        _ => list(args.list(0)?.iter().rev().cloned().collect(), args.meter),
    }
}

fn first(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    Ok(Value::Optional(args.list(0)?.first().cloned().map(Arc::new)))
}

fn last(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    Ok(Value::Optional(args.list(0)?.last().cloned().map(Arc::new)))
}

/// 0, 1, ... below a number.
fn range(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let count = args.int(0)?.max(0);
    args.meter.produce_items(usize::try_from(count).unwrap_or(usize::MAX))?;
    Ok(Value::List(Arc::new((0..count).map(Value::Int).collect())))
}
