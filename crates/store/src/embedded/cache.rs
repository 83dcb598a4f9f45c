//! Rows that are the same in the checkpoint, kept in memory up to a limit.
//!
//! The clock algorithm: a hand goes round and takes the first row not read since it last
//! passed. Reading only sets a flag, so readers share the lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{RowBytes, RowKey};

/// What a row costs besides its bytes: two counted allocations, a map entry and a slot.
pub(crate) const ROW_OVERHEAD_BYTES: u64 = 112;

/// A bounded set of unchanged rows.
#[derive(Debug)]
pub(crate) struct Cache {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    places: HashMap<RowKey, usize>,
    hand: usize,
    bytes: u64,
    bytes_max: u64,
}

#[derive(Debug)]
struct Slot {
    key: RowKey,
    value: RowBytes,
    read: AtomicBool,
}

impl Cache {
    pub fn new(bytes_max: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            hand: 0,
            bytes: 0,
            bytes_max,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn get(&self, key: &[u8]) -> Option<RowBytes> {
        let slot = self.slots[*self.places.get(key)?].as_ref()?;
        slot.read.store(true, Ordering::Relaxed);
        Some(Arc::clone(&slot.value))
    }

    pub fn insert(&mut self, key: RowKey, value: RowBytes) {
        self.remove(&key);
        let bytes = row_bytes(&key, Some(&value));
        if bytes > self.bytes_max {
            return;
        }
        while self.bytes + bytes > self.bytes_max {
            self.evict_one();
        }
        let slot = Slot { key: Arc::clone(&key), value, read: AtomicBool::new(false) };
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place] = Some(slot);
                place
            }
            None => {
                self.slots.push(Some(slot));
                self.slots.len() - 1
            }
        };
        self.places.insert(key, place);
        self.bytes += bytes;
    }

    pub fn remove(&mut self, key: &[u8]) {
        if let Some(place) = self.places.remove(key) {
            self.clear(place);
        }
    }

    /// Called only while there are rows, since one row never exceeds the limit.
    fn evict_one(&mut self) {
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            let Some(slot) = &self.slots[place] else {
                continue;
            };
            if slot.read.swap(false, Ordering::Relaxed) {
                continue;
            }
            self.places.remove(&slot.key);
            self.clear(place);
            return;
        }
    }

    fn clear(&mut self, place: usize) {
        if let Some(slot) = self.slots[place].take() {
            self.bytes -= row_bytes(&slot.key, Some(&slot.value));
            self.free.push(place);
        }
    }
}

/// What a row takes in memory.
pub(crate) fn row_bytes(key: &[u8], value: Option<&RowBytes>) -> u64 {
    (key.len() + value.map_or(0, |value| value.len())) as u64 + ROW_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32) -> (RowKey, RowBytes) {
        (RowKey::from(number.to_be_bytes()), RowBytes::from([7; 100]))
    }

    #[test]
    fn rows_read_again_outlive_rows_read_never() {
        let each = row_bytes(&row(0).0, Some(&row(0).1));
        let mut cache = Cache::new(10 * each);
        for number in 0..10 {
            let (key, value) = row(number);
            cache.insert(key, value);
        }
        for round in 10..30 {
            assert!(cache.get(&row(3).0).is_some(), "row 3 was evicted in round {round}");
            let (key, value) = row(round);
            cache.insert(key, value);
            assert!(cache.bytes() <= 10 * each);
        }
        assert!(cache.get(&row(4).0).is_none());
    }

    #[test]
    fn a_row_above_the_limit_is_not_kept_and_removed_rows_free_their_bytes() {
        let mut cache = Cache::new(1_000);
        cache.insert(row(1).0, RowBytes::from(vec![0; 2_000]));
        assert_eq!(cache.bytes(), 0);
        let (key, value) = row(2);
        cache.insert(Arc::clone(&key), value);
        cache.remove(&key);
        assert_eq!((cache.bytes(), cache.get(&key)), (0, None));
    }
}
