//! The one value of the product: from JSON decode through validation, expressions and rows to
//! encode, never converted. Cloning is cheap: text is short or shared, collections are shared.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Text;
use crate::json::{self, JsonError};

mod map;
mod order;

pub use map::{Key, Map};

/// A JSON value, or one of the few CEL values that JSON lacks.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number within i64.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// Unicode text.
    String(Text),
    /// Bytes (base64 as JSON).
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map, sorted by key.
    Map(Arc<Map>),
    /// A point in time: nanoseconds are always counted forward from `seconds`.
    Timestamp {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
        /// 0 to 999,999,999.
        nanos: u32,
    },
    /// A span of time in nanoseconds.
    Duration(i128),
    /// The type of a value, as `type(x)` gives it.
    Type(Text),
    /// An optional value (`optional.of`, `a.?b`).
    Optional(Option<Arc<Value>>),
}

impl Value {
    /// About how many bytes it takes when it is written, shared parts counted each time; stops
    /// counting above `most`.
    pub fn weight(&self, most: u64) -> u64 {
        const SCALAR: u64 = 8;
        let inner = match self {
            Value::String(text) | Value::Type(text) => text.len() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::List(items) => weight_of(items.iter(), most),
            Value::Map(map) => {
                let keys = map.iter().map(|(key, _)| match key {
                    Key::String(key) => key.len() as u64,
                    _ => SCALAR,
                });
                keys.sum::<u64>() + weight_of(map.iter().map(|(_, value)| value), most)
            }
            Value::Optional(Some(value)) => value.weight(most),
            _ => 0,
        };
        inner + SCALAR
    }

    /// A text value.
    pub fn text(text: impl Into<Text>) -> Value {
        Value::String(text.into())
    }

    /// A map of text keys; of two equal keys the later wins.
    pub fn map<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(Arc::new(entries.into_iter().map(|(k, v)| (Key::String(k.into()), v)).collect()))
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// An optional that holds a value.
    pub fn some(value: Value) -> Value {
        Value::Optional(Some(Arc::new(value)))
    }

    /// Reads JSON text within the default limits.
    pub fn from_json(text: &str) -> Result<Value, JsonError> {
        json::parse(text.as_bytes(), &json::Limits::default())
    }

    /// Compact JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }

    /// The value under a text key, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// The value under a chain of text keys.
    pub fn get_path<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Value> {
        path.into_iter().try_fold(self, |value, name| value.get(name))
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, whatever its kind.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The name of the value's type, as CEL calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Timestamp { .. } => "google.protobuf.Timestamp",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
        }
    }

    /// The name of the value's type, as messages call it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Timestamp { .. } => "timestamp",
            Value::Duration(_) => "duration",
            Value::Optional(_) => "optional",
            other => other.type_name(),
        }
    }
}

/// The whole number that a double is, if it is one within i64.
pub(crate) fn whole(number: f64) -> Option<i64> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    let fits = (-TWO_63..TWO_63).contains(&number) && libm::trunc(number) == number;
    fits.then_some(number as i64)
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Double(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Value {
        Value::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(Arc::new(map))
    }
}

fn weight_of<'v>(parts: impl Iterator<Item = &'v Value>, most: u64) -> u64 {
    let mut sum = 0;
    for part in parts {
        sum += part.weight(most - sum);
        if sum > most {
            break;
        }
    }
    sum
}
