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
        _ => writer.scalar(node, 0),
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
            let begun = self.out.len();
            scalar(&entry.key, Context::Key, &mut self.out);
            if self.out[begun..].chars().count() > KEY_CHARACTERS_MAX {
                self.out.insert_str(begun, "? ");
                self.line(indent);
            }
            self.out.push(':');
            if !self.inline(&entry.value, indent) {
                self.line(indent + INDENT);
                self.block(&entry.value, indent + INDENT);
            }
        }
    }

    fn items(&mut self, items: &[Node], indent: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.line(indent);
            }
            self.out.push('-');
            if !self.inline(item, indent) {
                self.out.push(' ');
                self.block(item, indent + INDENT);
            }
        }
    }

    /// A collection below the line of its key or after its dash.
    fn block(&mut self, node: &Node, indent: usize) {
        match &node.tree {
            Tree::Map(entries) => self.entries(entries, indent),
            _ => self.items(node.items(), indent),
        }
    }

    /// What stands on the line of its key or dash: a scalar, and a collection that fits. Writes
    /// nothing of one that does not, and says so.
    fn inline(&mut self, node: &Node, indent: usize) -> bool {
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        let rest = COLUMNS_MAX.saturating_sub(line.chars().count() + 1);
        let begun = self.out.len();
        self.out.push(' ');
        if node.items().is_empty() && node.entries().is_empty() {
            self.scalar(node, indent);
            return true;
        }
        let fits = write_flow(node, self.out.len() + rest, &mut self.out);
        if !fits {
            self.out.truncate(begun);
        }
        fits
    }

    /// What has no form but one: a scalar or an empty collection.
    fn scalar(&mut self, node: &Node, indent: usize) {
        match &node.tree {
            Tree::String(text) => match literal(text, indent + INDENT) {
                Some(block) => self.out.push_str(&block),
                None => scalar(text, Context::Block, &mut self.out),
            },
            _ => drop(write_flow(node, usize::MAX, &mut self.out)),
        }
    }

    fn line(&mut self, indent: usize) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Writes a node on one line, and whether that ends before `end` and shows its structure.
fn write_flow(node: &Node, end: usize, out: &mut String) -> bool {
    match &node.tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Tree::Int(number) => out.push_str(&number.to_string()),
        Tree::Double(number) => out.push_str(&text::double(*number)),
        Tree::String(text) => {
            if literal(text, INDENT).is_some() {
                return false;
            }
            scalar(text, Context::Flow, out);
        }
        Tree::List(items) => return write_flow_items(items, end, out),
        Tree::Map(entries) => return write_flow_entries(entries, end, out),
    }
    out.len() <= end
}

/// Several mappings in a list are easier to read one below the other.
fn write_flow_items(items: &[Node], end: usize, out: &mut String) -> bool {
    if items.iter().filter(|item| !item.entries().is_empty()).count() > 1 {
        return false;
    }
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !write_flow(item, end, out) {
            return false;
        }
    }
    out.push(']');
    out.len() <= end
}

fn write_flow_entries(entries: &[Entry], end: usize, out: &mut String) -> bool {
    out.push('{');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        scalar(&entry.key, Context::Key, out);
        out.push_str(": ");
        if out.len() > end || !write_flow(&entry.value, end, out) {
            return false;
        }
    }
    out.push('}');
    out.len() <= end
}
