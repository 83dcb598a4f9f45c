//! A store as the engine reads it when it starts.

use onex_engine::key;
use onex_engine::recover::{Source, TakeChange};
use onex_kernel::Micros;
use onex_store::{RowBytes, RowKey, Store, StoreError, Stored};

/// Records that are read at a time.
const READ_AT_ONCE: usize = 1024;

/// See [`Source`].
pub struct Durable<'s>(pub &'s dyn Store);

impl Durable<'_> {
    fn each(&self, mut from: u64, take: &mut dyn FnMut(&Stored)) -> Result<(), StoreError> {
        loop {
            let read = self.0.read(from, READ_AT_ONCE, usize::MAX)?;
            let Some(last) = read.last() else {
                return Ok(());
            };
            from = last.offset + 1;
            read.iter().for_each(&mut *take);
        }
    }
}

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
        from: u64,
        take: &mut dyn FnMut(u64, Micros, &[u8]),
    ) -> Result<(), StoreError> {
        self.each(from, &mut |stored| {
            take(stored.offset, Micros(stored.time_micros), &stored.body);
        })
    }

    fn changes(&self, from: u64, take: &mut TakeChange<'_>) -> Result<(), StoreError> {
        self.each(from, &mut |stored| {
            stored.rows.iter().for_each(|(key, value)| take(stored.offset, key, value));
        })
    }
}
