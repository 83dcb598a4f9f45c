//! What compiling and evaluating say when something is wrong.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// How grave a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The expression cannot be used.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// A located finding about an expression's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// How grave.
    pub severity: Severity,
    /// A stable word for the kind of fault: `syntax`, `unknown_root`, `root_out_of_place`,
    /// `unknown_field`, `maybe_missing`, `unknown_function`, `no_overload`, `never_equal`,
    /// `uint`, `too_deep`, `too_long`, `looks_like_path`, `secret_out_of_place`, `bad_literal`, ...
    pub kind: &'static str,
    /// Byte range in the source text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    /// A fault that forbids the use.
    pub fn error(kind: &'static str, range: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { severity: Severity::Error, kind, range, message: message.into(), help: None }
    }

    /// A fault that only warns.
    pub fn warning(kind: &'static str, range: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { severity: Severity::Warning, kind, range, message: message.into(), help: None }
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// Whether it forbids the use.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// What compiling gave: a program unless there is an error among the faults.
#[derive(Clone, Debug)]
pub struct Compiled<T> {
    /// The result, absent when a fault is an error.
    pub value: Option<T>,
    /// Every fault, in source order.
    pub faults: Vec<Fault>,
}

impl<T> Compiled<T> {
    /// Orders the faults and withholds the value when one of them is an error.
    pub(crate) fn new(value: T, mut faults: Vec<Fault>) -> Compiled<T> {
        faults.sort_by_key(|fault| (fault.range.start, fault.range.end));
        let usable = !faults.iter().any(Fault::is_error);
        Compiled { value: usable.then_some(value), faults }
    }

    /// The same faults with another result.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Compiled<U> {
        Compiled { value: self.value.map(change), faults: self.faults }
    }
}

/// Why an evaluation ended without a value.
#[derive(Clone, Debug, PartialEq)]
pub struct EvalError {
    /// A stable word: `no_such_field`, `no_such_key`, `no_overload`, `overflow`, `divide_by_zero`,
    /// `out_of_range`, `bad_conversion`, `fuel`, `too_large`, `not_json`, ...
    pub kind: &'static str,
    /// What happened, with names and never with payload content longer than 64 bytes.
    pub message: String,
    /// Byte range in the source text.
    pub range: Range<usize>,
}

impl fmt::Display for EvalError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl core::error::Error for EvalError {}

/// A failure on its way up to where its place in the text is known. Boxed, so that the way of
/// success stays small.
pub(crate) type Failed = Box<Failure>;

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// Empty until the node that failed is known.
    pub(crate) range: Option<Range<usize>>,
}

pub(crate) fn failed(kind: &'static str, message: impl Into<String>) -> Failed {
    Box::new(Failure { kind, message: message.into(), range: None })
}

impl Failure {
    /// Whether `&&`, `||` and the like must not absorb it: a bound was reached.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.kind, "fuel" | "too_large")
    }

    pub(crate) fn into_error(self) -> EvalError {
        EvalError { kind: self.kind, message: self.message, range: self.range.unwrap_or_default() }
    }
}
