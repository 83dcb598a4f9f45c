//! A tree as tidy YAML: keys in the order given, short inner mappings and lists on one line,
//! texts in quotes where any reader of YAML might take them for something else.
//!
//! What is written reads back as the same content, and writing that again gives the same text.

mod text;

use crate::yaml::{Entry, Node, Tree};

use text::{Context, literal, scalar};

/// Columns of a line that is filled with a mapping or list in brackets; texts may be longer.
const COLUMNS_MAX: usize = 100;
/// Spaces of one level.
const INDENT: usize = 2;
/// The longest key that YAML reads without a `?` before it, with room for its quotes and colon.
const KEY_CHARACTERS_MAX: usize = 1000;

/// The tree as one document.
pub fn to_yaml(node: &Node) -> String {
    let mut writer = Writer { out: String::new() };
    match &node.tree {
        Tree::Map(entries) if !entries.is_empty() => writer.entries(entries, 0),
        Tree::List(items) if !items.is_empty() => writer.items(items, 0),
        Tree::String(text) if literal(text, INDENT).is_some() => writer.inline(node, 0),
        _ => writer.out.push_str(&flow(node, usize::MAX).unwrap_or_default()),
    }
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.out
}

struct Writer {
    out: String,
}

impl Writer {
    /// Entries from here on, the first where the line stands, each ending before its line break.
    fn entries(&mut self, entries: &[Entry], indent: usize) {
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            let key = scalar(&entry.key, Context::Key);
            if key.chars().count() > KEY_CHARACTERS_MAX {
                self.out.push_str("? ");
                self.out.push_str(&key);
                self.line(indent);
            } else {
                self.out.push_str(&key);
            }
            self.out.push(':');
            self.value(&entry.value, indent);
        }
    }

    fn items(&mut self, items: &[Node], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            self.out.push('-');
            match &item.tree {
                Tree::Map(entries) if !self.fits(item) => {
                    self.out.push(' ');
                    self.entries(entries, indent + INDENT);
                }
                Tree::List(items) if !self.fits(item) => {
                    self.out.push(' ');
                    self.items(items, indent + INDENT);
                }
                _ => self.inline(item, indent),
            }
        }
    }

    /// What stands after a key: on its line if it fits, else below.
    fn value(&mut self, node: &Node, indent: usize) {
        match &node.tree {
            Tree::Map(entries) if !self.fits(node) => {
                self.line(indent + INDENT);
                self.entries(entries, indent + INDENT);
            }
            Tree::List(items) if !self.fits(node) => {
                self.line(indent + INDENT);
                self.items(items, indent + INDENT);
            }
            _ => self.inline(node, indent),
        }
    }

    /// A scalar, or a collection that fits, after a space.
    fn inline(&mut self, node: &Node, indent: usize) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        match &node.tree {
            Tree::String(text) => match literal(text, indent + INDENT) {
                Some(block) => self.out.push_str(&block),
                None => self.out.push_str(&scalar(text, Context::Block)),
            },
            _ => self.out.push_str(&flow(node, usize::MAX).unwrap_or_default()),
        }
    }

    fn line(&mut self, indent: usize) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Whether a collection fits into the rest of this line; an empty one has no other form.
    fn fits(&self, node: &Node) -> bool {
        if node.items().is_empty() && node.entries().is_empty() {
            return true;
        }
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        let rest = COLUMNS_MAX.saturating_sub(line.chars().count() + 1);
        flow(node, rest).is_some()
    }
}

/// A node on one line, unless that takes more than `columns` or would hide its structure.
fn flow(node: &Node, columns: usize) -> Option<String> {
    let mut out = String::new();
    write_flow(node, columns, &mut out).then_some(out)
}

fn write_flow(node: &Node, columns: usize, out: &mut String) -> bool {
    match &node.tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Tree::Int(number) => out.push_str(&number.to_string()),
        Tree::Double(number) => out.push_str(&text::double(*number)),
        Tree::String(text) => {
            if columns != usize::MAX && literal(text, INDENT).is_some() {
                return false;
            }
            out.push_str(&scalar(text, Context::Flow));
        }
        Tree::List(items) => return write_flow_items(items, columns, out),
        Tree::Map(entries) => return write_flow_entries(entries, columns, out),
    }
    out.len() <= columns
}

/// Several mappings in a list are easier to read one below the other.
fn write_flow_items(items: &[Node], columns: usize, out: &mut String) -> bool {
    let mappings = items.iter().filter(|item| !item.entries().is_empty()).count();
    if mappings > 1 && columns != usize::MAX {
        return false;
    }
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !write_flow(item, columns, out) {
            return false;
        }
    }
    out.push(']');
    out.len() <= columns
}

fn write_flow_entries(entries: &[Entry], columns: usize, out: &mut String) -> bool {
    out.push('{');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(&scalar(&entry.key, Context::Key));
        out.push_str(": ");
        if out.len() > columns || !write_flow(&entry.value, columns, out) {
            return false;
        }
    }
    out.push('}');
    out.len() <= columns
}
