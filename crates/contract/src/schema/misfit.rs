//! What the validator found, in few words and with little of the value.

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use super::Misfit;

/// The most of a value that a message repeats, in bytes.
const EXCERPT_BYTES_MAX: usize = 64;
/// The most of a schema that a message repeats, in bytes.
const CHOICES_BYTES_MAX: usize = 160;

/// One finding of the validator.
pub(super) fn of(error: &ValidationError<'_>) -> Misfit {
    Misfit { at: error.instance_path().as_str().to_owned(), message: message(error) }
}

fn message(error: &ValidationError<'_>) -> String {
    let found = || excerpt(error.instance(), EXCERPT_BYTES_MAX);
    match error.kind() {
        Kind::Type { kind: TypeKind::Single(wanted) } => {
            format!("should be {}, is {}", article(wanted.as_str()), kind_of(error.instance()))
        }
        Kind::Type { kind: TypeKind::Multiple(wanted) } => {
            let wanted: Vec<_> = wanted.iter().map(|wanted| article(wanted.as_str())).collect();
            format!("should be {}, is {}", wanted.join(" or "), kind_of(error.instance()))
        }
        Kind::Required { property } => {
            format!(
                "`{}` is missing",
                cut(property.as_str().unwrap_or_default(), CHOICES_BYTES_MAX)
            )
        }
        Kind::AdditionalProperties { unexpected }
        | Kind::UnevaluatedProperties { unexpected }
        | Kind::UnevaluatedItems { unexpected } => {
            format!("not allowed: {}", cut(&unexpected.join(", "), EXCERPT_BYTES_MAX))
        }
        Kind::AdditionalItems { limit } => {
            format!("should have at most {}", count(*limit as u64, "item"))
        }
        Kind::Enum { options } => {
            format!("should be one of {}, is {}", excerpt(options, CHOICES_BYTES_MAX), found())
        }
        Kind::Constant { expected_value } => {
            format!("should be {}, is {}", excerpt(expected_value, CHOICES_BYTES_MAX), found())
        }
        Kind::Minimum { limit } => format!("should be at least {limit}, is {}", found()),
        Kind::ExclusiveMinimum { limit } => format!("should be more than {limit}, is {}", found()),
        Kind::Maximum { limit } => format!("should be at most {limit}, is {}", found()),
        Kind::ExclusiveMaximum { limit } => format!("should be less than {limit}, is {}", found()),
        Kind::MultipleOf { multiple_of } => {
            format!("should be a multiple of {multiple_of}, is {}", found())
        }
        Kind::MinLength { limit } => format!("should have at least {}", count(*limit, "character")),
        Kind::MaxLength { limit } => format!("should have at most {}", count(*limit, "character")),
        Kind::MinItems { limit } => format!("should have at least {}", count(*limit, "item")),
        Kind::MaxItems { limit } => format!("should have at most {}", count(*limit, "item")),
        Kind::MinProperties { limit } => format!("should have at least {}", count(*limit, "entry")),
        Kind::MaxProperties { limit } => format!("should have at most {}", count(*limit, "entry")),
        Kind::Pattern { pattern } => {
            format!("should match `{}`, is {}", cut(pattern, CHOICES_BYTES_MAX), found())
        }
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::Contains => "has too few or too many items of the kind that it should contain".into(),
        Kind::PropertyNames { error } => format!("a name does not fit: {}", message(error)),
        Kind::Not { .. } => "is what it must not be".to_owned(),
        Kind::FalseSchema => "should not be there".to_owned(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => none_fits(error, context),
        Kind::OneOfMultipleValid { .. } => "fits more than one of the alternatives".to_owned(),
        other => format!("does not satisfy `{}`", other.keyword()),
    }
}

/// What keeps a value from the alternative that it is nearest to: the one with the fewest faults,
/// a fault inside the value being nearer than one of the whole.
fn none_fits(error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> String {
    let outer = error.instance_path().as_str().len();
    let shallow = |fault: &ValidationError<'_>| fault.instance_path().as_str().len() <= outer;
    let nearest = context
        .iter()
        .filter(|faults| !faults.is_empty())
        .min_by_key(|faults| (faults.iter().filter(|fault| shallow(fault)).count(), faults.len()));
    let count = context.len();
    match nearest.and_then(|faults| faults.first()) {
        Some(fault) => {
            let place = fault.instance_path().as_str().get(outer..).unwrap_or_default();
            let place = if place.is_empty() { String::new() } else { format!("{place} ") };
            format!("fits none of {count} alternatives; nearest: {place}{}", message(fault))
        }
        None => format!("fits none of {count} alternatives"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// `1 item`, `2 items`
fn count(number: u64, word: &str) -> String {
    match (number, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {word}s"),
    }
}

fn article(word: &str) -> String {
    match word {
        "null" => "null".to_owned(),
        "integer" | "array" | "object" => format!("an {word}"),
        _ => format!("a {word}"),
    }
}

/// A value as JSON, cut; large ones are not written out first.
fn excerpt(value: &Value, bytes_max: usize) -> String {
    match value {
        Value::String(text) if text.len() > bytes_max => {
            format!("\"{}\"", cut(text, bytes_max - 5))
        }
        Value::Object(_) if bytes_max == EXCERPT_BYTES_MAX => "an object".to_owned(),
        Value::Array(_) if bytes_max == EXCERPT_BYTES_MAX => "an array".to_owned(),
        other => cut(&other.to_string(), bytes_max),
    }
}

/// The beginning of a text, at most this many bytes with the dots.
fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub(3);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}
