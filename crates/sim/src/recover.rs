//! A store as the engine reads it when it starts.

use onex_engine::key;
use onex_engine::recover::Source;
use onex_kernel::Micros;
use onex_store::{RowBytes, RowKey, Store, StoreError};

/// Records that are read at a time.
const READ_AT_ONCE: usize = 1024;

/// See [`Source`].
pub struct Durable<'s>(pub &'s dyn Store);

impl Source for Durable<'_> {
    type Error = StoreError;

    fn next_offset(&self) -> u64 {
        self.0.durable_to()
    }

    fn offset_at(&self, time: Micros) -> Result<u64, StoreError> {
        Ok(self.0.offset_at(time.0)?.max(self.0.oldest()))
    }

    fn row(&self, key: RowKey) -> Result<Option<RowBytes>, StoreError> {
        Ok(self.0.load(&[key])?.pop().flatten())
    }

    fn rows(&self, prefix: &[u8]) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        self.0.scan(prefix, &key::end_of(prefix), usize::MAX)
    }

    fn records(
        &self,
        mut from: u64,
        take: &mut dyn FnMut(u64, Micros, &[u8]),
    ) -> Result<(), StoreError> {
        loop {
            let read = self.0.read(from, READ_AT_ONCE, usize::MAX)?;
            let Some(last) = read.last() else {
                return Ok(());
            };
            from = last.offset + 1;
            for stored in &read {
                take(stored.offset, Micros(stored.time_micros), &stored.body);
            }
        }
    }
}
