//! Which client message ids were seen of late, with what content and at what offset.

use alloc::collections::VecDeque;

use hashbrown::HashMap;
use onex_kernel::{Id, Message, Micros};

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

/// The window.
#[derive(Debug, Default)]
pub(crate) struct Dedupe {
    seen: HashMap<Id, (ContentHash, u64)>,
    order: VecDeque<(Micros, Id)>,
}

impl Dedupe {
    /// Hash and offset of an id that was seen.
    pub fn get(&self, id: Id) -> Option<(ContentHash, u64)> {
        self.seen.get(&id).copied()
    }

    /// Remembers an id and forgets what is too old or too much.
    pub fn put(&mut self, seen: Seen, window_us: u64, ids_max: usize) {
        if self.seen.insert(seen.id, (seen.hash, seen.offset)).is_none() {
            self.order.push_back((seen.time, seen.id));
        }
        while let Some((time, id)) = self.order.front().copied() {
            let old = time.0.saturating_add(window_us) < seen.time.0;
            if !old && self.order.len() <= ids_max {
                break;
            }
            self.seen.remove(&id);
            self.order.pop_front();
        }
    }
}

/// The hash of what a client's message says; its payload must still have its bytes.
pub fn content_hash(message: &Message) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    let key = message.key.as_deref().unwrap_or_default();
    hasher.update(&(message.topic.len() as u64).to_le_bytes());
    hasher.update(message.topic.as_bytes());
    hasher.update(&[u8::from(message.key.is_some())]);
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(message.payload.bytes.as_deref().unwrap_or_default());
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}
