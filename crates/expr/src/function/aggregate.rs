//! `sum`, `min`, `max` of a list, as in the Kubernetes libraries; the sum of nothing is 0.

use alloc::format;
use core::cmp::Ordering;

use super::{Args, Function, comparable};
use crate::Value;
use crate::eval::add;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::method(
        "sum",
        &["list(int) -> int", "list(double) -> double", "list(duration) -> duration"],
        sum,
    ),
    Function::method("min", &["list(A) -> A"], min),
    Function::method("max", &["list(A) -> A"], max),
];

fn sum(args: &Args<'_>) -> Result<Value, Failed> {
    let [list] = args.values else {
        return Err(args.no_overload());
    };
    let Value::List(items) = &**list else {
        return Err(args.no_overload());
    };
    args.meter.spend(items.len() as u64)?;
    let mut sum: Option<Value> = None;
    for item in items.iter() {
        if !matches!(item, Value::Int(_) | Value::Double(_) | Value::Duration(_)) {
            let message =
                format!("only numbers and durations can be summed, found {}", item.kind_name());
            return Err(failed("no_overload", message));
        }
        sum = Some(match sum {
            None => item.clone(),
            Some(sum) => add(&sum, item, args.meter)?,
        });
    }
    Ok(sum.unwrap_or(Value::Int(0)))
}

fn min(args: &Args<'_>) -> Result<Value, Failed> {
    extreme(args, Ordering::Less)
}

fn max(args: &Args<'_>) -> Result<Value, Failed> {
    extreme(args, Ordering::Greater)
}

fn extreme(args: &Args<'_>, wanted: Ordering) -> Result<Value, Failed> {
    let [list] = args.values else {
        return Err(args.no_overload());
    };
    let Value::List(items) = &**list else {
        return Err(args.no_overload());
    };
    args.meter.spend(items.len() as u64)?;
    let Some(mut best) = items.first() else {
        return Err(failed("out_of_range", format!("`{}` of an empty list", args.name)));
    };
    for item in items.iter() {
        if !item.is_ordered() || !comparable(best, item) {
            return Err(args.no_overload());
        }
        if item.total_order(best) == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}
