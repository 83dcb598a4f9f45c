//! What a store must hold, and how to compare it with one that was opened after a stop.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use onex_store::disk::Memory;
use onex_store::embedded::{Embedded, Options};
use onex_store::{Record, RowBytes, RowChange, RowKey, Store, StoreError};

/// A store on a simulated disk.
pub type Simulated = Embedded<Memory>;

/// Options for small logs without threads.
pub fn options(entropy: u64) -> Options {
    Options {
        background: false,
        entropy,
        segment_first_bytes: 8 * 1024,
        segment_bytes: 32 * 1024,
        rows_cache_bytes: 2 * 1024,
        ..Options::default()
    }
}

/// Opens the store of a disk.
pub fn open(disk: &Memory, entropy: u64) -> Result<Simulated, StoreError> {
    Embedded::open(disk.clone(), options(entropy))
}

/// A record with a body of `bytes` bytes that changes row `number % 13`, or deletes it.
pub fn record(number: u64, bytes: usize) -> Record {
    let key = RowKey::from(format!("row/{:02}", number % 13).as_bytes());
    let value = (!number.is_multiple_of(5)).then(|| RowBytes::from(number.to_le_bytes()));
    let body = (0..bytes).map(|at| (number as usize * 31 + at) as u8).collect();
    Record {
        partition: (number % 64) as u16,
        body,
        payload_bytes: bytes - bytes / 4,
        rows: vec![RowChange { key, value, fresh: false }],
    }
}

/// The turns that a store has acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Every record, by offset.
    pub records: Vec<Record>,
}

impl Model {
    /// Appends a turn to both and compares the answer.
    pub fn append(&mut self, store: &impl Store, records: &[Record]) -> Result<(), StoreError> {
        let first = store.append(records, self.records.len() as u64)?;
        assert_eq!(first, self.records.len() as u64);
        self.records.extend_from_slice(records);
        Ok(())
    }

    /// Appends `turns` turns of one record.
    pub fn fill(&mut self, store: &impl Store, turns: usize, bytes: usize) {
        for _ in 0..turns {
            let next = record(self.records.len() as u64, bytes);
            self.append(store, &[next]).expect("appends");
        }
    }

    /// The rows after all records.
    pub fn rows(&self) -> BTreeMap<RowKey, RowBytes> {
        let mut rows = BTreeMap::new();
        for change in self.records.iter().flat_map(|record| &record.rows) {
            match &change.value {
                Some(value) => rows.insert(change.key.clone(), value.clone()),
                None => rows.remove(&change.key),
            };
        }
        rows
    }

    /// Whether a store holds exactly this; panics with the difference.
    pub fn check(&self, store: &impl Store) {
        assert_eq!(store.durable_to(), self.records.len() as u64, "offset after the last record");
        // A checkpoint in the background may let go of the oldest records between two calls.
        let (oldest, read) = loop {
            let oldest = store.oldest();
            match store.read(oldest, usize::MAX, usize::MAX) {
                Err(StoreError::NotRetained { .. }) => {}
                read => break (oldest, read.expect("reads")),
            }
        };
        assert_eq!(read.len() as u64, self.records.len() as u64 - oldest, "records from {oldest}");
        for (offset, found) in (oldest..).zip(read) {
            let expected = &self.records[offset as usize];
            assert_eq!(found.offset, offset);
            assert_eq!(found.partition, expected.partition);
            assert_eq!(*found.body, *expected.body, "body of {offset}");
            assert!(found.rows.changes().eq(expected.rows.iter().cloned()), "rows of {offset}");
        }
        let rows = store.scan(b"", b"\xff", usize::MAX).expect("scans");
        assert!(rows.into_iter().eq(self.rows()), "rows");
        for number in 0..13 {
            let key = RowKey::from(format!("row/{number:02}").as_bytes());
            let loaded = store.load(std::slice::from_ref(&key)).expect("loads");
            assert_eq!(loaded[0], self.rows().get(&key).cloned());
        }
    }

    /// Compares with a store that may or may not hold one more turn, and takes that turn over.
    pub fn check_with_pending(&mut self, store: &impl Store, pending: &[Record]) {
        if store.durable_to() > self.records.len() as u64 {
            self.records.extend_from_slice(pending);
        }
        self.check(store);
    }
}

/// What an opening that must be refused said.
pub fn refusal(result: Result<Simulated, StoreError>) -> (String, u64) {
    match result {
        Err(StoreError::Corrupt { file, position, .. }) => (file, position),
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(store) => panic!("opened with {} records", store.durable_to()),
    }
}
