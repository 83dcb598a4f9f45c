//! Collects findings from every stage of a check, each with its place in its file.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::diagnostic::{self, Diagnostic, Severity, code, remedy};
use crate::dialect;
use crate::model::At;
use crate::source::Source;

/// The findings of one check.
pub(crate) struct Findings<'s> {
    sources: &'s [Source],
    found: Vec<Diagnostic>,
    /// Files of an old dialect, and others that are judged as mildly.
    old: BTreeSet<u32>,
    /// Those of them that were translated.
    translated: BTreeSet<u32>,
    /// Those of them in which something was found that the normal form does not allow.
    at_fault: BTreeSet<u32>,
}

/// A finding just added, to which more may be said.
pub(crate) struct Added<'f, 's> {
    sources: &'s [Source],
    diagnostic: &'f mut Diagnostic,
}

impl<'s> Findings<'s> {
    /// None yet.
    pub(crate) fn new(sources: &'s [Source]) -> Self {
        Findings {
            sources,
            found: Vec::new(),
            old: BTreeSet::new(),
            translated: BTreeSet::new(),
            at_fault: BTreeSet::new(),
        }
    }

    /// Another collection over the same files, whose findings are dropped.
    pub(crate) fn scratch(&self) -> Findings<'s> {
        let (old, translated) = (self.old.clone(), self.translated.clone());
        Findings { old, translated, ..Findings::new(self.sources) }
    }

    /// From here on a file is judged as one of an old dialect.
    pub(crate) fn judge_mildly(&mut self, file: u32) {
        self.old.insert(file);
    }

    /// From here on a file is known to be of an old dialect, in which its own words were told.
    pub(crate) fn is_translation(&mut self, file: u32) {
        self.judge_mildly(file);
        self.translated.insert(file);
    }

    /// Whether a file is read from the translation of an old dialect.
    pub(crate) fn is_translated(&self, file: u32) -> bool {
        self.translated.contains(&file)
    }

    /// The files of an old dialect in which a fault was found since this was last asked.
    pub(crate) fn take_at_fault(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.at_fault)
    }

    /// Whether a file is of an old dialect.
    pub(crate) fn is_old(&self, file: u32) -> bool {
        self.old.contains(&file)
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: u32) -> &'s str {
        &self.sources[file as usize].path
    }

    /// A node that could not be linked although no fault was found in it.
    pub(crate) fn not_linked(&mut self, at: At) {
        if self.old.contains(&at.file) {
            self.at_fault.insert(at.file);
        }
    }

    /// Takes over what another collection found in the files of which this is true.
    pub(crate) fn take_over(&mut self, other: Findings<'_>, of: impl Fn(&Diagnostic) -> bool) {
        self.at_fault.extend(other.at_fault);
        self.found.extend(other.found.into_iter().filter(of));
    }

    /// What cannot happen, or could lose or double something.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        let diagnostic = Diagnostic::error(self.source(at), code, at.span(), message);
        let severity = self.severity(at.file, code);
        self.add(diagnostic.at(severity))
    }

    /// What cannot be, in whatever dialect it is written.
    pub(crate) fn refuse(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Diagnostic::error(self.source(at), code, at.span(), message))
    }

    /// What can run, but probably not as meant.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Diagnostic::warning(self.source(at), code, at.span(), message))
    }

    /// What is only told.
    pub(crate) fn note(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Diagnostic::note(self.source(at), code, at.span(), message))
    }

    /// A part of the language that this version does not perform.
    pub(crate) fn not_built(&mut self, at: At, name: &str) {
        self.error(code::NOT_BUILT, at, format!("`{name}` is not built yet"))
            .help("leave it out: it would not act");
    }

    /// Findings made elsewhere, about one file.
    pub(crate) fn extend(&mut self, file: u32, found: Vec<Diagnostic>) {
        for finding in found {
            let severity = match finding.severity {
                Severity::Error => self.severity(file, finding.code),
                other => other,
            };
            self.found.push(finding.at(severity));
        }
    }

    /// How grave an error is in a file: what an old dialect may have only warns, and counts.
    fn severity(&mut self, file: u32, code: &str) -> Severity {
        if !self.old.contains(&file) || dialect::rejects(code) {
            return Severity::Error;
        }
        self.at_fault.insert(file);
        Severity::Warning
    }

    /// Code and byte range of what was found in a file so far.
    pub(crate) fn found_in(
        &self,
        file: u32,
    ) -> impl Iterator<Item = (&'static str, &Range<usize>)> {
        let path = &self.sources[file as usize].path;
        let here = self.found.iter().filter(move |found| found.file == *path);
        here.map(|found| (found.code, &found.span))
    }

    /// Whether anything found stops the start.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything found, in the order in which it is shown, each once, errors and warnings with a
    /// remedy.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        diagnostic::sort(&mut self.found);
        let helpless =
            |found: &&mut Diagnostic| found.help.is_none() && found.severity > Severity::Note;
        for found in self.found.iter_mut().filter(helpless) {
            found.help = Some(remedy::of(found.code));
        }
        self.found.dedup_by(|a, b| {
            a.code == b.code && a.file == b.file && a.span == b.span && a.message == b.message
        });
        self.found
    }

    /// The file of a place.
    pub(crate) fn source(&self, at: At) -> &'s Source {
        &self.sources[at.file as usize]
    }

    fn add(&mut self, diagnostic: Diagnostic) -> Added<'_, 's> {
        self.found.push(diagnostic);
        let last = self.found.len() - 1;
        Added { sources: self.sources, diagnostic: &mut self.found[last] }
    }
}

impl Added<'_, '_> {
    /// What to do about it.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        self.help_if(Some(help.into()))
    }

    /// What to do about it, if there is anything to say.
    pub(crate) fn help_if(self, help: Option<String>) -> Self {
        self.diagnostic.help = help;
        self
    }

    /// Another place that it speaks of.
    pub(crate) fn related(self, at: At, message: &str) -> Self {
        let source = &self.sources[at.file as usize];
        *self.diagnostic = self.diagnostic.clone().with_related(source, at.span(), message);
        self
    }
}

impl At {
    /// The place of a byte range in a file.
    pub(crate) fn new(file: u32, span: &Range<usize>) -> At {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        At { file, start: narrow(span.start), end: narrow(span.end) }
    }

    /// The byte range.
    pub(crate) fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}
