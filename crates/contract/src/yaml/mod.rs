//! YAML 1.2 as a tree in which every key and value knows its place.

use std::ops::Range;

use onex_expr::Text;

use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// One node of the tree. Aliases and merge keys are already expanded.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub tree: Tree,
    /// Byte range in the source.
    pub span: Range<usize>,
    /// For a scalar written as text: byte offset in the source of each byte of the decoded text
    /// when the two differ (escapes, folded lines); `None` when text byte `i` stands at
    /// `span.start + quote + i`.
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

impl Node {
    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }

    /// The entries, none if this is no mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// Reads one document. `None` when the text is no YAML at all; every finding has a place.
pub fn parse(_source: &Source) -> (Option<Node>, Vec<Diagnostic>) {
    unimplemented!()
}
