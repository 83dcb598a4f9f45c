//! `sum`, `min`, `max` of a list, as in the Kubernetes libraries; the sum of nothing is 0.

use alloc::format;
use core::cmp::Ordering;

use super::{Function, comparable, no_overload};
use crate::Value;
use crate::eval::{Meter, Ref, add};
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::method(
        "sum",
        &[
            "list(int) -> int",
            "list(double) -> double",
            "list(duration) -> duration",
        ],
        sum,
    ),
    Function::method("min", &["list(A) -> A"], min),
    Function::method("max", &["list(A) -> A"], max),
];

fn sum(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    let [list] = args else {
        return Err(no_overload("sum", args));
    };
    let Value::List(items) = &**list else {
        return Err(no_overload("sum", args));
    };
    meter.spend(items.len() as u64)?;
    let mut sum: Option<Value> = None;
    for item in items.iter() {
        if !matches!(item, Value::Int(_) | Value::Double(_) | Value::Duration(_)) {
            let message = format!(
                "only numbers and durations can be summed, found {}",
                item.type_name()
            );
            return Err(failed("no_overload", message));
        }
        sum = Some(match sum {
            None => item.clone(),
            Some(sum) => add(&sum, item, meter)?,
        });
    }
    Ok(sum.unwrap_or(Value::Int(0)))
}

fn min(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    extreme("min", args, meter, Ordering::Less)
}

fn max(args: &[Ref<'_>], meter: &Meter) -> Result<Value, Failed> {
    extreme("max", args, meter, Ordering::Greater)
}

fn extreme(name: &str, args: &[Ref<'_>], meter: &Meter, wanted: Ordering) -> Result<Value, Failed> {
    let [list] = args else {
        return Err(no_overload(name, args));
    };
    let Value::List(items) = &**list else {
        return Err(no_overload(name, args));
    };
    meter.spend(items.len() as u64)?;
    let Some(mut best) = items.first() else {
        return Err(failed("out_of_range", format!("`{name}` of an empty list")));
    };
    for item in items.iter() {
        if !item.is_ordered() || !comparable(best, item) {
            return Err(no_overload(name, args));
        }
        if item.total_order(best) == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}
