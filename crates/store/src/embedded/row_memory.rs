//! Rows in memory: those changed since the checkpoint, those being written, and a cache.
//!
//! A row is the first found in: changed, being written, cache, checkpoint. Changed rows and
//! the offset that they reach move together, under the one lock around this structure.

use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

use crate::embedded::cache::{Cache, row_bytes};
use crate::rows::{Change, Changes, Place};
use crate::{Record, RowBytes, RowKey, StoreError};

/// Rows in memory and the offsets they stand for.
#[derive(Debug)]
pub(crate) struct RowMemory {
    changed: Changes,
    changed_bytes: u64,
    writing: Arc<Changes>,
    writing_bytes: u64,
    cache: Cache,
    /// Checkpoints begun; what was read from an older one must not enter the cache.
    generation: u64,
    /// First offset whose changes are not in.
    reached: u64,
}

/// What memory knows about a row.
pub(crate) enum Lookup {
    Known(Option<RowBytes>),
    Unknown,
}

impl RowMemory {
    pub fn new(cache_bytes: u64) -> Self {
        Self {
            changed: Changes::new(),
            changed_bytes: 0,
            writing: Arc::default(),
            writing_bytes: 0,
            cache: Cache::new(cache_bytes),
            generation: 0,
            reached: 0,
        }
    }

    pub fn reached(&self) -> u64 {
        self.reached
    }

    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub fn unwritten_rows(&self) -> usize {
        self.changed.len() + self.writing.len()
    }

    pub fn unwritten_bytes(&self) -> u64 {
        self.changed_bytes + self.writing_bytes
    }

    pub fn cached_bytes(&self) -> u64 {
        self.cache.bytes()
    }

    /// Takes in the rows of durable records; `reached` is the offset after the last.
    pub fn publish(&mut self, records: &[Record], reached: u64) {
        for row in records.iter().flat_map(|record| &record.rows) {
            let change = Change { value: row.value.clone(), fresh: row.fresh };
            self.change(Arc::clone(&row.key), change);
        }
        self.reached = reached;
    }

    /// Takes in one row. A fresh one that is deleted again leaves nothing behind.
    pub fn change(&mut self, key: RowKey, change: Change) {
        let bytes = row_bytes(&key, change.value.as_ref());
        match self.changed.entry(key.into()) {
            Entry::Vacant(place) => {
                place.insert(change);
                self.changed_bytes += bytes;
            }
            Entry::Occupied(mut place) => {
                self.changed_bytes -= row_bytes(place.key().key(), place.get().value.as_ref());
                let fresh = place.get().fresh;
                if fresh && change.value.is_none() {
                    place.remove();
                } else {
                    place.insert(Change { fresh, ..change });
                    self.changed_bytes += bytes;
                }
            }
        }
    }

    /// Says that the rows reach this offset.
    pub fn reach(&mut self, offset: u64) {
        self.reached = offset;
    }

    pub fn lookup(&self, key: &[u8]) -> Lookup {
        match self.changed.get(key).or_else(|| self.writing.get(key)) {
            Some(change) => Lookup::Known(change.value.clone()),
            None => match self.cache.get(key) {
                Some(value) => Lookup::Known(Some(value)),
                None => Lookup::Unknown,
            },
        }
    }

    /// Keeps rows read from the checkpoint, unless a checkpoint has begun since.
    pub fn keep(&mut self, generation: u64, rows: impl Iterator<Item = (RowKey, RowBytes)>) {
        if generation == self.generation {
            rows.for_each(|(key, value)| self.cache.insert(key, value));
        }
    }

