//! The one value of the product: from JSON decode through validation, expressions and rows to
//! encode, never converted. Cloning is cheap: text is short or shared, collections are shared.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Text;

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

/// A map's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text: the only kind of key JSON has.
    String(Text),
}

/// Entries sorted by key, each key once.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
}

impl Map {
    /// The value under a text key.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .binary_search_by(|(key, _)| match key {
                Key::String(text) => text.as_str().cmp(name),
                _ => core::cmp::Ordering::Less,
            })
            .ok()
            .map(|at| &self.entries[at].1)
    }

    /// The value under any key.
    pub fn get_key(&self, wanted: &Key) -> Option<&Value> {
        self.entries
            .binary_search_by(|(key, _)| key.cmp(wanted))
            .ok()
            .map(|at| &self.entries[at].1)
    }

    /// Puts a value under a key, in place of an earlier one.
    pub fn insert(&mut self, key: Key, value: Value) {
        match self.entries.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (key, value)),
        }
    }

    /// The entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = &(Key, Value)> {
        self.entries.iter()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Builds a map; of two equal keys the later wins.
impl FromIterator<(Key, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(iter: I) -> Self {
        let mut map = Map::default();
        for (key, value) in iter {
            map.insert(key, value);
        }
        map
    }
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<Text>) -> Value {
        Value::String(text.into())
    }

    /// A map of text keys.
    pub fn map<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(Arc::new(
            entries
                .into_iter()
                .map(|(k, v)| (Key::String(k.into()), v))
                .collect(),
        ))
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// The value under a text key, if this is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(name),
            _ => None,
        }
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
}

/// CEL equality: numbers by their value whatever their kind, everything else by structure.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Double(a), Value::Double(b)) => a == b,
            (Value::Int(a), Value::Double(b)) | (Value::Double(b), Value::Int(a)) => {
                *a as f64 == *b
            }
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b.iter())
                        .all(|((ka, va), (kb, vb))| ka == kb && va == vb)
            }
            (
                Value::Timestamp {
                    seconds: a,
                    nanos: m,
                },
                Value::Timestamp {
                    seconds: b,
                    nanos: n,
                },
            ) => a == b && m == n,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Optional(a), Value::Optional(b)) => a == b,
            _ => false,
        }
    }
}
