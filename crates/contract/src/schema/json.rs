//! How the validator reads our values, without converting them.
//!
//! What JSON lacks is read as it would be written: timestamps, durations and bytes as text, an
//! optional as its value or null, NaN and infinity as null.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use onex_expr::{Key, Map, Text, Value};
use serde_json::{Number, Value as Serde};

/// Our values as a representation of JSON.
pub(super) struct OurJson;

impl Json for OurJson {
    type Node<'a> = &'a Value;
    type PreparedKey = Text;
    type StringBuffer = Text;

    /// A lookup is a binary search over texts, as in the validator's own representation.
    const KEYS_PER_LOOKUP: usize = 2;

    fn prepare_key(key: &str) -> Text {
        key.into()
    }

    fn with_string_node<T>(_buffer: &mut Text, string: &str, f: impl FnOnce(&Value) -> T) -> T {
        f(&Value::text(string))
    }
}

/// A whole number or any other finite one.
#[derive(Clone, Copy)]
pub(super) enum OurNumber {
    Int(i64),
    Double(f64),
}

impl JsonNumber for OurNumber {
    fn as_u64(&self) -> Option<u64> {
        match self {
            OurNumber::Int(number) => u64::try_from(*number).ok(),
            OurNumber::Double(_) => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self {
            OurNumber::Int(number) => Some(*number),
            OurNumber::Double(_) => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        Some(match self {
            OurNumber::Int(number) => *number as f64,
            OurNumber::Double(number) => *number,
        })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_number().to_string())
    }

    fn to_number(&self) -> Cow<'_, Number> {
        Cow::Owned(match self {
            OurNumber::Int(number) => Number::from(*number),
            OurNumber::Double(number) => Number::from_f64(*number).unwrap_or_else(|| 0.into()),
        })
    }

    fn is_integer(&self) -> bool {
        match self {
            OurNumber::Int(_) => true,
            OurNumber::Double(number) => number.fract() == 0.0,
        }
    }

    fn is_written_as_integer(&self) -> bool {
        matches!(self, OurNumber::Int(_))
    }
}

impl<'a> Node<'a, OurJson> for &'a Value {
    type Object = &'a Map;
    type Array = &'a [Value];
    type Number = OurNumber;

    fn as_object(&self) -> Option<&'a Map> {
        match seen(self) {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&'a [Value]> {
        match seen(self) {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match seen(self) {
            Value::String(text) => Some(Cow::Borrowed(text)),
            other if is_written_as_text(other) => Some(Cow::Owned(written(other))),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<OurNumber> {
        match seen(self) {
            Value::Int(number) => Some(OurNumber::Int(*number)),
            Value::Double(number) if number.is_finite() => Some(OurNumber::Double(*number)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match seen(self) {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.json_type() == JsonType::Null
    }

    fn json_type(&self) -> JsonType {
        match seen(self) {
            Value::Null | Value::Optional(_) => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Double(number) if !number.is_finite() => JsonType::Null,
            Value::Int(_) | Value::Double(_) => JsonType::Number,
            Value::List(_) => JsonType::Array,
            Value::Map(_) => JsonType::Object,
            Value::String(_)
            | Value::Bytes(_)
            | Value::Timestamp { .. }
            | Value::Duration(_)
            | Value::Type(_) => JsonType::String,
        }
    }

    fn equals_value(&self, expected: &Serde) -> bool {
        equals(self, expected)
    }

    fn to_value(&self) -> Cow<'a, Serde> {
        Cow::Owned(to_serde(self))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Value>(*self) as usize))
    }
}

/// The name of a map's entry.
pub(super) enum Name<'a> {
    Text(&'a str),
    Other(String),
}

impl AsRef<str> for Name<'_> {
    fn as_ref(&self) -> &str {
        match self {
            Name::Text(text) => text,
            Name::Other(text) => text,
        }
    }
}

impl<'a> From<Name<'a>> for Cow<'a, str> {
    fn from(name: Name<'a>) -> Cow<'a, str> {
        match name {
            Name::Text(text) => Cow::Borrowed(text),
            Name::Other(text) => Cow::Owned(text),
        }
    }
}

pub(super) struct Members<'a>(std::slice::Iter<'a, (Key, Value)>);

