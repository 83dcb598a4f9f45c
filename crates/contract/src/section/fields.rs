//! Reads one mapping key by key, so that nothing in it is silently ignored: whatever was not asked
//! for when reading ends is reported, with the key that was probably meant.

use std::collections::BTreeSet;
use std::ops::Range;

use onex_expr::Text;

use super::reading::{Reading, did_you_mean, list, one_of};
use crate::diagnostic::code;
use crate::model::{At, Data, Located, Word};

use crate::suggest;
use crate::yaml::{Entry, Node, Tree};

/// One mapping being read.
pub(crate) struct Fields<'a, 'w, 'r, 's> {
    /// Where to report.
    pub reading: &'w mut Reading<'r, 's>,
    what: &'static str,
    node: &'a Node,
    known: Vec<&'static str>,
    /// Known keys that are no part of the language.
    learned: Vec<Text>,
}

impl<'a, 'w, 'r, 's> Fields<'a, 'w, 'r, 's> {
    /// Begins to read a mapping; anything else is reported.
    pub(crate) fn open(
        reading: &'w mut Reading<'r, 's>,
        node: &'a Node,
        what: &'static str,
    ) -> Option<Self> {
        if !matches!(node.tree, Tree::Map(_)) {
            reading.wrong_type(node, what, "a mapping");
            return None;
        }
        Some(Fields { reading, what, node, known: Vec::new(), learned: Vec::new() })
    }

    /// The place of the whole mapping.
    pub(crate) fn at(&self) -> At {
        self.reading.at(&self.node.span)
    }

    /// Where to say that something is missing: the first key.
    pub(crate) fn head(&self) -> At {
        let first = self.node.entries().first().map_or(&self.node.span, |entry| &entry.key_span);
        self.reading.at(first)
    }

