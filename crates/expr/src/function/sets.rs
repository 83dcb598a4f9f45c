//! Lists as sets.

use super::{Args, Function};
use crate::Value;
use crate::eval::{Meter, equal};
use crate::fault::Failed;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("sets.contains", TWO_LISTS, contains),
    Function::global("sets.equivalent", TWO_LISTS, equivalent),
    Function::global("sets.intersects", TWO_LISTS, intersects),
];

const TWO_LISTS: &[&str] = &["list(A), list(A) -> bool"];

fn has(items: &[Value], wanted: &Value, meter: &Meter) -> Result<bool, Failed> {
    meter.spend(items.len() as u64)?;
    for item in items {
        if equal(item, wanted, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_all(items: &[Value], wanted: &[Value], meter: &Meter) -> Result<bool, Failed> {
    for item in wanted {
        if !has(items, item, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    has_all(args.list(0)?, args.list(1)?, args.meter).map(Value::Bool)
}

fn equivalent(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let (left, right) = (args.list(0)?, args.list(1)?);
    Ok(Value::Bool(has_all(left, right, args.meter)? && has_all(right, left, args.meter)?))
}

fn intersects(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let right = args.list(1)?;
    for item in args.list(0)? {
        if has(right, item, args.meter)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}
