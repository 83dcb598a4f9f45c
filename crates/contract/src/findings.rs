//! Collects findings from every stage of a check, each with its place in its file.

use std::ops::Range;

use crate::diagnostic::{self, Diagnostic, Severity, code, remedy};
use crate::model::At;
use crate::source::Source;

/// The findings of one check.
pub(crate) struct Findings<'s> {
    sources: &'s [Source],
    found: Vec<Diagnostic>,
}

/// A finding just added, to which more may be said.
pub(crate) struct Added<'f, 's> {
    sources: &'s [Source],
    diagnostic: &'f mut Diagnostic,
}

impl<'s> Findings<'s> {
    /// None yet.
    pub(crate) fn new(sources: &'s [Source]) -> Self {
        Findings { sources, found: Vec::new() }
    }

    /// Another collection over the same files, whose findings are dropped.
    pub(crate) fn scratch(&self) -> Findings<'s> {
        Findings::new(self.sources)
    }

    /// What cannot happen, or could lose or double something.
    pub(crate) fn error(
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

    /// Findings made elsewhere.
    pub(crate) fn extend(&mut self, found: Vec<Diagnostic>) {
        self.found.extend(found);
    }

    /// Whether anything found stops the start.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything found, in the order in which it is shown, each once, errors and warnings with a
    /// remedy.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        diagnostic::sort(&mut self.found);
        let helpless = |found: &&mut Diagnostic| {
            found.help.is_none() && found.severity > Severity::Note
        };
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
