//! Templates to values.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Joined, Part, Template};
use crate::function::scalar_text;
use crate::{EvalError, Fuel, Type, Value, json};

pub(super) fn render(
    template: &Template,
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<Option<Value>, EvalError> {
    match template {
        Template::Literal(value) => Ok(Some(value.clone())),
        Template::Expr(program) => match program.eval(roots, fuel)? {
            Value::Optional(None) => Ok(None),
            value => Ok(Some(value)),
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

fn join(joined: &Joined, roots: &[Value], fuel: &mut Fuel) -> Result<Value, EvalError> {
    let mut out = String::new();
    for part in &joined.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expr(program) => {
                let value = program.eval(roots, fuel)?;
                match &value {
                    Value::String(text) => out.push_str(text),
                    Value::Null | Value::Optional(None) => {
                        return Err(EvalError {
                            kind: "null_in_text",
                            message: format!(
                                "`{}` is null, which text cannot hold",
                                crate::brief(program.source())
                            ),
                            range: 0..program.source().len(),
                        });
                    }
                    value => match scalar_text(value) {
                        Some(text) => out.push_str(&text),
                        None => out.push_str(&json::to_string(value)),
                    },
                }
            }
        }
    }
    Ok(Value::String(out.into()))
}

pub(super) fn output_type(template: &Template) -> Type {
    match template {
        Template::Expr(program) => program.output_type().clone(),
        Template::Joined(_) => Type::String,
        _ => Type::Dyn,
    }
}
