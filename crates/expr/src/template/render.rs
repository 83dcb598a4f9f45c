//! Templates to values.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Joined, Part, Place, Template, path, url};
use crate::fault::{Failed, failed};
use crate::function::scalar_text;
use crate::{EvalError, Fuel, Program, Value, brief, json};

/// The most bytes of a text that a template yields.
const TEXT_MAX: usize = 16 * 1024 * 1024;

pub(super) fn render(
    template: &Template,
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<Option<Value>, EvalError> {
    match template {
        Template::Literal(value) => Ok(Some(value.clone())),
        Template::Expr(program) => match program.eval(roots, fuel)? {
            Value::Optional(None) => Ok(None),
            value => match json::plain(&value).map_err(at(program))? {
                Cow::Owned(plain) => Ok(Some(plain)),
                Cow::Borrowed(_) => Ok(Some(value)),
            },
        },
        Template::Joined(joined) => join(joined, roots, fuel).map(Some),
        Template::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.extend(render(item, roots, fuel)?);
            }
            Ok(Some(Value::List(Arc::new(list))))
        }
        Template::Map(entries) => {
            let mut list = Vec::with_capacity(entries.len());
            for (key, item) in entries.iter() {
                if let Some(value) = render(item, roots, fuel)? {
                    list.push((key.clone(), value));
                }
            }
            Ok(Some(Value::map(list)))
        }
    }
}

/// A failure about the whole of an expression.
fn at(program: &Program) -> impl Fn(Failed) -> EvalError {
    let range = program.range();
    move |failure| EvalError { range: range.clone(), ..failure.into_error() }
}

fn join(joined: &Joined, roots: &[Value], fuel: &mut Fuel) -> Result<Value, EvalError> {
    let mut out = String::new();
    // Where values stand that are neither literal nor constant.
    let mut values: Vec<(Range<usize>, &Program)> = Vec::new();
    for part in &joined.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expr(program) => {
                let value = program.eval(roots, fuel)?;
                let text = text_of(&value).map_err(at(program))?;
                let start = out.len();
                match joined.place {
                    Place::Url if program.constant().is_none() => url::encode(&text, &mut out),
                    _ => out.push_str(&text),
                }
                if program.constant().is_none() {
                    values.push((start..out.len(), program));
                }
            }
        }
        if out.len() > TEXT_MAX {
            let message = "the template makes a text of more than 16 MiB".into();
            return Err(EvalError { kind: "too_large", message, range: 0..0 });
        }
    }
    for (range, program) in values {
        let checked = match joined.place {
            Place::Data => Ok(()),
            Place::Url => url::check_segment(&out, range),
            Place::Path => path::check(&out, range),
        };
        checked.map_err(at(program))?;
    }
    Ok(Value::String(out.into()))
}

/// A value inside longer text.
fn text_of(value: &Value) -> Result<Cow<'_, str>, Failed> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Null | Value::Optional(None) => {
            Err(failed("null_in_text", "null cannot stand inside text"))
        }
        Value::Optional(Some(value)) => text_of(value),
        Value::Double(number) if !number.is_finite() => {
            Err(failed("not_json", "NaN and infinity cannot stand inside text"))
        }
        value => match scalar_text(value) {
            Some(text) => Ok(Cow::Owned(text)),
            None => match &*json::plain(value)? {
                // Bytes have become text, and text stands without quotes.
                Value::String(text) => Ok(Cow::Owned(text.as_str().into())),
                plain => Ok(Cow::Owned(json::to_string(plain))),
            },
        },
    }
}

/// Names a value in an error without showing much of it.
pub(super) fn refused(kind: &'static str, value: &str, why: &str) -> Failed {
    failed(kind, format!("`{}` {why}", brief(value)))
}
