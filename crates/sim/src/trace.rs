//! The trace of a run: everything that went in and out, in order, as one hash and the last lines.

use std::collections::VecDeque;

/// Lines kept for a report.
const LINES: usize = 60;

/// A trace in the making.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    last: VecDeque<String>,
    kept: usize,
}

impl Trace {
    /// An empty one; `whole`: every line is kept.
    pub fn new(whole: bool) -> Trace {
        let kept = if whole { usize::MAX } else { LINES };
        Trace { hasher: blake3::Hasher::new(), last: VecDeque::new(), kept }
    }

    /// Notes something that happened.
    pub fn note(&mut self, line: String) {
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        if self.last.len() >= self.kept {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// Notes bytes that need no line.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    /// BLAKE3 of all.
    pub fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    /// The lines that are kept.
    pub fn lines(&self) -> String {
        self.last.iter().map(|line| format!("{line}\n")).collect()
    }
}
