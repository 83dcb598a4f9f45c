//! Which client message ids were seen of late, with what content and at what offset.
//!
//! The window is kept in memory. So that a start need not read the whole window's log, it is also
//! saved piece by piece in rows of their own: a piece goes into the record that makes it large
//! enough, and names the offset to which it reaches. What came after the last piece is read from
//! the log.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use onex_kernel::{Id, Message, Micros};

use crate::codec::row;
use crate::key;
use crate::options::Options;
use crate::turn::Sink;

/// Ids of one piece.
const PIECE_IDS: usize = 1024;

/// Records after which a piece is saved however few ids it has: what a start reads at most.
const PIECE_RECORDS: u64 = 16 * 1024;

/// A hash of topic, key and payload.
pub type ContentHash = [u8; 16];

/// One remembered id.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The client's id.
    pub id: Id,
    /// What it came with.
    pub hash: ContentHash,
    /// Where it stands in the log.
    pub offset: u64,
    /// When.
    pub time: Micros,
}

/// Ids that were seen below an offset and not below the one of the piece before.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// First offset that it does not cover.
    pub to: u64,
    /// In the order seen.
    pub seen: Vec<Seen>,
}

/// The window.
#[derive(Debug, Default)]
pub(crate) struct Dedupe {
    seen: HashMap<Id, (ContentHash, u64)>,
    order: VecDeque<(Micros, Id)>,
    /// Where the saved pieces begin, and the time of the last id of each.
    saved: VecDeque<(u64, Micros)>,
    saved_to: u64,
    unsaved: Vec<Seen>,
}

impl Dedupe {
    /// The window as it was: pieces in order, then what the log holds beyond them.
    pub fn recovered(pieces: Vec<Piece>, tail: Vec<Seen>, options: &Options) -> Dedupe {
        let mut dedupe = Dedupe::default();
        for piece in pieces {
            let time = piece.seen.last().map_or(Micros(0), |seen| seen.time);
            dedupe.saved.push_back((dedupe.saved_to, time));
            dedupe.saved_to = piece.to;
            piece.seen.into_iter().for_each(|seen| dedupe.remember(seen, options));
        }
        tail.into_iter().for_each(|seen| dedupe.put(seen, options));
        dedupe
    }

    /// Hash and offset of an id that was seen.
    pub fn get(&self, id: Id) -> Option<(ContentHash, u64)> {
        self.seen.get(&id).copied()
    }

    /// Remembers an id and forgets what is too old or too much.
    pub fn put(&mut self, seen: Seen, options: &Options) {
        self.unsaved.push(seen);
        self.remember(seen, options);
    }

    fn remember(&mut self, seen: Seen, options: &Options) {
        if self.seen.insert(seen.id, (seen.hash, seen.offset)).is_none() {
            self.order.push_back((seen.time, seen.id));
        }
        while let Some((time, id)) = self.order.front().copied() {
            let old = time.0.saturating_add(options.dedupe_window_us) < seen.time.0;
            if !old && self.order.len() <= options.dedupe_ids_max {
                break;
            }
            self.seen.remove(&id);
            self.order.pop_front();
        }
    }

    /// Saves a piece in the record in the making, if one is due, and lets go of those that hold
    /// nothing that is still remembered.
    pub fn save(&mut self, sink: &mut Sink) {
        let to = sink.offset + 1;
        if self.unsaved.len() < PIECE_IDS && to < self.saved_to + PIECE_RECORDS {
            return;
        }
        let seen = core::mem::take(&mut self.unsaved);
        let oldest = self.order.front().map_or(Micros(u64::MAX), |(time, _)| *time);
        while let Some((from, time)) = self.saved.front().copied()
            && time < oldest
        {
            self.saved.pop_front();
            sink.delete(key::window(from));
        }
        let time = seen.last().map_or(Micros(0), |seen| seen.time);
        self.saved.push_back((self.saved_to, time));
        sink.put(key::window(self.saved_to), row::window(&Piece { to, seen }));
        self.saved_to = to;
    }
}

/// The hash of what a client's message says; its payload must still have its bytes.
pub fn content_hash(message: &Message) -> ContentHash {
    let key = message.key.as_deref().unwrap_or_default();
    let whole = onex_kernel::id::hash(&[
        &(message.topic.len() as u64).to_le_bytes(),
        message.topic.as_bytes(),
        &[u8::from(message.key.is_some())],
        &(key.len() as u64).to_le_bytes(),
        key.as_bytes(),
        message.payload.bytes.as_deref().unwrap_or_default(),
    ]);
    let mut hash = [0; 16];
    hash.copy_from_slice(&whole.as_bytes()[..16]);
    hash
}
