//! Rows of a range of keys as they were once a record was applied.

use std::collections::BTreeMap;

use onex_store::{RowBytes, RowKey, Stored};

use super::super::{QueryError, Reader, SCAN_ROWS, next_key};

/// Changed rows that are kept in mind at a time; behind them the answer ends, to go on there.
const CHANGED_MAX: usize = 65_536;

/// Records that are read from the store at a time.
const READ_RECORDS: usize = 4096;

/// Bytes that are read from the store at a time.
const READ_BYTES: usize = 8 << 20;

/// Rows as they were.
pub(super) struct Past {
    /// Those that were there, in order.
    pub rows: Vec<(Vec<u8>, RowBytes)>,
    /// The last key that was looked at, if there is more behind it.
    pub next: Option<Vec<u8>>,
}

/// A row that was changed since.
struct Changed {
    /// By which record first.
    since: u64,
    /// Whether that record made it.
    made: bool,
    /// Which record changed it last before.
    before: Option<u64>,
}

/// Which rows are asked for.
pub(super) struct Rows<'a> {
    /// Whether a row of this key is.
    pub wanted: &'a dyn Fn(&[u8]) -> bool,
    /// Whether the record made the row: its content or its key is given, whichever tells.
    pub made: Made<'a>,
}

/// Whether a record made the row that it put.
type ByRow<'a> = dyn Fn(&Stored, &[u8]) -> Result<bool, QueryError> + 'a;

/// The first rows of a range, and the first key that was not looked at.
type Found = (Vec<(RowKey, RowBytes)>, Vec<u8>);

/// How a row tells that the record that put it made it.
pub(super) enum Made<'a> {
    /// By what it holds.
    Row(&'a ByRow<'a>),
    /// By its key.
    Key(&'a dyn Fn(&[u8]) -> bool),
}

/// A range of keys, and how many rows of it at most.
pub(super) struct Range {
    /// The first key.
    pub from: Vec<u8>,
    /// The first key behind it.
    pub to: Vec<u8>,
    /// How many rows.
    pub limit: usize,
}

/// The first changed rows of a range.
struct Changes<'a> {
    rows: &'a Rows<'a>,
    from: &'a [u8],
    to: Vec<u8>,
    found: BTreeMap<Vec<u8>, Changed>,
    grown: bool,
}

impl Changes<'_> {
    fn has(&self, place: &[u8]) -> bool {
        place >= self.from && place < &*self.to && (self.rows.wanted)(place)
    }

    /// Notes what a later record changed.
    fn later(&mut self, stored: &Stored) -> Result<(), QueryError> {
        for (place, value) in stored.rows.iter() {
            if !self.has(place) || self.found.contains_key(place) {
                continue;
            }
            let made = match (&self.rows.made, value) {
                (Made::Row(made), Some(value)) => made(stored, value)?,
                (Made::Key(made), Some(_)) => made(place),
                (_, None) => false,
            };
            let changed = Changed { since: stored.offset, made, before: None };
            self.found.insert(place.to_vec(), changed);
            self.grown = true;
            if self.found.len() > CHANGED_MAX
                && let Some((last, _)) = self.found.pop_last()
            {
                self.to = last;
            }
        }
        Ok(())
    }

    /// Notes what an earlier record, or the one in question, changed.
    fn earlier(&mut self, stored: &Stored) {
        for (place, _) in stored.rows.iter() {
            if let Some(changed) = self.found.get_mut(place) {
                changed.before = Some(stored.offset);
            }
        }
    }
}

