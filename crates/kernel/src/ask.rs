//! Renders templates in the shapes that contracts ask for: data, a truth, a list, a whole number.

use alloc::string::String;
use alloc::vec::Vec;

use onex_contract::graph::Graph;
use onex_contract::schema::Misfit;
use onex_expr::{EvalError, Fuel, Template, Text, Value, json};

use crate::row::Reason;

/// The largest whole number that a double holds exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Data that one unit of fuel pays for, in bytes: so that what a decision sends and writes is
/// bounded like the work that it takes.
const BYTES_OF_FUEL: u64 = 64;

/// Data; an optional none as a whole is null.
pub(crate) fn data(
    template: &Template,
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<Value, EvalError> {
    let value = template.render(roots, fuel)?.unwrap_or(Value::Null);
    pay(&value, fuel)?;
    Ok(value)
}

/// Pays for what is sent or written.
pub(crate) fn pay(value: &Value, fuel: &mut Fuel) -> Result<(), EvalError> {
    let most = fuel.0.saturating_mul(BYTES_OF_FUEL);
    match fuel.0.checked_sub(value.weight(most) / BYTES_OF_FUEL) {
        Some(left) => {
            fuel.0 = left;
            Ok(())
        }
        None => Err(EvalError {
            kind: "too_large",
            message: "what one decision sends and writes is larger than its fuel pays for".into(),
            range: 0..0,
        }),
    }
}

/// The answer to a condition.
pub(crate) fn truth(
    template: &Template,
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<bool, EvalError> {
    match data(template, roots, fuel)? {
        Value::Bool(truth) => Ok(truth),
        other => Err(unfit("a condition must yield true or false", &other)),
    }
}

/// The items of a `for_each`.
pub(crate) fn items(
    template: &Template,
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<Vec<Value>, EvalError> {
    match data(template, roots, fuel)? {
        Value::List(items) => Ok(items.iter().cloned().collect()),
        other => Err(unfit("for_each must yield a list", &other)),
    }
}

/// A number of milliseconds, at least `least`. A double without a fraction is as good as an integer.
pub(crate) fn milliseconds(value: &Value, least: u64) -> Result<u64, EvalError> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Double(number) if (0.0..=EXACT_MAX).contains(number) => {
            Some(*number as u64).filter(|whole| *whole as f64 == *number)
        }
        _ => None,
    };
    number.filter(|ms| *ms >= least).ok_or_else(|| {
        unfit(&alloc::format!("milliseconds must be an integer of at least {least}"), value)
    })
}

/// A key: text, or an integer in decimal, of 1 to 512 bytes.
pub(crate) fn key(value: &Value) -> Option<Text> {
    let key = match value {
        Value::String(text) => text.clone(),
        Value::Int(number) => json::decimal(*number),
        _ => return None,
    };
    (1..=512).contains(&key.len()).then_some(key)
}

/// The failure code of an expression that failed while running.
pub(crate) fn code(error: &EvalError) -> &'static str {
    reason(error, Reason::ExpressionError).as_str()
}

/// Whether a payload is what the producers of a topic promise; else why not.
pub(crate) fn promised(graph: &Graph, topic: &str, payload: &Value) -> Result<(), Text> {
    let schema = graph.topics.get(topic).and_then(|topic| topic.producer_schema.as_ref());
    let Some(schema) = schema else {
        return Ok(());
    };
    schema
        .validate(payload)
        .map_err(|found| Text::new(alloc::format!("{topic}: {}", misfits(&found))))
}

/// What a schema says of a value, for people.
pub(crate) fn misfits(misfits: &[Misfit]) -> String {
    let mut text = String::new();
    for misfit in misfits {
        if !text.is_empty() {
            text.push_str("; ");
        }
        if !misfit.at.is_empty() {
            text.push_str(&misfit.at);
            text.push_str(": ");
        }
        text.push_str(&misfit.message);
    }
    text
}

fn unfit(wanted: &str, found: &Value) -> EvalError {
    EvalError {
        kind: "no_overload",
        message: alloc::format!("{wanted}, this is {}", found.kind_name()),
        range: 0..0,
    }
}

/// Why a message is a dead letter when an expression of it failed while running: a bound that it
/// met, else `otherwise`.
pub(crate) fn reason(error: &EvalError, otherwise: Reason) -> Reason {
    match error.kind {
        "fuel" => Reason::Exceeded,
        "too_large" => Reason::TooLarge,
        _ => otherwise,
    }
}