    /// The mapping itself.
    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// The value under a key, null included.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<&'a Node> {
        self.known.push(key);
        self.node.get(key)
    }

    /// The value under a key; null counts as not given.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.raw(key).filter(|node| !matches!(node.tree, Tree::Null))
    }

    /// Data or an expression under a key, null included.
    pub(crate) fn data(&mut self, key: &'static str) -> Option<Data<'a>> {
        let node = self.raw(key)?;
        Some(self.reading.data(node))
    }

    /// An expression under a key; null counts as not given.
    pub(crate) fn cel(&mut self, key: &'static str) -> Option<Data<'a>> {
        let node = self.get(key)?;
        Some(self.reading.data(node))
    }

    /// Text under a key.
    pub(crate) fn word(&mut self, key: &'static str) -> Option<Word> {
        let node = self.get(key)?;
        self.reading.word(node, &format!("`{key}`"))
    }

    /// Text under a key that must be there.
    pub(crate) fn required_word(&mut self, key: &'static str) -> Option<Word> {
        if self.get(key).is_none() {
            self.missing(key);
            return None;
        }
        self.word(key)
    }

    /// A truth value under a key.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Located<bool>> {
        let node = self.get(key)?;
        let Tree::Bool(value) = node.tree else {
            self.reading.wrong_type(node, &format!("`{key}`"), "true or false");
            return None;
        };
        Some(Located { value, at: self.reading.at(&node.span) })
    }

    /// A whole number of at least `least` under a key.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        least: i64,
        most: i64,
    ) -> Option<Located<i64>> {
        let node = self.get(key)?;
        let Tree::Int(value) = node.tree else {
            self.reading.wrong_type(node, &format!("`{key}`"), "a whole number");
            return None;
        };
        if value < least || value > most {
            let allowed = match most {
                i64::MAX => format!("at least {least}"),
                _ => format!("from {least} to {most}"),
            };
            let message = format!("`{key}` must be {allowed}, not {value}");
            self.reading.error(code::BAD_VALUE, node, message);
            return None;
        }
        Some(Located { value, at: self.reading.at(&node.span) })
    }

    /// A count under a key.
    pub(crate) fn count(&mut self, key: &'static str, least: u32) -> Option<u32> {
        let number = self.whole(key, least.into(), i64::from(u32::MAX))?;
        u32::try_from(number.value).ok()
    }

    /// Milliseconds under a key.
    pub(crate) fn millis(&mut self, key: &'static str, least: u32) -> Option<Located<u64>> {
        let number = self.whole(key, least.into(), MILLIS_MAX)?;
        u64::try_from(number.value).ok().map(|value| Located { value, at: number.at })
    }

    /// A number under a key.
    pub(crate) fn number(&mut self, key: &'static str, least: f64, most: f64) -> Option<f64> {
        let node = self.get(key)?;
        let value = match node.tree {
            Tree::Int(value) => value as f64,
            Tree::Double(value) => value,
            _ => {
                self.reading.wrong_type(node, &format!("`{key}`"), "a number");
                return None;
            }
        };
        if !(least..=most).contains(&value) {
            let message = format!("`{key}` must be from {least} to {most}, not {value}");
            self.reading.error(code::BAD_VALUE, node, message);
            return None;
        }
        Some(value)
    }

    /// One of several words under a key.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Located<T>> {
        let word = self.word(key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word.as_str()) {
            return Some(Located { value: *value, at: word.at });
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let message = format!("`{key}` must be {}, not `{}`", one_of(&names), word.as_str());
        let help = suggest::nearest(word.as_str(), names).map(did_you_mean);
        self.reading.findings.error(code::BAD_VALUE, word.at, message).help_if(help);
        None
    }

    /// The items of a list under a key.
    pub(crate) fn items(&mut self, key: &'static str) -> &'a [Node] {
        match self.get(key) {
            Some(node) => self.reading.items(node, &format!("`{key}`")),
            None => &[],
        }
    }

    /// Words under a key: a list, or one alone.
    pub(crate) fn words(&mut self, key: &'static str) -> Vec<Word> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        let nodes = match &node.tree {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let what = format!("an entry of `{key}`");
        nodes.iter().filter_map(|item| self.reading.word(item, &what)).collect()
    }

    /// HTTP-like statuses under a key.
    pub(crate) fn statuses(&mut self, key: &'static str) -> Option<Located<Vec<u16>>> {
        let node = self.get(key)?;
        let mut statuses = Vec::new();
        for item in self.reading.items(node, &format!("`{key}`")) {
            match item.tree {
                Tree::Int(status @ 100..=599) => statuses.extend(u16::try_from(status)),
                Tree::Int(status) => {
                    let message = format!("a status is from 100 to 599, not {status}");
                    self.reading.error(code::BAD_VALUE, item, message);
                }
                _ => self.reading.wrong_type(item, "a status", "a whole number"),
            }
        }
        Some(Located { value: statuses, at: self.reading.at(&node.span) })
    }

    /// Free-key entries under a key.
    pub(crate) fn free(&mut self, key: &'static str) -> Vec<(Word, Data<'a>)> {
        match self.get(key) {
            Some(node) => self.reading.free(node, &format!("`{key}`")),
            None => Vec::new(),
        }
    }

    /// Every entry that was not asked for; they count as known from here on.
    pub(crate) fn rest(&mut self) -> Vec<(Word, Data<'a>)> {
        let known = std::mem::take(&mut self.known);
        let mut all = self.reading.free(self.node, self.what);
        all.retain(|(key, _)| !known.contains(&key.as_str()));
        all
    }

    /// Reports a key that must be there.
    pub(crate) fn missing(&mut self, key: &str) {
        let message = format!("{} has no `{key}`", self.what);
        let at = self.head();
        self.reading.findings.error(code::MISSING_KEY, at, message).help(format!("add `{key}`"));
    }

    /// Keys of the language that this version does not perform: an error each.
    pub(crate) fn not_built(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.known.push(key);
            let Some(entry) = self.node.entries().iter().find(|entry| entry.key == *key) else {
                continue;
            };
            let at = self.reading.at(&entry.key_span);
            self.reading.findings.not_built(at, key);
        }
    }

    /// Keys that are kept and shown and have no effect: a note each.
    pub(crate) fn not_enforced(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.known.push(key);
            let Some(entry) = self.node.entries().iter().find(|entry| entry.key == *key) else {
                continue;
            };
            let at = self.reading.at(&entry.key_span);
            let message = format!("`{key}` is not enforced: it documents");
            self.reading.findings.note(code::NOT_ENFORCED, at, message);
        }
    }

    /// Keys that were read and have no effect beside the others: a note each.
    pub(crate) fn idle(&mut self, keys: &[&'static str], why: &str) {
        for key in keys {
            let Some(entry) = self.node.entries().iter().find(|entry| entry.key == *key) else {
                continue;
            };
            let at = self.reading.at(&entry.key_span);
            let message = format!("`{key}` has no effect here: {why}");
            self.reading.findings.note(code::NOT_ENFORCED, at, message);
        }
    }

    /// Keys that only name or describe, and are kept for `onex show`.
    pub(crate) fn descriptive(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    /// Keys of an old dialect that act although their values are not in the normal form.
    pub(crate) fn acts(&mut self, keys: &[&'static str]) {
        for key in keys {
            if let Some(node) = self.raw(key) {
                self.reading.acted(&node.span);
            }
        }
    }

    /// A key that is there, with its place.
    pub(crate) fn key(&self, key: &'static str) -> Word {
        let entry = self.node.entries().iter().find(|entry| entry.key == key);
        let span = entry.map_or(&self.node.span, |entry| &entry.key_span);
        Located { value: Text::new_static(key), at: self.reading.at(span) }
    }

    /// The place of a key that is there.
    pub(crate) fn key_at(&self, key: &str) -> At {
        self.reading.at(&self.key_span(key))
    }

    /// The byte range of a key that is there.
    pub(crate) fn key_span(&self, key: &str) -> Range<usize> {
        let entry = self.node.entries().iter().find(|entry| entry.key == key);
        entry.map_or(&self.node.span, |entry| &entry.key_span).clone()
    }

    /// Whether a key was asked for.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.known.contains(&key)
    }

    /// Takes a key for known that no list names; whether it was not known before.
    pub(crate) fn learn(&mut self, key: &Text) -> bool {
        let is_new = !self.known.contains(&key.as_str()) && !self.learned.contains(key);
        if is_new {
            self.learned.push(key.clone());
        }
        is_new
    }

    /// Ends reading: whatever was not asked for is reported.
    pub(crate) fn close(self) {
        let entries = self.node.entries();
        // A key may have been asked for more than once.
        let mut known: Vec<&'static str> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if self.known.contains(&entry.key.as_str()) || self.learned.contains(&entry.key) {
                continue;
            }
            let at = self.reading.at(&entry.key_span);
            if let Some(damaged) = damaged_by(entries, index) {
                let message =
                    format!("the expression of `{}` ends early: it is not quoted", damaged.key);
                let help = "put the whole expression in double quotes".to_owned();
                self.reading.findings.error(code::UNQUOTED_EXPRESSION, at, message).help(help);
                continue;
            }
            let message = format!("unknown key `{}` in {}", entry.key, self.what);
            if known.is_empty() {
                let mut seen = BTreeSet::new();
                known.extend(self.known.iter().copied().filter(|key| seen.insert(*key)));
            }
            self.reading.findings.error(code::UNKNOWN_KEY, at, message).help_with(|| {
                match suggest::nearest(&entry.key, known.iter().copied()) {
                    Some(name) => did_you_mean(name),
                    None if known.len() > KNOWN_SHOWN_MAX => {
                        format!(
                            "known keys are {}, and {} more",
                            list(&known[..KNOWN_SHOWN_MAX]),
                            known.len() - KNOWN_SHOWN_MAX
                        )
                    }
                    None => format!("known keys are {}", list(&known)),
                }
            });
        }
    }
}