    /// Changed rows of `[from, to)`, up to the one that makes `limit` rows that exist.
    ///
    /// The second value says whether the range ended before that.
    pub fn changed_in(&self, from: &[u8], to: &[u8], limit: usize) -> (Vec<ChangedRow>, bool) {
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let mut newer = self.changed.range::<[u8], _>(bounds).peekable();
        let mut older = self.writing.range::<[u8], _>(bounds).peekable();
        let (mut found, mut existing) = (Vec::new(), 0);
        while existing < limit {
            let take_newer = match (newer.peek(), older.peek()) {
                (None, None) => return (found, true),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((newer_key, _)), Some((older_key, _))) => {
                    if newer_key == older_key {
                        older.next();
                        continue;
                    }
                    newer_key < older_key
                }
            };
            let next = if take_newer { newer.next() } else { older.next() };
            let Some((key, change)) = next else {
                return (found, true);
            };
            existing += usize::from(change.value.is_some());
            found.push((Arc::clone(key.key()), change.value.clone()));
        }
        (found, false)
    }

    /// Begins a checkpoint: the rows to write, and the offset that they then cover.
    pub fn begin_checkpoint(&mut self) -> (Arc<Changes>, u64) {
        self.generation += 1;
        self.writing = Arc::new(std::mem::take(&mut self.changed));
        self.writing_bytes = std::mem::take(&mut self.changed_bytes);
        (Arc::clone(&self.writing), self.reached)
    }

    /// Keeps some of the rows just written in the cache, while they still count as being written.
    pub fn cache_written<'a>(&mut self, rows: impl Iterator<Item = (&'a Place, &'a Change)>) {
        for (place, change) in rows {
            let key = place.key();
            match &change.value {
                Some(value) => self.cache.insert(Arc::clone(key), Arc::clone(value)),
                None => self.cache.remove(key),
            }
        }
    }

    /// Ends a checkpoint that is durable; the rows given back are dropped outside the lock.
    pub fn end_checkpoint(&mut self) -> Arc<Changes> {
        self.writing_bytes = 0;
        std::mem::take(&mut self.writing)
    }

    /// Ends a checkpoint that failed: its rows are changed ones again.
    pub fn abandon_checkpoint(&mut self) {
        let writing = std::mem::take(&mut self.writing);
        self.writing_bytes = 0;
        for (place, change) in writing.iter() {
            // What failed may have reached the disk all the same: nothing counts as fresh any more.
            match self.changed.get_mut(place) {
                Some(newer) => newer.fresh = false,
                None => {
                    self.change(Arc::clone(place.key()), Change { fresh: false, ..change.clone() })
                }
            }
        }
    }
}

/// A changed row; `None` is a deleted one.
pub(crate) type ChangedRow = (RowKey, Option<RowBytes>);

