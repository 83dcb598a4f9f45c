//! Maps: entries in a sorted vector, which is small, ordered and quick to search.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Value;
use crate::Text;

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

impl Key {
    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Key::Bool(truth) => Value::Bool(*truth),
            Key::Int(number) => Value::Int(*number),
            Key::String(text) => Value::String(text.clone()),
        }
    }

    /// The key that a value stands for: a whole double counts as an int.
    pub fn from_value(value: &Value) -> Option<Key> {
        match value {
            Value::Bool(truth) => Some(Key::Bool(*truth)),
            Value::Int(number) => Some(Key::Int(*number)),
            Value::Double(number) => super::whole(*number).map(Key::Int),
            Value::String(text) => Some(Key::String(text.clone())),
            _ => None,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Key::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::String(text.into())
    }
}

impl From<Text> for Key {
    fn from(text: Text) -> Key {
        Key::String(text)
    }
}

/// Entries sorted by key, each key once.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Key, Value)>,
}

impl Map {
    /// Takes entries in any order. The key that is there twice is given back instead of a map.
    pub fn from_unique(mut entries: Vec<(Key, Value)>) -> Result<Map, Key> {
        if !is_sorted(&entries) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(pair[0].0.clone());
            }
        }
        Ok(Map { entries })
    }

    /// The value under a text key.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .binary_search_by(|(key, _)| compare_text(key, name))
            .ok()
            .map(|at| &self.entries[at].1)
    }

    /// The value under any key.
    pub fn get_key(&self, wanted: &Key) -> Option<&Value> {
        self.entries.binary_search_by(|(key, _)| key.cmp(wanted)).ok().map(|at| &self.entries[at].1)
    }

    /// Puts a value under a key, in place of an earlier one.
    pub fn insert(&mut self, key: Key, value: Value) {
        match self.entries.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (key, value)),
        }
    }

    /// Takes a text key and its value out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.entries.binary_search_by(|(key, _)| compare_text(key, name)).ok()?;
        Some(self.entries.remove(at).1)
    }

    /// Puts the entries of another map over this one's; time linear in both.
    pub fn merge(&mut self, other: &Map) {
        let mut merged = Vec::with_capacity(self.entries.len() + other.entries.len());
        let mut right = other.entries.iter().peekable();
        for (key, value) in self.entries.drain(..) {
            while let Some(entry) = right.next_if(|(k, _)| *k < key) {
                merged.push(entry.clone());
            }
            match right.next_if(|(k, _)| *k == key) {
                Some(entry) => merged.push(entry.clone()),
                None => merged.push((key, value)),
            }
        }
        merged.extend(right.cloned());
        self.entries = merged;
    }

    /// The entries in key order.
    pub fn iter(&self) -> core::slice::Iter<'_, (Key, Value)> {
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

/// Text keys sort after all others.
fn compare_text(key: &Key, name: &str) -> Ordering {
    match key {
        Key::String(text) => text.as_str().cmp(name),
        _ => Ordering::Less,
    }
}

fn is_sorted(entries: &[(Key, Value)]) -> bool {
    entries.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

/// Builds a map; of two equal keys the later wins.
impl FromIterator<(Key, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(iter: I) -> Self {
        let mut entries: Vec<(Key, Value)> = iter.into_iter().collect();
        if !is_sorted(&entries) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    core::mem::swap(later, earlier);
                }
                same
            });
        }
        Map { entries }
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = alloc::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a (Key, Value);
    type IntoIter = core::slice::Iter<'a, (Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}
