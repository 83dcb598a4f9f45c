//! Arithmetic, comparisons and `in`. Where an int and a double meet, both count as doubles.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Meter;
use crate::fault::{Failed, failed};
use crate::syntax::Binary;
use crate::time::{DURATION_MAX, SECOND, SECONDS_MAX, SECONDS_MIN};
use crate::value::Key;
use crate::{Text, Value};

pub(super) fn binary(
    sign: Binary,
    left: &Value,
    right: &Value,
    meter: &Meter,
) -> Result<Value, Failed> {
    match sign {
        Binary::Equal => equal(left, right, meter).map(Value::Bool),
        Binary::NotEqual => equal(left, right, meter).map(|equal| Value::Bool(!equal)),
        Binary::Less => ordered(sign, left, right, meter, Ordering::is_lt),
        Binary::LessEqual => ordered(sign, left, right, meter, Ordering::is_le),
        Binary::Greater => ordered(sign, left, right, meter, Ordering::is_gt),
        Binary::GreaterEqual => ordered(sign, left, right, meter, Ordering::is_ge),
        Binary::In => contains(left, right, meter).map(Value::Bool),
        Binary::Add => add(left, right, meter),
        Binary::Subtract => subtract(left, right),
        Binary::Multiply => arithmetic(sign, left, right, i64::checked_mul, |a, b| a * b),
        Binary::Divide => {
            not_zero("divide", right, left)?;
            arithmetic(sign, left, right, i64::checked_div, |a, b| a / b)
        }
        Binary::Remainder => match (left, right) {
            (Value::Int(_), Value::Int(_)) => {
                not_zero("take a remainder", right, left)?;
                arithmetic(sign, left, right, i64::checked_rem, |a, _| a)
            }
            _ => Err(no_overload(sign, left, right)),
        },
    }
}

#[cold]
fn no_overload(sign: Binary, left: &Value, right: &Value) -> Failed {
    let (left, right) = (left.kind_name(), right.kind_name());
    failed("no_overload", format!("no such overload: {left} {} {right}", sign.sign()))
}

#[cold]
fn overflow() -> Failed {
    failed("overflow", "the result is outside the whole numbers (64 bits)")
}

fn not_zero(action: &str, right: &Value, left: &Value) -> Result<(), Failed> {
    match (left, right) {
        (Value::Int(_), Value::Int(0)) => {
            Err(failed("divide_by_zero", format!("cannot {action} by zero")))
        }
        _ => Ok(()),
    }
}

/// Equality that pays for what it looks through.
pub(crate) fn equal(left: &Value, right: &Value, meter: &Meter) -> Result<bool, Failed> {
    match (left, right) {
        (
            Value::List(_) | Value::Map(_) | Value::Optional(_),
            Value::List(_) | Value::Map(_) | Value::Optional(_),
        ) => {
            meter.walk(left)?;
            meter.walk(right)?;
        }
        (Value::String(left), Value::String(_)) => meter.read(left.len())?,
        _ => {}
    }
    Ok(left == right)
}

fn ordered(
    sign: Binary,
    left: &Value,
    right: &Value,
    meter: &Meter,
    holds: fn(Ordering) -> bool,
) -> Result<Value, Failed> {
    if let Value::String(text) = left {
        meter.read(text.len())?;
    }
    match left.compare(right) {
        Some(order) => Ok(Value::Bool(holds(order))),
        // NaN has no order, but it is a number: nothing holds of it.
        None if left.as_double().is_some() && right.as_double().is_some() => Ok(Value::Bool(false)),
        None => Err(no_overload(sign, left, right)),
    }
}

/// `item in collection`
fn contains(item: &Value, collection: &Value, meter: &Meter) -> Result<bool, Failed> {
    match collection {
        Value::List(items) => {
            meter.spend(items.len() as u64)?;
            for other in items.iter() {
                if equal(item, other, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => Ok(match item {
            Value::String(name) => map.get(name).is_some(),
            item => Key::from_value(item).is_some_and(|key| map.get_key(&key).is_some()),
        }),
        _ => Err(no_overload(Binary::In, item, collection)),
    }
}

pub(super) fn negate(value: &Value) -> Result<Value, Failed> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Double(number) => Ok(Value::Double(-number)),
        Value::Duration(nanos) => Ok(Value::Duration(-nanos)),
        other => Err(failed("no_overload", format!("no such overload: -{}", other.kind_name()))),
    }
}

fn arithmetic(
    sign: Binary,
    left: &Value,
    right: &Value,
    ints: fn(i64, i64) -> Option<i64>,
    doubles: fn(f64, f64) -> f64,
) -> Result<Value, Failed> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => ints(*a, *b).map(Value::Int).ok_or_else(overflow),
        _ => match (left.as_double(), right.as_double()) {
            (Some(a), Some(b)) => Ok(Value::Double(doubles(a, b))),
            _ => Err(no_overload(sign, left, right)),
        },
    }
}

/// `left + right`
pub(crate) fn add(left: &Value, right: &Value, meter: &Meter) -> Result<Value, Failed> {
    match (left, right) {
        (Value::String(a), Value::String(b)) => {
            meter.produce(a.len() + b.len())?;
            Ok(Value::String(joined(a, b)))
        }
        (Value::List(a), Value::List(b)) => {
            meter.produce_items(a.len() + b.len())?;
            Ok(Value::List(Arc::new(a.iter().chain(b.iter()).cloned().collect())))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.produce(a.len() + b.len())?;
            let bytes: Vec<u8> = [&a[..], &b[..]].concat();
            Ok(Value::Bytes(bytes.into()))
        }
        (Value::Timestamp { .. }, Value::Duration(span)) => shifted(left, *span),
        (Value::Duration(span), Value::Timestamp { .. }) => shifted(right, *span),
        (Value::Duration(a), Value::Duration(b)) => span(a + b),
        _ => arithmetic(Binary::Add, left, right, i64::checked_add, |a, b| a + b),
    }
}

fn joined(a: &str, b: &str) -> Text {
    let mut text = String::with_capacity(a.len() + b.len());
    text.push_str(a);
    text.push_str(b);
    text.into()
}

fn subtract(left: &Value, right: &Value) -> Result<Value, Failed> {
    match (left, right) {
        (Value::Timestamp { .. }, Value::Duration(span)) => shifted(left, -span),
        (Value::Timestamp { seconds: a, nanos: m }, Value::Timestamp { seconds: b, nanos: n }) => {
            span((i128::from(*a) - i128::from(*b)) * SECOND + i128::from(*m) - i128::from(*n))
        }
        (Value::Duration(a), Value::Duration(b)) => span(a - b),
        _ => arithmetic(Binary::Subtract, left, right, i64::checked_sub, |a, b| a - b),
    }
}

fn span(nanos: i128) -> Result<Value, Failed> {
    if nanos.abs() > DURATION_MAX {
        return Err(failed("out_of_range", "the duration is out of range: more than 10,000 years"));
    }
    Ok(Value::Duration(nanos))
}

/// A point in time, moved; both are far within i128.
fn shifted(time: &Value, by: i128) -> Result<Value, Failed> {
    let Value::Timestamp { seconds, nanos } = time else {
        return Ok(Value::Null);
    };
    let sum = i128::from(*seconds) * SECOND + i128::from(*nanos) + by;
    let seconds = sum.div_euclid(SECOND) as i64;
    if !(SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
        return Err(failed(
            "out_of_range",
            "the time is out of range: not within the years 1 and 9999",
        ));
    }
    Ok(Value::Timestamp { seconds, nanos: sum.rem_euclid(SECOND) as u32 })
}