/// Lays changed rows over those of the checkpoint and takes the first `limit` that exist.
pub(crate) fn merge(
    changed: Vec<ChangedRow>,
    checkpoint: impl Iterator<Item = Result<(RowKey, RowBytes), StoreError>>,
    limit: usize,
) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
    let mut changed = changed.into_iter().peekable();
    let mut rows = Vec::new();
    for row in checkpoint {
        let (key, value) = row?;
        while let Some((changed_key, changed_value)) = changed.next_if(|(next, _)| *next < key) {
            rows.extend(changed_value.map(|value| (changed_key, value)));
        }
        if rows.len() >= limit {
            break;
        }
        match changed.next_if(|(next, _)| *next == key) {
            Some((key, value)) => rows.extend(value.map(|value| (key, value))),
            None => rows.push((key, value)),
        }
    }
    if rows.len() < limit {
        rows.extend(changed.filter_map(|(key, value)| Some((key, value?))));
    }
    rows.truncate(limit);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> RowKey {
        RowKey::from([number])
    }

    fn value(text: &str) -> RowBytes {
        RowBytes::from(text.as_bytes())
    }

    fn put(text: &str) -> Change {
        Change { value: Some(value(text)), fresh: false }
    }

    fn fresh(text: &str) -> Change {
        Change { fresh: true, ..put(text) }
    }

    const DELETED: Change = Change { value: None, fresh: false };

    fn known(memory: &RowMemory, number: u8) -> Option<Option<RowBytes>> {
        match memory.lookup(&key(number)) {
            Lookup::Known(value) => Some(value),
            Lookup::Unknown => None,
        }
    }

    #[test]
    fn a_row_read_before_a_checkpoint_began_does_not_enter_the_cache() {
        let mut memory = RowMemory::new(1 << 20);
        let generation = memory.generation();
        memory.change(key(1), put("new"));
        memory.begin_checkpoint();
        memory.end_checkpoint();
        memory.keep(generation, [(key(1), value("old"))].into_iter());
        assert_eq!(known(&memory, 1), None);
        memory.keep(memory.generation(), [(key(1), value("new"))].into_iter());
        assert_eq!(known(&memory, 1), Some(Some(value("new"))));
    }

    #[test]
    fn a_row_deleted_by_a_checkpoint_leaves_the_cache() {
        let mut memory = RowMemory::new(1 << 20);
        for text in [Some(value("one")), None] {
            memory.change(key(1), Change { value: text.clone(), fresh: false });
            let (changes, _) = memory.begin_checkpoint();
            assert_eq!(known(&memory, 1), Some(text.clone()));
            memory.cache_written(changes.iter());
            memory.end_checkpoint();
            assert_eq!(known(&memory, 1), text.map(Some));
        }
    }

    #[test]
    fn unwritten_bytes_follow_what_is_kept() {
        let mut memory = RowMemory::new(1 << 20);
        memory.change(key(1), put("four"));
        let one = memory.unwritten_bytes();
        memory.change(key(1), put("eight888"));
        assert_eq!(memory.unwritten_bytes(), one + 4);
        memory.change(key(1), DELETED);
        assert_eq!(memory.unwritten_bytes(), one - 4);
        memory.begin_checkpoint();
        memory.change(key(2), put("four"));
        assert_eq!((memory.unwritten_bytes(), memory.unwritten_rows()), (2 * one - 4, 2));
        memory.abandon_checkpoint();
        assert_eq!((memory.unwritten_bytes(), memory.unwritten_rows()), (2 * one - 4, 2));
        memory.begin_checkpoint();
        memory.end_checkpoint();
        assert_eq!((memory.unwritten_bytes(), memory.unwritten_rows()), (0, 0));
    }

    #[test]
    fn a_fresh_row_that_is_deleted_leaves_nothing_behind() {
        let mut memory = RowMemory::new(1 << 20);
        memory.change(key(1), fresh("one"));
        memory.change(key(1), put("two"));
        memory.change(key(1), DELETED);
        assert_eq!((memory.unwritten_bytes(), memory.unwritten_rows()), (0, 0));
        assert_eq!(known(&memory, 1), None);
    }

    #[test]
    fn a_deleted_row_is_remembered_as_soon_as_a_checkpoint_may_have_taken_it() {
        for fails in [false, true] {
            let mut memory = RowMemory::new(1 << 20);
            memory.change(key(1), fresh("one"));
            memory.begin_checkpoint();
            if fails {
                memory.abandon_checkpoint();
            } else {
                memory.end_checkpoint();
            }
            memory.change(key(1), DELETED);
            assert_eq!(known(&memory, 1), Some(None));
        }
    }

    #[test]
    fn a_row_that_was_deleted_and_comes_back_is_not_fresh() {
        let mut memory = RowMemory::new(1 << 20);
        memory.change(key(1), DELETED);
        memory.change(key(1), fresh("again"));
        memory.change(key(1), DELETED);
        assert_eq!(known(&memory, 1), Some(None));
    }

    #[test]
    fn a_checkpoint_that_failed_never_hides_a_newer_change() {
        let mut memory = RowMemory::new(1 << 20);
        memory.change(key(1), put("old"));
        memory.change(key(2), put("old"));
        memory.begin_checkpoint();
        memory.change(key(1), DELETED);
        memory.abandon_checkpoint();
        assert_eq!(known(&memory, 1), Some(None));
        assert_eq!(known(&memory, 2), Some(Some(value("old"))));
    }

    #[test]
    fn changed_rows_end_with_the_one_that_reaches_the_limit() {
        let mut memory = RowMemory::new(1 << 20);
        for number in [1, 2, 5] {
            memory.change(key(number), put("older"));
        }
        memory.begin_checkpoint();
        for number in [2, 3, 6] {
            memory.change(key(number), if number == 2 { DELETED } else { put("newer") });
        }
        let found = |limit| {
            let (rows, whole) = memory.changed_in(&[0], &[9], limit);
            let text =
                |(row, value): (RowKey, Option<RowBytes>)| (row[0], value.map(|text| text.len()));
            (rows.into_iter().map(text).collect::<Vec<_>>(), whole)
        };
        assert_eq!(found(2), (vec![(1, Some(5)), (2, None), (3, Some(5))], false));
        let all = vec![(1, Some(5)), (2, None), (3, Some(5)), (5, Some(5)), (6, Some(5))];
        assert_eq!(found(9), (all, true));
    }
}
