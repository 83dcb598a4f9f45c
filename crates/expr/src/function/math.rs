//! The math extensions. Where a double is asked for, an int counts as one.

use alloc::format;
use core::cmp::Ordering;

use super::{Args, Function, comparable};
use crate::Value;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::global("math.greatest", EXTREME, greatest),
    Function::global("math.least", EXTREME, least),
    Function::global("math.abs", SAME, abs),
    Function::global("math.sign", SAME, sign),
    Function::global("math.ceil", ROUNDING, |args| double(args, libm::ceil)),
    Function::global("math.floor", ROUNDING, |args| double(args, libm::floor)),
    Function::global("math.round", ROUNDING, |args| double(args, libm::round)),
    Function::global("math.trunc", ROUNDING, |args| double(args, libm::trunc)),
    Function::global("math.sqrt", ROUNDING, |args| double(args, libm::sqrt)),
    Function::global("math.isNaN", TEST, |args| test(args, f64::is_nan)),
    Function::global("math.isInf", TEST, |args| test(args, f64::is_infinite)),
    Function::global("math.isFinite", TEST, |args| test(args, f64::is_finite)),
    Function::global("math.bitAnd", BITS, |args| bits(args, |a, b| a & b)),
    Function::global("math.bitOr", BITS, |args| bits(args, |a, b| a | b)),
    Function::global("math.bitXor", BITS, |args| bits(args, |a, b| a ^ b)),
    Function::global("math.bitNot", &["int -> int"], bit_not),
    Function::global("math.bitShiftLeft", BITS, |args| shift(args, |number, by| number << by)),
    Function::global("math.bitShiftRight", BITS, |args| shift(args, |number, by| number >> by)),
];

const EXTREME: &[&str] =
    &["int... -> int", "double... -> double", "list(int) -> int", "list(double) -> double"];
const SAME: &[&str] = &["int -> int", "double -> double"];
const ROUNDING: &[&str] = &["double -> double"];
const TEST: &[&str] = &["double -> bool"];
const BITS: &[&str] = &["int, int -> int"];

fn greatest(args: &Args<'_>) -> Result<Value, Failed> {
    extreme(args, Ordering::Greater)
}

fn least(args: &Args<'_>) -> Result<Value, Failed> {
    extreme(args, Ordering::Less)
}

/// Of the arguments, or of one list of numbers; of equal ones the first.
fn extreme(args: &Args<'_>, wanted: Ordering) -> Result<Value, Failed> {
    let pick = |best: Option<Value>, item: &Value| {
        if item.as_double().is_none() {
            return Err(args.no_overload());
        }
        Ok(match best {
            Some(best) if !comparable(&best, item) || item.total_order(&best) != wanted => {
                Some(best)
            }
            _ => Some(item.clone()),
        })
    };
    let best = match args.values {
        [list] if matches!(**list, Value::List(_)) => args.list(0)?.iter().try_fold(None, pick)?,
        values => values.iter().map(|value| &**value).try_fold(None, pick)?,
    };
    best.ok_or_else(|| failed("out_of_range", format!("{} of nothing", args.name)))
}

fn abs(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    match args.value(0)? {
        Value::Int(number) => {
            let found = number.checked_abs().map(Value::Int);
            found.ok_or_else(|| {
                failed("overflow", "the result is outside the whole numbers (64 bits)")
            })
        }
        Value::Double(number) => Ok(Value::Double(libm::fabs(*number))),
        _ => Err(args.no_overload()),
    }
}

fn sign(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    match args.value(0)? {
        Value::Int(number) => Ok(Value::Int(number.signum())),
        Value::Double(number) if number.is_nan() || *number == 0.0 => Ok(Value::Double(*number)),
        Value::Double(number) => Ok(Value::Double(if *number > 0.0 { 1.0 } else { -1.0 })),
        _ => Err(args.no_overload()),
    }
}

fn number(args: &Args<'_>) -> Result<f64, Failed> {
    args.expect(1..=1)?;
    args.value(0)?.as_double().ok_or_else(|| args.no_overload())
}

fn double(args: &Args<'_>, change: fn(f64) -> f64) -> Result<Value, Failed> {
    Ok(Value::Double(change(number(args)?)))
}

fn test(args: &Args<'_>, holds: fn(f64) -> bool) -> Result<Value, Failed> {
    Ok(Value::Bool(holds(number(args)?)))
}

fn bits(args: &Args<'_>, join: fn(i64, i64) -> i64) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    Ok(Value::Int(join(args.int(0)?, args.int(1)?)))
}

fn bit_not(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    Ok(Value::Int(!args.int(0)?))
}

/// Shifts without regard to the sign; by 64 and more nothing is left.
fn shift(args: &Args<'_>, shift: fn(u64, u32) -> u64) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let (number, by) = (args.int(0)?, args.int(1)?);
    match u32::try_from(by) {
        Ok(by @ 0..64) => Ok(Value::Int(shift(number as u64, by) as i64)),
        _ if by < 0 => Err(failed("out_of_range", format!("cannot shift by {by} bits"))),
        _ => Ok(Value::Int(0)),
    }
}
