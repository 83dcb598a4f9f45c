//! What a translation neither took over nor spoke of: a note each, so that nothing in a file is
//! silently ignored, whatever the features forget.
//!
//! What is taken over keeps its place, so a value whose place is in the normal form has acted. What
//! acts without a trace is told by `Fields::acts`; what is reported was spoken of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// Notes every key of a file of which nothing is left in the normal form.
pub(super) fn tell(reading: &mut Reading<'_, '_>, written: &Node, normal: Option<&Node>) {
    let mut ledger = Ledger::default();
    if let Some(normal) = normal {
        ledger.take(normal);
    }
    ledger.covered.extend(reading.all_acted().iter().map(place));
    for (code, span) in reading.findings.found_in(reading.file) {
        if COVERING.contains(&code) {
            ledger.covered.insert(place(&span));
        }
        if !code.starts_with("C01") && !OF_THE_WHOLE.contains(&code) {
            ledger.spoken.insert(place(&span));
        }
    }
    let mut untold = Vec::new();
    for entry in written.entries() {
        ledger.entry(entry, &mut untold);
    }
    let mut places: BTreeMap<&str, Vec<Range<usize>>> = BTreeMap::new();
    for (key, span) in untold {
        places.entry(key).or_default().push(span);
    }
    for (key, spans) in places {
        note(reading, key, &spans);
    }
}

/// The most places of one key that are told each for itself.
const SINGLY_MAX: usize = 3;

/// Notes a key: at each of its places, or, where it is everywhere, at the first with the lines of
/// the others.
fn note(reading: &mut Reading<'_, '_>, key: &str, spans: &[Range<usize>]) {
    let message = format!("`{key}` is not enforced: it documents");
    let (single, others) = match spans.len() {
        ..=SINGLY_MAX => (spans, &[][..]),
        _ => spans.split_at(1),
    };
    let source = reading.findings.source(reading.at(&(0..0)));
    let lines: BTreeSet<usize> = others.iter().map(|span| source.positions(span).0.line).collect();
    let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
    let also = match lines.is_empty() {
        true => String::new(),
        false => format!(" (also on lines {})", lines.join(", ")),
    };
    for span in single {
        let at = reading.at(span);
        reading.findings.note(code::NOT_ENFORCED, at, format!("{message}{also}"));
    }
}

/// Findings at a key that speak of everything below it.
const COVERING: [&str; 6] = [
    code::NOT_ENFORCED,
    code::UNKNOWN_KEY,
    code::WRONG_TYPE,
    code::WRONG_SECTION,
    code::NOT_BUILT,
    code::SWITCHED_OFF,
];

/// Findings that stand at the first key of a mapping and are not about it.
const OF_THE_WHOLE: [&str; 7] = [
    code::INERT,
    code::MISSING_KEY,
    code::MISSING_NAME,
    code::MISSING_NODE_TYPE,
    code::MISSING_VERSION,
    code::NOT_A_NODE,
    code::TWO_CONTRACTS,
];

type Place = (usize, usize);

fn place(span: &Range<usize>) -> Place {
    (span.start, span.end)
}

/// Places of a file.
#[derive(Default)]
struct Ledger {
    /// What acted.
    taken: BTreeSet<Place>,
    /// Keys and values of which something was said.
    spoken: BTreeSet<Place>,
    /// Keys and values of which, with all below, something was said.
    covered: BTreeSet<Place>,
}

/// Keys with their places.
type Untold<'n> = Vec<(&'n str, Range<usize>)>;

impl Ledger {
    fn take(&mut self, made: &Node) {
        self.taken.insert(place(&made.span));
        made.items().iter().for_each(|item| self.take(item));
        for entry in made.entries() {
            self.taken.insert(place(&entry.key_span));
            self.take(&entry.value);
        }
    }

    /// Adds what is untold in an entry: the whole, or parts of it. Whether something of it is told;
    /// `None` when it says nothing.
    fn entry<'n>(&self, entry: &'n Entry, untold: &mut Untold<'n>) -> Option<bool> {
        if self.covered.contains(&place(&entry.key_span)) {
            return Some(true);
        }
        let mut parts = Vec::new();
        let named = self.spoken.contains(&place(&entry.key_span));
        let told = self.value(&entry.value, entry, &mut parts)? || named;
        match told {
            true => untold.append(&mut parts),
            false => untold.push((&entry.key, entry.key_span.clone())),
        }
        Some(told)
    }

    /// The same of a value below a key.
    fn value<'n>(&self, node: &'n Node, under: &'n Entry, parts: &mut Untold<'n>) -> Option<bool> {
        if self.covered.contains(&place(&node.span)) {
            return Some(true);
        }
        let any = |told: Vec<bool>| (!told.is_empty()).then(|| told.contains(&true));
        match &node.tree {
            Tree::Null => None,
            Tree::Map(entries) => {
                any(entries.iter().filter_map(|entry| self.entry(entry, parts)).collect())
            }
            Tree::List(items) => {
                let item = |item| {
                    let told = self.value(item, under, parts)?;
                    if !told && item.entries().is_empty() {
                        parts.push((&under.key, item.span.clone()));
                    }
                    Some(told)
                };
                any(items.iter().filter_map(item).collect())
            }
            _ => {
                let at = place(&node.span);
                Some(self.taken.contains(&at) || self.spoken.contains(&at))
            }
        }
    }
}
