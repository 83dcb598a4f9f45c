//! Collects findings from every stage of a check, each with its place in its file; `tally` keeps
//! as many as are shown.

mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Severity, code};
use crate::dialect;
use crate::model::At;
use crate::source::Source;
use tally::Tally;

/// The findings of one check.
pub(crate) struct Findings<'s> {
    sources: &'s [Source],
    found: Tally,
    /// Files of an old dialect, and others that are judged as mildly.
    old: BTreeSet<u32>,
    /// Those of them that were translated.
    translated: BTreeSet<u32>,
    /// Those of them in which something was found that the normal form does not allow, with the
    /// first such finding.
    at_fault: BTreeMap<u32, String>,
    /// Files of which nothing could be read.
    unread: BTreeSet<u32>,
}

/// A finding just added, to which more may be said; nothing when it is only counted.
pub(crate) struct Added<'f, 's> {
    sources: &'s [Source],
    diagnostic: Option<&'f mut Diagnostic>,
}

impl<'s> Findings<'s> {
    /// None yet.
    pub(crate) fn new(sources: &'s [Source]) -> Self {
        Findings {
            sources,
            found: Tally::default(),
            old: BTreeSet::new(),
            translated: BTreeSet::new(),
            at_fault: BTreeMap::new(),
            unread: BTreeSet::new(),
        }
    }

    /// Another collection over the same files, whose findings are dropped.
    pub(crate) fn scratch(&self) -> Findings<'s> {
        let (old, translated) = (self.old.clone(), self.translated.clone());
        Findings { old, translated, unread: self.unread.clone(), ..Findings::new(self.sources) }
    }

    /// From here on a file is known to be one of which nothing could be read, which was told.
    pub(crate) fn is_unread(&mut self, file: u32) {
        self.unread.insert(file);
    }

    /// Whether what is missing may stand in a file that could not be read: its text has the name,
    /// or there is no text.
    pub(crate) fn may_be_unread(&self, name: &str) -> bool {
        self.unread.iter().any(|file| {
            let text = String::from_utf8_lossy(&self.sources[*file as usize].bytes);
            let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            text.is_empty() || text.split(|c| !is_part(c)).any(|word| word == name)
        })
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

    /// The files of an old dialect in which a fault was found since this was last asked, with the
    /// first fault of each.
    pub(crate) fn take_at_fault(&mut self) -> BTreeMap<u32, String> {
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
            let cause = || "something in it cannot be linked".to_owned();
            self.at_fault.entry(at.file).or_insert_with(cause);
        }
    }

    /// Takes over what another collection found in the files of which this is true.
    pub(crate) fn take_over(&mut self, other: Findings<'_>, of: impl Fn(&Diagnostic) -> bool) {
        for (file, cause) in other.at_fault {
            self.at_fault.entry(file).or_insert(cause);
        }
        self.found.take_over(other.found, of);
    }

    /// What cannot happen, or could lose or double something.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        let message = message.into();
        let severity = self.severity(at.file, code, &message);
        self.add(severity, code, at, message)
    }

    /// What cannot be, in whatever dialect it is written.
    pub(crate) fn refuse(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Severity::Error, code, at, message.into())
    }

    /// What can run, but probably not as meant.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Severity::Warning, code, at, message.into())
    }

    /// What is only told.
    pub(crate) fn note(
        &mut self,
        code: &'static str,
        at: At,
        message: impl Into<String>,
    ) -> Added<'_, 's> {
        self.add(Severity::Note, code, at, message.into())
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
                Severity::Error => self.severity(file, finding.code, &finding.message),
                other => other,
            };
            self.found.push(finding.at(severity));
        }
    }

    /// A finding in what no contract says.
    pub(crate) fn push(&mut self, found: Diagnostic) {
        self.found.push(found);
    }

    /// How grave an error is in a file: what an old dialect may have only warns, and counts.
    fn severity(&mut self, file: u32, code: &str, message: &str) -> Severity {
        if !self.old.contains(&file) || dialect::rejects(code) {
            return Severity::Error;
        }
        self.at_fault.entry(file).or_insert_with(|| format!("{code} {message}"));
        Severity::Warning
    }

    /// Code and byte range of what was found in a file so far.
    pub(crate) fn found_in(&self, file: u32) -> impl Iterator<Item = (&'static str, Range<usize>)> {
        self.found.of(&self.sources[file as usize].path)
    }

    /// Conditions in words that translations refused: what they lack as expressions is no news.
    pub(crate) fn refused_conditions(&self) -> Vec<(&'s str, Range<usize>)> {
        let of = |file: &u32| {
            let path = self.path(*file);
            let found = self.found_in(*file).filter(|(code, _)| *code == code::BAD_PREDICATE);
            found.map(move |(_, span)| (path, span))
        };
        self.translated.iter().flat_map(of).collect()
    }

    /// Whether anything found stops the start.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.has_errors()
    }

    /// Everything found, in the order in which it is shown, each once, errors and warnings with a
    /// remedy.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        self.found.finish()
    }

    /// The file of a place.
    pub(crate) fn source(&self, at: At) -> &'s Source {
        &self.sources[at.file as usize]
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        at: At,
        message: String,
    ) -> Added<'_, 's> {
        let sources = self.sources;
        let source = &sources[at.file as usize];
        let make = |message| Diagnostic::error(source, code, at.span(), message).at(severity);
        let diagnostic = self.found.add((&source.path, at), (severity, code), message, make);
        Added { sources, diagnostic }
    }
}

impl Added<'_, '_> {
    /// What to do about it.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        self.help_if(Some(help.into()))
    }

    /// What to do about it, where that costs something to find out.
    pub(crate) fn help_with(self, help: impl FnOnce() -> String) -> Self {
        let help = self.diagnostic.as_ref().map(|_| help());
        self.help_if(help)
    }

    /// What to do about it, if there is anything to say.
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.help = help;
        }
        self
    }

    /// Another place that it speaks of.
    pub(crate) fn related(mut self, at: At, message: &str) -> Self {
        let source = &self.sources[at.file as usize];
        if let Some(diagnostic) = &mut self.diagnostic {
            **diagnostic = diagnostic.clone().with_related(source, at.span(), message);
        }
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
