//! The findings of a check, each once and no more of one kind in one file than anybody reads: of
//! the rest only their number is told.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{self, Diagnostic, Severity, code, remedy};
use crate::model::At;

/// Findings of one code that one file shows.
const SHOWN_MAX: usize = 100;

/// Findings up to the limit of each kind, and how many more there were.
#[derive(Default)]
pub(super) struct Tally {
    kept: Vec<Diagnostic>,
    /// By the file's path and the code.
    kinds: BTreeMap<(Arc<str>, &'static str), Kind>,
}

/// What was found of one code in one file.
#[derive(Default)]
struct Kind {
    /// Place and message of each.
    seen: BTreeSet<(usize, usize, String)>,
    kept: usize,
    left_out: usize,
    gravest: Option<Severity>,
}

impl Kind {
    /// Whether it is new and within the limit; else it is only counted.
    fn keeps(&mut self, severity: Severity, span: &Range<usize>, message: &str) -> bool {
        if !self.seen.insert((span.start, span.end, message.to_owned())) {
            return false;
        }
        if self.kept < SHOWN_MAX {
            self.kept += 1;
            return true;
        }
        self.left_out += 1;
        self.gravest = self.gravest.max(Some(severity));
        false
    }
}

impl Tally {
    /// Adds a finding, which is made only within the limit: finding its line costs a pass over the
    /// file.
    pub(super) fn add(
        &mut self,
        (path, at): (&Arc<str>, At),
        (severity, code): (Severity, &'static str),
        message: String,
        make: impl FnOnce(String) -> Diagnostic,
    ) -> Option<&mut Diagnostic> {
        let kind = self.kinds.entry((path.clone(), code)).or_default();
        if !kind.keeps(severity, &at.span(), &message) {
            return None;
        }
        self.kept.push(make(message));
        self.kept.last_mut()
    }

    /// Adds a finding made elsewhere.
    pub(super) fn push(&mut self, finding: Diagnostic) {
        let kind = self.kinds.entry((finding.file.clone(), finding.code)).or_default();
        if kind.keeps(finding.severity, &finding.span, &finding.message) {
            self.kept.push(finding);
        }
    }

    /// Adds what another one has of the findings of which this is true; of those that it only
    /// counted, what is true of the last that it kept.
    pub(super) fn take_over(&mut self, other: Tally, of: impl Fn(&Diagnostic) -> bool) {
        let mut counted: BTreeMap<(Arc<str>, &'static str), bool> = BTreeMap::new();
        for finding in other.kept {
            let wanted = of(&finding);
            counted.insert((finding.file.clone(), finding.code), wanted);
            if wanted {
                self.push(finding);
            }
        }
        for (key, kind) in other.kinds.into_iter().filter(|(_, kind)| kind.left_out > 0) {
            if counted.get(&key) == Some(&true) {
                let own = self.kinds.entry(key).or_default();
                own.left_out += kind.left_out;
                own.gravest = own.gravest.max(kind.gravest);
            }
        }
    }

    /// Code and place of everything found in one file, what is only counted too.
    pub(super) fn of(&self, path: &Arc<str>) -> impl Iterator<Item = (&'static str, Range<usize>)> {
        let here = self.kinds.iter().filter(move |((other, _), _)| other == path);
        here.flat_map(|((_, code), kind)| {
            kind.seen.iter().map(|(start, end, _)| (*code, *start..*end))
        })
    }

    /// Whether anything found stops the start.
    pub(super) fn has_errors(&self) -> bool {
        self.kept.iter().any(|finding| finding.severity == Severity::Error)
            || self.kinds.values().any(|kind| kind.gravest == Some(Severity::Error))
    }

    /// Everything in the order in which it is shown, errors and warnings with a remedy.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut found = self.kept;
        diagnostic::sort(&mut found);
        for ((path, of), kind) in self.kinds {
            let Some(gravest) = kind.gravest else { continue };
            let last = found.iter().rposition(|other| other.file == path && other.code == of);
            if let Some(last) = last {
                let more = rest(&found[last], kind.left_out).at(gravest);
                found.insert(last + 1, more);
            }
        }
        let helpless =
            |found: &&mut Diagnostic| found.help.is_none() && found.severity > Severity::Note;
        for found in found.iter_mut().filter(helpless) {
            found.help = Some(remedy::of(found.code));
        }
        found
    }
}

/// Says how many more there are, at the place of the last one shown.
fn rest(last: &Diagnostic, count: usize) -> Diagnostic {
    Diagnostic {
        code: code::MORE_FINDINGS,
        message: format!("{count} more findings {} in this file", last.code),
        help: Some("correct those shown and check again".to_owned()),
        related: Vec::new(),
        ..last.clone()
    }
}
