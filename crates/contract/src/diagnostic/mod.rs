//! Located findings: code, place, remedy. Faults in input are values, not errors.
//!
//! [`code`] lists every code and its page, [`human`] prints findings for people, [`json`] and
//! [`sarif`] for programs.

pub mod code;
pub mod human;
pub mod json;
pub(crate) mod remedy;
pub mod sarif;

use std::ops::Range;
use std::sync::Arc;

use crate::source::Source;

/// How grave a finding is (contract-language D14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Not enforced, entry, exit.
    Note,
    /// It can run, but probably not as meant.
    Warning,
    /// What is declared cannot happen, or could lose or double something.
    Error,
}

impl Severity {
    /// The word that all output uses.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Stable code such as `C0412`; `onex explain` prints its page.
    pub code: &'static str,
    /// How grave.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The file.
    pub file: Arc<str>,
    /// Byte range of the offending text in the file.
    pub span: Range<usize>,
    /// First line, from 1.
    pub line: usize,
    /// First column in characters, from 1.
    pub column: usize,
    /// Last line, from 1.
    pub end_line: usize,
    /// Column after the last character, from 1.
    pub end_column: usize,
    /// What to do.
    pub help: Option<String>,
    /// Other places that the message speaks of, such as where a name was given before.
    pub related: Vec<Related>,
}

/// Another place that belongs to a finding.
#[derive(Clone, Debug)]
pub struct Related {
    /// What is there, as a fragment.
    pub message: String,
    /// The file.
    pub file: Arc<str>,
    /// Byte range in that file.
    pub span: Range<usize>,
    /// First line, from 1.
    pub line: usize,
    /// First column in characters, from 1.
    pub column: usize,
    /// Last line, from 1.
    pub end_line: usize,
    /// Column after the last character, from 1.
    pub end_column: usize,
}

impl Diagnostic {
    /// A finding that stops the start.
    pub fn error(
        source: &Source,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(source, code, span, message.into())
    }

    /// A finding that does not stop the start but is probably not meant.
    pub fn warning(
        source: &Source,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(source, code, span, message.into()).at(Severity::Warning)
    }

    /// A finding that only tells.
    pub fn note(
        source: &Source,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(source, code, span, message.into()).at(Severity::Note)
    }

    fn new(source: &Source, code: &'static str, span: Range<usize>, message: String) -> Diagnostic {
        let (start, end) = source.positions(&span);
        Diagnostic {
            code,
            severity: Severity::Error,
            message,
            file: source.path.clone(),
            span,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            help: None,
            related: Vec::new(),
        }
    }

    /// The same finding with another severity: an old dialect is judged more mildly.
    #[must_use]
    pub fn at(self, severity: Severity) -> Diagnostic {
        Diagnostic { severity, ..self }
    }

    /// The same finding with what to do about it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// The same finding with another place that belongs to it.
    #[must_use]
    pub fn with_related(
        mut self,
        source: &Source,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let (start, end) = source.positions(&span);
        self.related.push(Related {
            message: message.into(),
            file: source.path.clone(),
            span,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        });
        self
    }
}

/// Puts findings in the order in which they are shown: by file and place, then by code.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        (&a.file, a.span.start, a.span.end, a.code, &a.message).cmp(&(
            &b.file,
            b.span.start,
            b.span.end,
            b.code,
            &b.message,
        ))
    });
}
