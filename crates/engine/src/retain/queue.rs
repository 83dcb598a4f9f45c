//! Which rows ended when, oldest first. What ended of late is in memory; the rest is saved piece by
//! piece in rows of their own, as the dedupe window is. A start finds what came after the last
//! piece in the log, so each piece names the offset to which it reaches.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use onex_kernel::Micros;

use super::{Kind, SWEEP_MAX};
use crate::codec::row;
use crate::key::{self, RowKey};
use crate::turn::Sink;

/// Entries of one piece.
const PIECE_ENTRIES: usize = 1024;

/// Records after which a piece is saved however little it holds: what a start reads at most.
pub(super) const PIECE_RECORDS: u64 = 16 * 1024;

/// What is due within so long is swept together.
const GRAIN_US: u64 = 60_000_000;

/// What had to stay is not looked at again sooner than this.
const AGAIN_US: u64 = 60_000_000;

/// A row that is kept for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From when on its time is counted: when it ended, or when it had to stay.
    pub since: Micros,
    /// When it ended, as its row says: else it has been touched since.
    pub ended: Micros,
    /// Where it stands.
    pub row: RowKey,
}

impl Entry {
    /// A row that just ended.
    pub fn new(ended: Micros, row: RowKey) -> Entry {
        Entry { since: ended, ended, row }
    }

    /// Whether it had to stay once: then it counts for no limit.
    fn stayed(&self) -> bool {
        self.since != self.ended
    }
}

/// Entries saved together.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// First offset that neither it nor an earlier one covers.
    pub to: u64,
    /// Oldest first.
    pub entries: Vec<Entry>,
}

/// How long and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub period_us: u64,
    pub max: usize,
}

impl Limit {
    /// How far `max` may be exceeded before something is done about it.
    fn slack(&self) -> usize {
        (self.max / 8).min(SWEEP_MAX)
    }

    fn grain_us(&self) -> u64 {
        (self.period_us / 1024).min(GRAIN_US)
    }

    /// Whether what counts from `since` has been kept long enough.
    pub fn is_over(&self, since: Micros, now: Micros) -> bool {
        since.0.saturating_add(self.period_us) <= now.0
    }
}

/// What is known of a piece that is not in memory.
#[derive(Debug)]
struct Saved {
    number: u64,
    /// When the first of it ended; none of an empty one, which only says where it reaches.
    first: Option<Micros>,
    /// The record that saved it: until that is durable it cannot be read.
    offset: u64,
    entries: usize,
}

/// The queue of one kind.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Pieces that are not in memory.
    saved: VecDeque<Saved>,
    /// What is left of the oldest piece, and its number, while it is being forgotten.
    front: VecDeque<Entry>,
    open: Option<u64>,
    /// What no piece holds yet.
    tail: VecDeque<Entry>,
    saved_to: u64,
    next: u64,
    /// Entries that count for the limit.
    counted: usize,
    /// Whether the tail holds some of a piece that had to stay: the log does not tell them.
    must_save: bool,
    /// Whether a sweep is under way: it holds entries that are nowhere else.
    pub at_work: bool,
    /// Whether there was a sweep in the turn at hand.
    pub rests: bool,
}

impl Queue {
    /// The queue as it was: numbered pieces in order, then what came after them.
    pub fn recovered(pieces: Vec<(u64, Piece)>, tail: Vec<Entry>) -> Queue {
        let mut queue = Queue::default();
        for (number, piece) in pieces {
            queue.counted += piece.entries.iter().filter(|entry| !entry.stayed()).count();
            queue.saved_to = piece.to;
            queue.next = number + 1;
            queue.note(number, 0, &piece.entries);
        }
        tail.into_iter().for_each(|entry| queue.put(entry));
        queue
    }

    fn note(&mut self, number: u64, offset: u64, entries: &[Entry]) {
        let first = entries.first().map(|entry| entry.since);
        self.saved.push_back(Saved { number, first, offset, entries: entries.len() });
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        let saved: usize = self.saved.iter().map(|piece| piece.entries).sum();
        saved + self.front.len() + self.tail.len()
    }

