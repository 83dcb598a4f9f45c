//! A store in memory: durable in name only, for tests and trials.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::codec::{self, EncodedRows};
use crate::{Record, RowBytes, RowKey, Status, Store, StoreError, Stored};

/// Rows and records that end with the value.
#[derive(Debug, Default)]
pub struct Memory(RwLock<State>);

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<RowKey, RowBytes>,
    records: Vec<Stored>,
    log_bytes: u64,
    time_micros: u64,
    checkpoint: u64,
    sealed: bool,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, record: &Record) {
        let mut rows = Vec::new();
        let changes = record.rows.iter().map(|row| (&*row.key, row.value.as_deref()));
        codec::encode_rows(changes, &mut rows);
        self.log_bytes += (record.body.len() + rows.len()) as u64;
        self.records.push(Stored {
            offset: self.records.len() as u64,
            partition: record.partition,
            time_micros: self.time_micros,
            body: Arc::from(record.body.as_slice()),
            rows: EncodedRows::new(&rows),
        });
        for row in &record.rows {
            debug_assert!(!row.fresh || !self.rows.contains_key(&row.key), "a fresh row was there");
            match &row.value {
                Some(value) => self.rows.insert(Arc::clone(&row.key), Arc::clone(value)),
                None => self.rows.remove(&row.key),
            };
        }
    }
}

impl Store for Memory {
    fn append(&self, records: &[Record], time_micros: u64) -> Result<u64, StoreError> {
        codec::check_limits(records)?;
        let mut state = self.state_mut();
        let first = state.records.len() as u64;
        if !records.is_empty() {
            state.time_micros = state.time_micros.max(time_micros);
            state.sealed = false;
            records.iter().for_each(|record| state.append(record));
        }
        Ok(first)
    }

    fn load(&self, keys: &[RowKey]) -> Result<Vec<Option<RowBytes>>, StoreError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.rows.get(key).cloned()).collect())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let state = self.state();
        let rows = state.rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let own = |(key, value): (&RowKey, &RowBytes)| (Arc::clone(key), Arc::clone(value));
        Ok(rows.take(limit).map(own).collect())
    }

    fn read(&self, from: u64, limit: usize, bytes_max: usize) -> Result<Vec<Stored>, StoreError> {
        let state = self.state();
        let mut found: Vec<Stored> = Vec::new();
        let mut bytes = 0;
        for record in state.records.iter().skip(from as usize).take(limit) {
            bytes += record.body.len() + record.rows.encoded_bytes();
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(record.clone());
        }
        Ok(found)
    }

    fn durable_to(&self) -> u64 {
        self.state().records.len() as u64
    }

    fn oldest(&self) -> u64 {
        0
    }

    fn commit(&self) -> Result<u64, StoreError> {
        let mut state = self.state_mut();
        state.checkpoint = state.records.len() as u64;
        Ok(state.checkpoint)
    }

    fn offset_at(&self, micros: u64) -> Result<u64, StoreError> {
        Ok(self.state().records.partition_point(|record| record.time_micros < micros) as u64)
    }

    fn seal(&self) -> Result<(), StoreError> {
        self.state_mut().sealed = true;
        Ok(())
    }

    fn status(&self) -> Status {
        let state = self.state();
        Status {
            log_bytes: state.log_bytes,
            segments: 1,
            durable_to: state.records.len() as u64,
            checkpoint: state.checkpoint,
            tail_free_bytes: u64::MAX,
            sealed: state.sealed,
            ..Status::default()
        }
    }
}
