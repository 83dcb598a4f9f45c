//! Located findings: code, place, remedy. Faults in input are values, not errors.

use std::ops::Range;
use std::sync::Arc;

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
}
