//! Where sections read from and report to, and how they speak of what they know.

use std::ops::Range;

use crate::diagnostic::code;
use crate::findings::{Added, Findings};
use crate::model::{At, Data, Located, Word};
use crate::yaml::{Entry, Node, Tree};

/// Where sections read from and report to.
pub(crate) struct Reading<'r, 's> {
    /// Index of the file.
    pub file: u32,
    /// What was found.
    pub findings: &'r mut Findings<'s>,
    /// What a translation acted on without putting it into the normal form.
    acted: Vec<Range<usize>>,
}

impl<'r, 's> Reading<'r, 's> {
    /// Of one file, with nothing read yet.
    pub(crate) fn new(file: u32, findings: &'r mut Findings<'s>) -> Self {
        Reading { file, findings, acted: Vec::new() }
    }
}

impl<'s> Reading<'_, 's> {
    /// Remembers that what stands here was acted on, although no trace of it is left.
    pub(crate) fn acted(&mut self, span: &Range<usize>) {
        self.acted.push(span.clone());
    }

    /// What was acted on without a trace.
    pub(crate) fn all_acted(&self) -> &[Range<usize>] {
        &self.acted
    }

    /// The place of a byte range.
    pub(crate) fn at(&self, span: &Range<usize>) -> At {
        At::new(self.file, span)
    }

    /// A subtree with its place.
    pub(crate) fn data<'a>(&self, node: &'a Node) -> Data<'a> {
        Data { node, at: self.at(&node.span) }
    }

    /// Reports at a node.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        node: &Node,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        let at = self.at(&node.span);
        self.findings.error(code, at, message)
    }

    /// Reports that a node is of the wrong type.
    pub(crate) fn wrong_type(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.kind());
        self.error(code::WRONG_TYPE, node, message);
    }

    /// The node's text.
    pub(crate) fn word(&mut self, node: &Node, what: &str) -> Option<Word> {
        match &node.tree {
            Tree::String(text) => Some(Located { value: text.clone(), at: self.at(&node.span) }),
            _ => {
                self.wrong_type(node, what, "text");
                None
            }
        }
    }

    /// The node's items.
    pub(crate) fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.tree {
            Tree::List(items) => items,
            _ => {
                self.wrong_type(node, what, "a list");
                &[]
            }
        }
    }

    /// The entries of a mapping with free keys.
    pub(crate) fn free<'a>(&mut self, node: &'a Node, what: &str) -> Vec<(Word, Data<'a>)> {
        if !matches!(node.tree, Tree::Map(_)) {
            self.wrong_type(node, what, "a mapping");
        }
        let entry = |entry: &'a Entry| {
            let key = Located { value: entry.key.clone(), at: self.at(&entry.key_span) };
            (key, self.data(&entry.value))
        };
        node.entries().iter().map(entry).collect()
    }
}

/// `a`, `b` or `c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => format!("{} or `{last}`", list(first)),
    }
}

/// `a`, `b`, `c`.
pub(crate) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The help that names what was probably meant.
pub(crate) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}
