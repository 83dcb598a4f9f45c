//! Contract text and where it came from.

use std::ops::Range;
use std::sync::Arc;

/// One file's text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user gave or would write it, for messages.
    pub path: Arc<str>,
    /// The bytes as found; not yet known to be UTF-8.
    pub bytes: Arc<[u8]>,
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
        Source { path: path.into(), bytes: text.as_ref().into() }
    }

    /// The text, with what is no UTF-8 replaced: for showing it, never for reading it.
    pub fn shown(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// First and last position of a byte range; the last is after its last character.
    /// What lies beyond the end of the text is taken to be at its end.
    pub fn positions(&self, span: &Range<usize>) -> (Position, Position) {
        let start = self.position(Position { line: 1, column: 1 }, 0..span.start);
        (start, self.position(start, span.start..span.end))
    }

    /// Where one arrives who stands at `from` and reads the bytes of `range`.
    fn position(&self, from: Position, range: Range<usize>) -> Position {
        let end = range.end.min(self.bytes.len());
        let bytes = &self.bytes[range.start.min(end)..end];
        let is_start = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => Position {
                line: from.line + bytes.iter().filter(|byte| **byte == b'\n').count(),
                column: 1 + bytes[last + 1..].iter().filter(is_start).count(),
            },
            None => Position {
                line: from.line,
                column: from.column + bytes.iter().filter(is_start).count(),
            },
        }
    }
}