    /// Something ended.
    pub fn put(&mut self, entry: Entry) {
        self.counted += usize::from(!entry.stayed());
        self.tail.push_back(entry);
    }

    /// Something had to stay, or was touched: it is looked at again when another period is over.
    pub fn put_back(&mut self, ended: Micros, row: RowKey, now: Micros, limit: &Limit) {
        let since = now.0.saturating_add(AGAIN_US.saturating_sub(limit.period_us).max(1));
        self.must_save |= self.open.is_some();
        self.put(Entry { since: Micros(since), ended, row });
    }

    /// When a sweep should begin.
    pub fn wanted_at(&self, limit: &Limit) -> Option<Micros> {
        let piece = self.saved.iter().find_map(|piece| piece.first);
        let tail = self.tail.front().map(|entry| entry.since);
        let first = self.front.front().map(|entry| entry.since).or(piece).or(tail)?;
        if self.counted > limit.max.saturating_add(limit.slack()) {
            return Some(Micros(0));
        }
        Some(Micros(first.0.saturating_add(limit.period_us).saturating_add(limit.grain_us())))
    }

    /// Whether a sweep may begin.
    pub fn is_ready(&self, now: Micros, durable_to: u64, limit: &Limit) -> bool {
        let readable = self.closed().is_none_or(|piece| piece.offset < durable_to);
        let wanted = self.wanted_at(limit).is_some_and(|at| at <= now);
        wanted && readable && !self.at_work && !self.rests
    }

    /// The piece that must be read before anything can be taken.
    fn closed(&self) -> Option<&Saved> {
        let first = self.saved.front().filter(|piece| piece.entries > 0);
        first.filter(|_| self.open.is_none())
    }

    /// The number of that piece.
    pub fn unopened(&self) -> Option<u64> {
        self.closed().map(|piece| piece.number)
    }

    /// Takes that piece into memory.
    pub fn open(&mut self, piece: Piece) {
        self.open = self.saved.pop_front().map(|saved| saved.number);
        self.front = piece.entries.into();
    }

    /// Takes out what is over, or too much, as far as one sweep goes.
    pub fn take(&mut self, now: Micros, limit: &Limit) -> Vec<Entry> {
        let mut taken = Vec::new();
        while taken.len() < SWEEP_MAX {
            let pressed = self.counted > limit.max;
            let from = if self.open.is_some() { &mut self.front } else { &mut self.tail };
            let due = |entry: &mut Entry| pressed || limit.is_over(entry.since, now);
            let Some(entry) = from.pop_front_if(due) else {
                break;
            };
            self.counted -= usize::from(!entry.stayed());
            taken.push(entry);
        }
        taken
    }

    /// Lets go of the piece in memory once all of it was looked at.
    pub fn close(&mut self, sink: &mut Sink, kind: Kind) {
        if !self.front.is_empty() {
            return;
        }
        let Some(number) = self.open.take() else { return };
        let row = key::retained(kind, number);
        if self.saved.is_empty() {
            // The last one goes on saying how far the pieces reach.
            sink.put(row, row::retained(self.saved_to, &[]));
            self.note(number, sink.offset, &[]);
        } else {
            sink.delete(row);
        }
    }

    /// Saves a piece in the record in the making, if one is due.
    pub fn save(&mut self, sink: &mut Sink, kind: Kind) {
        let to = sink.offset + 1;
        let due = self.tail.len() >= PIECE_ENTRIES || to >= self.saved_to + PIECE_RECORDS;
        // Entries of pieces that are being swept stay saved until their piece is let go of.
        let must = self.must_save && self.open.is_none();
        if self.at_work || !(due || must) {
            return;
        }
        self.saved_to = to;
        self.must_save = false;
        loop {
            let length = self.tail.len().min(PIECE_ENTRIES);
            let entries: Vec<Entry> = self.tail.drain(..length).collect();
            let empty = self.saved.pop_back_if(|last| last.entries == 0);
            let number = empty.map_or(self.next, |last| last.number);
            self.next = self.next.max(number + 1);
            sink.put(key::retained(kind, number), row::retained(to, &entries));
            self.note(number, sink.offset, &entries);
            if self.tail.is_empty() {
                return;
            }
        }
    }
}
