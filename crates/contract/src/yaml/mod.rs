//! YAML 1.2 as a tree in which every key and value knows its place.
//!
//! In reading order: `text` bytes to text, `build` the parser's events to a tree, `scalar`
//! plain words to values, `entries` duplicate and merge keys, `place` decoded text to bytes of
//! the file, `fault` the parser's errors to findings, `finding` our own, [`limits`] how much is too much.

mod build;
mod entries;
mod fault;
mod finding;
pub mod limits;
mod place;
pub(crate) mod scalar;
mod text;

use std::ops::Range;

use onex_expr::{Key, Map, Text, Value};

use crate::diagnostic::{Diagnostic, code};
use crate::source::Source;

/// One node of the tree. Aliases and merge keys are already expanded; what they repeat keeps the
/// place where it was written.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub tree: Tree,
    /// Byte range in the source, with quotes and brackets; of a block scalar its content only.
    pub span: Range<usize>,
    /// For a scalar written as text: byte offset in the source of each byte of the decoded text,
    /// and of its end, when the two differ (escapes, folded lines, blocks); `None` when text byte
    /// `i` stands at `span.start + quote + i`.
    pub text_map: Option<Box<[u32]>>,
    /// Whether a scalar was written in quotes or as a block.
    pub quoted: bool,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Tree {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// Text.
    String(Text),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written; of duplicate keys the last is kept (and all are reported).
    Map(Vec<Entry>),
}

/// One key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: Text,
    /// Byte range of the key.
    pub key_span: Range<usize>,
    /// Its value.
    pub value: Node,
}

/// The longest escape of a double-quoted text: a pair of `\uXXXX`.
const ESCAPE_BYTES_MAX: usize = 12;

impl Node {
    /// A node that stands in no file, at an empty place.
    pub fn new(tree: Tree) -> Node {
        Node { tree, span: 0..0, text_map: None, quoted: false }
    }

    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries, none if this is no mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items, none if this is no sequence.
    pub fn items(&self) -> &[Node] {
        match &self.tree {
            Tree::List(items) => items,
            _ => &[],
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.tree {
            Tree::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, for messages: `text`, `a mapping`, ...
    pub fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "nothing",
            Tree::Bool(_) => "a truth value",
            Tree::Int(_) | Tree::Double(_) => "a number",
            Tree::String(_) => "text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }

    /// Where a byte range of the text stands in the file, so that a fault inside an expression is
    /// underlined where it was written. A range beyond the text is cut at its end.
    pub fn source_range(&self, text: Range<usize>) -> Range<usize> {
        let Some(map) = &self.text_map else {
            let first = self.span.start + usize::from(self.quoted);
            let last = self.span.end.saturating_sub(usize::from(self.quoted)).max(first);
            let start = (first + text.start).min(last);
            return start..(first + text.end).clamp(start, last);
        };
        let at = |index: usize| map[index.min(map.len() - 1)] as usize;
        let start = at(text.start);
        if text.end <= text.start {
            return start..start;
        }
        let (last, next) = (at(text.end - 1), at(text.end));
        let end = if next > last + ESCAPE_BYTES_MAX { last + 1 } else { next };
        start..end.max(start)
    }

    /// The same content as a value, without places.
    pub fn to_value(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(truth) => Value::Bool(*truth),
            Tree::Int(number) => Value::Int(*number),
            Tree::Double(number) => Value::Double(*number),
            Tree::String(text) => Value::String(text.clone()),
            Tree::List(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Tree::Map(entries) => {
                let mut sorted: Vec<&Entry> = entries.iter().collect();
                sorted.sort_by(|a, b| a.key.cmp(&b.key));
                let pair = |entry: &Entry| (Key::String(entry.key.clone()), entry.value.to_value());
                Value::Map(std::sync::Arc::new(sorted.into_iter().map(pair).collect::<Map>()))
            }
        }
    }

    /// A value as a tree that stands in no file. What JSON lacks becomes null.
    pub fn from_value(value: &Value) -> Node {
        Node::new(match value {
            Value::Bool(truth) => Tree::Bool(*truth),
            Value::Int(number) => Tree::Int(*number),
            Value::Double(number) => Tree::Double(*number),
            Value::String(text) => Tree::String(text.clone()),
            Value::List(items) => Tree::List(items.iter().map(Node::from_value).collect()),
            Value::Map(map) => Tree::Map(map.iter().filter_map(entry_from).collect()),
            _ => Tree::Null,
        })
    }
}

fn entry_from((key, value): &(Key, Value)) -> Option<Entry> {
    let Key::String(key) = key else { return None };
    Some(Entry { key: key.clone(), key_span: 0..0, value: Node::from_value(value) })
}

/// Reads one contract: a document whose top level is a mapping. `None` when the text is no YAML
/// at all; every finding has a place. Duplicate keys are errors here; for an old dialect the
/// caller lowers [`code::DUPLICATE_KEY`] to a warning.
pub fn parse(source: &Source) -> (Option<Node>, Vec<Diagnostic>) {
    let (root, mut findings) = parse_any(source);
    let Some(root) = root else {
        return (None, findings);
    };
    match root.tree {
        Tree::Map(_) => {}
        Tree::Null if root.span.is_empty() => {
            findings.push(empty(source));
            return (None, findings);
        }
        _ => findings.push(
            Diagnostic::error(
                source,
                code::NOT_A_MAPPING,
                root.span.clone(),
                format!("the top level is {}, a contract is a mapping of keys", root.kind()),
            )
            .with_help("begin the file with `name:` and `node_type:`"),
        ),
    }
    (Some(root), findings)
}

/// Reads one document of any kind; nothing between markers is null.
pub fn parse_any(source: &Source) -> (Option<Node>, Vec<Diagnostic>) {
    match text::check(source) {
        Ok(text) => build::document(source, text),
        Err(fault) => (None, vec![*fault]),
    }
}

fn empty(source: &Source) -> Diagnostic {
    Diagnostic::error(source, code::EMPTY_FILE, 0..0, "the file is empty")
        .with_help("write a contract, or delete the file")
}
