//! Takes secrets out of what an effect gives back: no secret leaves in an error, an outcome, the
//! log or a dead letter, even when a target repeats what it was sent.

use std::sync::Arc;

use onex_expr::{Key, Text, Value};
use onex_kernel::port::CallError;

const MASK: &str = "***";

/// The answer of an attempt without these secrets.
pub(crate) fn answer(
    answer: Result<Value, CallError>,
    secrets: &[Text],
) -> Result<Value, CallError> {
    if secrets.is_empty() {
        return answer;
    }
    match answer {
        Ok(given) => Ok(value(&given, secrets)),
        Err(error) => Err(CallError { message: text(&error.message, secrets), ..error }),
    }
}

/// A text without these secrets.
pub(crate) fn text(found: &Text, secrets: &[Text]) -> Text {
    let mut clean: Option<String> = None;
    for secret in secrets {
        let current = clean.as_deref().unwrap_or(found);
        if current.contains(secret.as_str()) {
            clean = Some(current.replace(secret.as_str(), MASK));
        }
    }
    clean.map_or_else(|| found.clone(), Text::from)
}

fn value(found: &Value, secrets: &[Text]) -> Value {
    match found {
        Value::String(held) => Value::String(text(held, secrets)),
        Value::List(items) => Value::list(items.iter().map(|item| value(item, secrets)).collect()),
        Value::Map(map) => Value::Map(Arc::new(
            map.iter().map(|(name, held)| (key(name, secrets), value(held, secrets))).collect(),
        )),
        _ => found.clone(),
    }
}

fn key(found: &Key, secrets: &[Text]) -> Key {
    match found {
        Key::String(held) => Key::String(text(held, secrets)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_wherever_an_answer_repeats_it() {
        let secrets = [Text::from("hunter22"), Text::from("token")];
        let given = Value::map([
            ("plain", Value::Int(1)),
            ("echo", Value::list(vec![Value::text("a hunter22 b token")])),
            ("token-name", Value::text("x")),
        ]);
        let clean = answer(Ok(given), &secrets).expect("it was an answer");
        let expected = Value::map([
            ("plain", Value::Int(1)),
            ("echo", Value::list(vec![Value::text("a *** b ***")])),
            ("***-name", Value::text("x")),
        ]);
        assert_eq!(clean, expected);
    }

    #[test]
    fn a_secret_is_masked_in_an_error() {
        let error = CallError {
            code: "connect".into(),
            message: "no route to https://user:hunter22@host".into(),
            passing: true,
            sent: false,
        };
        let clean = answer(Err(error), &[Text::from("hunter22")]).expect_err("it was an error");
        assert_eq!(clean.message, "no route to https://user:***@host");
    }
}
