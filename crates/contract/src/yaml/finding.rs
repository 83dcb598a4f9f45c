//! What the builder of the tree has to say: each finding's words in one place, and the limit on
//! how many there are.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::source::Source;

use super::Tree;
use super::limits::{ALIAS_NODES_MAX, FINDINGS_MAX, NODES_MAX};

/// Findings up to the limit, and how many more there were.
#[derive(Default)]
pub(super) struct Findings {
    kept: Vec<Diagnostic>,
    left_out: usize,
    gravest: Option<Severity>,
}

impl Findings {
    /// Adds an error, which is made only within the limit: finding the line costs a pass over the
    /// file.
    pub(super) fn error(&mut self, make: impl FnOnce() -> Diagnostic) {
        self.add(Severity::Error, make);
    }

    /// Adds a warning likewise.
    pub(super) fn warning(&mut self, make: impl FnOnce() -> Diagnostic) {
        self.add(Severity::Warning, make);
    }

    fn add(&mut self, severity: Severity, make: impl FnOnce() -> Diagnostic) {
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(make());
        } else {
            self.left_out += 1;
            self.gravest = self.gravest.max(Some(severity));
        }
    }

    /// Adds the finding that ended the reading, whatever the limit.
    pub(super) fn end(&mut self, finding: Diagnostic) {
        self.kept.push(finding);
    }

    pub(super) fn finish(mut self, source: &Source) -> Vec<Diagnostic> {
        if let (Some(gravest), Some(last)) = (self.gravest, self.kept.last()) {
            let message = format!("{} more findings in the YAML of this file", self.left_out);
            let more = Diagnostic::error(source, code::MORE_FINDINGS, last.span.clone(), message)
                .at(gravest)
                .with_help("correct those shown and check again");
            self.kept.push(more);
        }
        self.kept
    }
}

pub(super) fn several_documents(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = "a second document begins here, a file holds one contract";
    Diagnostic::error(source, code::SEVERAL_DOCUMENTS, at, message)
        .with_help("put each contract into a file of its own")
}

pub(super) fn too_many_nodes(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = format!("the file has more than {NODES_MAX} keys and values");
    Diagnostic::error(source, code::TOO_MANY_NODES, at, message)
        .with_help("keep data outside the contract")
}

pub(super) fn aliases_too_large(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = format!("anchors and aliases expand to more than {ALIAS_NODES_MAX} values");
    Diagnostic::error(source, code::ALIASES_TOO_LARGE, at, message).with_help("use fewer aliases")
}

pub(super) fn alias_of_itself(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = "the alias stands inside the value that it repeats";
    Diagnostic::error(source, code::UNKNOWN_ANCHOR, at, message)
        .with_help("a value cannot contain itself: move the anchor or write the value out")
}

pub(super) fn key_not_text(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = "a key must be text, this is a list, a mapping or nothing";
    Diagnostic::error(source, code::KEY_NOT_TEXT, at, message)
        .with_help("write a name before the colon, in quotes if it has brackets or braces")
}

pub(super) fn unknown_tag(source: &Source, tag: &str, at: Range<usize>) -> Diagnostic {
    Diagnostic::error(source, code::UNKNOWN_TAG, at, format!("the tag `{tag}` is not known"))
        .with_help("remove the tag and write the value itself")
}

pub(super) fn tag_misfit(source: &Source, tag: &str, at: Range<usize>) -> Diagnostic {
    let message = format!("the value cannot be read as `!!{tag}`");
    Diagnostic::error(source, code::TAG_MISFIT, at, message)
        .with_help("remove the tag or correct the value")
}

pub(super) fn out_of_range(source: &Source, word: &str, at: &Range<usize>) -> Diagnostic {
    let digits = word.contains(|c: char| c.is_ascii_digit());
    let why = if digits { "it is out of range" } else { "JSON has no such number" };
    let message = format!("the number `{}` cannot be kept: {why}", excerpt(word));
    Diagnostic::error(source, code::NUMBER_OUT_OF_RANGE, at.clone(), message)
        .with_help("quote it if it is an identifier; whole numbers have 64 bits")
}

pub(super) fn ambiguous(
    source: &Source,
    word: &str,
    at: &Range<usize>,
    (ours, other): (&Tree, &str),
) -> Diagnostic {
    let word = excerpt(word);
    let message = format!("`{word}` without quotes is {other} to readers of YAML 1.1");
    let help = match ours {
        Tree::Int(number) => {
            format!("write `{number}` if the number is meant, `\"{word}\"` if text is meant")
        }
        Tree::Double(number) => {
            format!("write `{number:?}` if the number is meant, `\"{word}\"` if text is meant")
        }
        _ => format!("write `\"{word}\"`"),
    };
    Diagnostic::warning(source, code::AMBIGUOUS_SCALAR, at.clone(), message).with_help(help)
}

/// The beginning of a word, short enough for a message.
fn excerpt(word: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    match word.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &word[..end]),
        None => word.to_owned(),
    }
}
