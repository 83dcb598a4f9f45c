//! A checkpoint store that may lose any number of its last batches with the power.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onex_store::StoreError;
use onex_store::rows::{Changes, Moment, Rows, Table, View};

/// The offset that a batch covers, and the rows as it left them.
type Batch = (u64, Arc<Table>);

/// Every batch as it left the rows, with the offset it covers. Clones are the same store.
#[derive(Clone, Default)]
pub(crate) struct Forgetful(Arc<Mutex<Vec<Batch>>>);

impl Forgetful {
    /// Another store with the same batches.
    pub fn copy(&self) -> Forgetful {
        Forgetful(Arc::new(Mutex::new(self.all().clone())))
    }

    /// Loses so many of the last batches, or all.
    pub fn lose(&self, batches: usize) {
        let mut all = self.all();
        let left = all.len().saturating_sub(batches);
        all.truncate(left);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Batch {
        self.all().last().cloned().unwrap_or_default()
    }
}

impl Rows for Forgetful {
    fn covered(&self) -> Result<u64, StoreError> {
        Ok(self.last().0)
    }

    fn write(&self, covered: u64, changes: &Changes) -> Result<(), StoreError> {
        let mut table = Table::clone(&self.last().1);
        for (key, change) in changes {
            match &change.value {
                Some(value) => table.insert(key.key().clone(), value.clone()),
                None => table.remove(key.key()),
            };
        }
        self.all().push((covered, Arc::new(table)));
        Ok(())
    }

    fn view(&self) -> Box<dyn View + '_> {
        Box::new(Moment(self.last().1))
    }
}