impl Reader {
    /// The first rows of a range of keys as they were once a record was applied.
    pub(super) fn past(
        &self,
        offset: u64,
        range: &Range,
        asked: &Rows<'_>,
    ) -> Result<Past, QueryError> {
        // Before the log is looked at: what is changed meanwhile is then found there.
        let (now, end) = self.rows_now(range, asked)?;
        let from = &range.from;
        let found = BTreeMap::new();
        let mut changes = Changes { rows: asked, from, to: end, found, grown: false };
        let oldest = self.store.oldest();
        let mut reached = offset + 1;
        // Twice: a row may be seen a moment before its record is.
        for _ in 0..2 {
            reached = self.through(reached, u64::MAX, |one| changes.later(one))?;
            if std::mem::take(&mut changes.grown) {
                self.through(oldest, offset + 1, |one| {
                    changes.earlier(one);
                    Ok(())
                })?;
            }
        }
        let mut rows = BTreeMap::new();
        for (place, value) in now {
            if changes.has(&place) && !changes.found.contains_key(&*place) {
                rows.insert(place.to_vec(), value);
            }
        }
        self.add_changed(&changes, oldest, &mut rows)?;
        let mut next = (changes.to != range.to).then(|| last_below(&changes, &rows));
        if rows.len() > range.limit {
            let cut: Vec<_> = rows.keys().skip(range.limit).cloned().collect();
            cut.iter().for_each(|place| drop(rows.remove(place)));
            next = rows.keys().next_back().cloned();
        }
        Ok(Past { rows: rows.into_iter().collect(), next })
    }

    /// The first rows of a range as they are now, and the first key that was not looked at.
    fn rows_now(&self, range: &Range, asked: &Rows<'_>) -> Result<Found, QueryError> {
        let mut found = Vec::new();
        let mut from = range.from.clone();
        loop {
            let rows = self.store.scan(&from, &range.to, SCAN_ROWS)?;
            let whole = rows.len() < SCAN_ROWS;
            if let Some((last, _)) = rows.last() {
                from = next_key(last);
            }
            for (place, row) in rows.into_iter().filter(|(place, _)| (asked.wanted)(place)) {
                if found.len() == range.limit {
                    return Ok((found, place.to_vec()));
                }
                found.push((place, row));
            }
            if whole {
                return Ok((found, range.to.clone()));
            }
        }
    }

    /// Adds the rows that were changed since, as they were before.
    fn add_changed(
        &self,
        changes: &Changes<'_>,
        oldest: u64,
        rows: &mut BTreeMap<Vec<u8>, RowBytes>,
    ) -> Result<(), QueryError> {
        let unknown = |changed: &&Changed| changed.before.is_none() && !changed.made && oldest > 0;
        let lost = changes.found.values().filter(unknown).map(|changed| changed.since);
        if let Some(known_from) = lost.max() {
            return Err(QueryError::NotRetained { oldest: known_from });
        }
        for (place, changed) in &changes.found {
            let Some(before) = changed.before else {
                continue;
            };
            let read = self.store.read(before, 1, READ_BYTES)?;
            let put = read.iter().flat_map(|stored| stored.rows.changes().collect::<Vec<_>>());
            let last = put.filter(|change| *change.key == **place).last();
            if let Some(value) = last.and_then(|change| change.value) {
                rows.insert(place.clone(), value);
            }
        }
        Ok(())
    }

    /// Visits the records of a part of the log; where it ended.
    fn through(
        &self,
        from: u64,
        to: u64,
        mut visit: impl FnMut(&Stored) -> Result<(), QueryError>,
    ) -> Result<u64, QueryError> {
        let to = to.min(self.store.durable_to());
        let mut next = from;
        while next < to {
            let read = self.store.read(next, READ_RECORDS, READ_BYTES)?;
            let Some(last) = read.last() else {
                break;
            };
            next = last.offset + 1;
            read.iter().take_while(|stored| stored.offset < to).try_for_each(&mut visit)?;
        }
        Ok(next.min(to).max(from))
    }
}

/// The last key that was looked at: everything up to it is answered.
fn last_below(changes: &Changes<'_>, rows: &BTreeMap<Vec<u8>, RowBytes>) -> Vec<u8> {
    let changed = changes.found.keys().next_back();
    let row = rows.keys().next_back();
    changed.max(row).cloned().unwrap_or_else(|| changes.from.to_vec())
}
