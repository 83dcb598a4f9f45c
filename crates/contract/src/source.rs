//! Contract text and where it came from.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// One file's text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user gave or would write it, for messages.
    pub path: Arc<str>,
    /// The bytes as found; not yet known to be UTF-8.
    pub bytes: Arc<[u8]>,
    /// Why it is read.
    origin: Origin,
    /// Where each line begins, once somebody asks.
    lines: OnceLock<Arc<[usize]>>,
}

/// Why a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was named, or has the name of a contract: it is one.
    Named,
    /// It stands among contracts: it is one if it speaks like one.
    Met,
    /// It is not read, for this reason.
    Unreadable(Arc<str>),
}

/// A place in a text as people count: lines and characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// Text under a path.
    pub fn new(path: impl Into<Arc<str>>, text: impl AsRef<[u8]>) -> Source {
        Source {
            path: path.into(),
            bytes: text.as_ref().into(),
            origin: Origin::Named,
            lines: OnceLock::default(),
        }
    }

    /// The same read for another reason.
    pub(crate) fn because(self, origin: Origin) -> Source {
        Source { origin, ..self }
    }

    /// Why it is read.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same text under another path.
    #[must_use]
    pub fn at(self, path: impl Into<Arc<str>>) -> Source {
        Source { path: path.into(), ..self }
    }

    /// The text, with what is no UTF-8 replaced: for showing it, never for reading it.
    pub fn shown(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// First and last position of a byte range; the last is after its last character.
    /// What lies beyond the end of the text is taken to be at its end.
    pub fn positions(&self, span: &Range<usize>) -> (Position, Position) {
        (self.position(span.start), self.position(span.end.max(span.start)))
    }

    fn position(&self, at: usize) -> Position {
        let at = at.min(self.bytes.len());
        let lines = self.lines.get_or_init(|| lines(&self.bytes));
        let line = lines.partition_point(|start| *start <= at);
        let start = lines[line - 1];
        let is_start = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        let column = 1 + self.bytes[start..at].iter().filter(is_start).count();
        Position { line, column }
    }
}

/// Where each line begins; the first at 0.
fn lines(bytes: &[u8]) -> Arc<[usize]> {
    let breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
}