/// The most known keys that are listed for an unknown one.
const KNOWN_SHOWN_MAX: usize = 64;

/// The longest time a contract may name: a year.
const MILLIS_MAX: i64 = 366 * 24 * 3600 * 1000;

/// Keys that hold bare CEL.
pub(crate) const CEL_KEYS: [&str; 10] = [
    "expression",
    "when",
    "condition",
    "skip_condition",
    "entity_key",
    "run_key",
    "idempotency_key",
    "for_each",
    "value",
    "until",
];

/// The most pieces into which an unquoted expression is looked for to have been cut.
const PIECES_MAX: usize = 32;

/// The entry before an unknown key without a value whose unquoted expression was cut by YAML.
fn damaged_by(entries: &[Entry], index: usize) -> Option<&Entry> {
    if !matches!(entries[index].value.tree, Tree::Null) {
        return None;
    }
    entries[..index].iter().rev().take(PIECES_MAX).find(|entry| {
        let Tree::String(text) = &entry.value.tree else {
            return false;
        };
        !entry.value.quoted && (CEL_KEYS.contains(&entry.key.as_str()) || is_cut(text))
    })
}

/// Whether a text opens a `${` or a bracket that it does not close.
fn is_cut(text: &Text) -> bool {
    let count = |wanted: &[char]| text.chars().filter(|c| wanted.contains(c)).count();
    text.contains("${") && count(&['{', '(', '[']) > count(&['}', ')', ']'])
}