impl<'a> Iterator for Members<'a> {
    type Item = (Name<'a>, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (name_of(key), value))
    }
}

impl<'a> Object<'a, OurJson> for &'a Map {
    type Node = &'a Value;
    type MemberName = Name<'a>;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        Map::len(self)
    }

    fn get(&self, key: &Text) -> Option<&'a Value> {
        Map::get(self, key)
    }

    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

impl<'a> Array<'a, OurJson> for &'a [Value] {
    type Node = &'a Value;
    type ElementsIter = std::slice::Iter<'a, Value>;

    fn len(&self) -> usize {
        <[Value]>::len(self)
    }

    fn elements(&self) -> std::slice::Iter<'a, Value> {
        self.iter()
    }

    fn is_unique(&self) -> bool {
        let mut sorted: Vec<&Value> = self.iter().collect();
        sorted.sort_by(|a, b| a.total_order(b));
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    }
}

/// A value as `serde_json` has it: for schemas, and for what is wrong with a value.
pub(super) fn to_serde(value: &Value) -> Serde {
    match seen(value) {
        Value::Bool(truth) => Serde::Bool(*truth),
        Value::Int(number) => Serde::from(*number),
        Value::Double(number) => Number::from_f64(*number).map_or(Serde::Null, Serde::Number),
        Value::String(text) => Serde::from(text.as_str()),
        Value::List(items) => items.iter().map(to_serde).collect(),
        Value::Map(map) => {
            let member = |(key, value): &(Key, Value)| {
                (Cow::from(name_of(key)).into_owned(), to_serde(value))
            };
            Serde::Object(map.iter().map(member).collect())
        }
        Value::Null | Value::Optional(_) => Serde::Null,
        other => Serde::from(written(other)),
    }
}

/// What an optional holds; any other value itself.
fn seen(mut value: &Value) -> &Value {
    while let Value::Optional(Some(inner)) = value {
        value = inner;
    }
    value
}

fn is_written_as_text(value: &Value) -> bool {
    matches!(value, Value::Bytes(_) | Value::Timestamp { .. } | Value::Duration(_) | Value::Type(_))
}

/// The text that stands in JSON for a value that JSON lacks.
fn written(value: &Value) -> String {
    value.to_json().trim_matches('"').to_owned()
}

fn name_of(key: &Key) -> Name<'_> {
    match key {
        Key::String(text) => Name::Text(text),
        Key::Int(number) => Name::Other(number.to_string()),
        Key::Bool(truth) => Name::Other(truth.to_string()),
    }
}

/// Equality as JSON Schema has it: numbers by their value.
fn equals(value: &Value, expected: &Serde) -> bool {
    match (seen(value), expected) {
        (Value::Bool(ours), Serde::Bool(theirs)) => ours == theirs,
        (Value::String(ours), Serde::String(theirs)) => ours.as_str() == theirs,
        (Value::Int(ours), Serde::Number(theirs)) => match theirs.as_i64() {
            Some(theirs) => *ours == theirs,
            None => theirs.as_f64() == Some(*ours as f64),
        },
        (Value::Double(ours), Serde::Number(theirs)) => theirs.as_f64() == Some(*ours),
        (Value::List(ours), Serde::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| equals(a, b))
        }
        (Value::Map(ours), Serde::Object(theirs)) => {
            let same = |(key, value): &(Key, Value)| {
                theirs.get(name_of(key).as_ref()).is_some_and(|theirs| equals(value, theirs))
            };
            ours.len() == theirs.len() && ours.iter().all(same)
        }
        (other, Serde::Null) => Node::<OurJson>::is_null(&other),
        (other, Serde::String(theirs)) if is_written_as_text(other) => written(other) == *theirs,
        _ => false,
    }
}
