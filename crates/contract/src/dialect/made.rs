//! Trees that a translation makes: every node stands at the place that it was made from.

use std::ops::Range;

use onex_expr::Text;

use crate::section::fields::Fields;
use crate::yaml::{Entry, Node, Tree};

/// A node at the place of something written.
pub(super) fn node(tree: Tree, at: &Range<usize>) -> Node {
    Node { span: at.clone(), ..Node::new(tree) }
}

/// Text at a place.
pub(super) fn text(text: impl Into<Text>, at: &Range<usize>) -> Node {
    node(Tree::String(text.into()), at)
}

/// A mapping being made.
pub(super) struct Made {
    entries: Vec<Entry>,
    at: Range<usize>,
}

impl Made {
    /// An empty one, at the place that it is made from.
    pub(super) fn new(at: &Range<usize>) -> Made {
        Made { entries: Vec::new(), at: at.clone() }
    }

    /// Puts a value under a key of the language.
    pub(super) fn put(&mut self, key: &'static str, value: Node) {
        self.free(Text::new_static(key), &self.at.clone(), value);
    }

    /// Puts text under a key of the language.
    pub(super) fn text(&mut self, key: &'static str, word: impl Into<Text>, at: &Range<usize>) {
        self.put(key, text(word, at));
    }

    /// Puts a value under any key.
    pub(super) fn free(&mut self, key: Text, key_span: &Range<usize>, value: Node) {
        if self.entries.iter().all(|entry| entry.key != key) {
            self.entries.push(Entry { key, key_span: key_span.clone(), value });
        }
    }

    /// Takes over what is written under keys that mean the same in the normal form.
    pub(super) fn keep(&mut self, fields: &mut Fields<'_, '_, '_, '_>, keys: &[&'static str]) {
        for key in keys {
            if let Some(value) = fields.raw(key).cloned() {
                let span = fields.key_span(key);
                self.free(Text::new_static(key), &span, value);
            }
        }
    }

    /// Whether nothing was put.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a key was put.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The mapping.
    pub(super) fn done(self) -> Node {
        node(Tree::Map(self.entries), &self.at)
    }
}
