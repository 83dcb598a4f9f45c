//! The configuration file as a tree that knows its lines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onex_expr::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::setting::{Origin, Wrong};

/// A parsed file.
pub struct File {
    path: PathBuf,
    root: BTreeMap<String, Entry>,
}

/// What stands under a key.
pub struct Entry {
    /// The key's line, from 1.
    line: usize,
    /// What it holds.
    pub held: Held,
}

/// A table, or anything else as a value.
pub enum Held {
    /// `[section]` or `{}`.
    Table(BTreeMap<String, Entry>),
    /// A text, number, truth value or list.
    Value(Value),
}

impl File {
    /// Reads the text of a file.
    pub fn parse(path: PathBuf, text: &str) -> Result<File, Wrong> {
        let read = DeTable::parse(text).map_err(|error| Wrong {
            place: Origin::File {
                path: path.clone(),
                line: line_of(text, error.span().map_or(0, |span| span.start)),
            },
            message: error.message().to_owned(),
            help: Some("the file is TOML: `[section]`, then `key = value`".into()),
        })?;
        Ok(File { path, root: table(read.get_ref(), text) })
    }

    /// The entry of a dotted key.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        let mut table = &self.root;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            let entry = table.get(part)?;
            match &entry.held {
                _ if parts.peek().is_none() => return Some(entry),
                Held::Table(inner) => table = inner,
                Held::Value(_) => return None,
            }
        }
        None
    }

    /// Where an entry stands.
    pub fn origin(&self, entry: &Entry) -> Origin {
        Origin::File { path: self.path.clone(), line: entry.line }
    }

    /// Calls `visit` with every key whose value is no table, and with every table that `is_free`.
    pub fn each_key(&self, is_free: &dyn Fn(&str) -> bool, visit: &mut dyn FnMut(&str, &Entry)) {
        each_key(&self.root, "", is_free, visit);
    }
}

impl Entry {
    /// What it holds as one value, tables included.
    pub fn value(&self) -> Value {
        match &self.held {
            Held::Value(value) => value.clone(),
            Held::Table(entries) => {
                Value::map(entries.iter().map(|(name, entry)| (name.as_str(), entry.value())))
            }
        }
    }
}

fn each_key(
    table: &BTreeMap<String, Entry>,
    above: &str,
    is_free: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, &Entry),
) {
    for (name, entry) in table {
        let key = format!("{above}{name}");
        match &entry.held {
            Held::Table(inner) if !is_free(&key) && !inner.is_empty() => {
                each_key(inner, &format!("{key}."), is_free, visit);
            }
            _ => visit(&key, entry),
        }
    }
}

fn table(read: &DeTable<'_>, text: &str) -> BTreeMap<String, Entry> {
    read.iter()
        .map(|(name, found)| {
            let held = match found.get_ref() {
                DeValue::Table(inner) => Held::Table(table(inner, text)),
                other => Held::Value(value(other)),
            };
            let line = line_of(text, name.span().start);
            (name.get_ref().to_string(), Entry { line, held })
        })
        .collect()
}

fn value(read: &DeValue<'_>) -> Value {
    match read {
        DeValue::String(text) => Value::text(text.as_ref()),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            // One that is too large for us is refused as a text by whoever wants a number.
            .map_or_else(|_| Value::text(number.to_string()), Value::Int),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::text(number.as_str()), Value::Double)
        }
        DeValue::Datetime(time) => Value::text(time.to_string()),
        DeValue::Array(items) => {
            Value::list(items.iter().map(Spanned::get_ref).map(value).collect())
        }
        DeValue::Table(inner) => Value::map(
            inner.iter().map(|(name, found)| (name.get_ref().as_ref(), value(found.get_ref()))),
        ),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
