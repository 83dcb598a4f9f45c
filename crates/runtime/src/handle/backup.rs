//! Backups of a running host, one at a time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use onex_store::StoreError;
use onex_store::backup::Summary;

use super::{Handle, Shared};

/// The right to back up, given back when it is dropped.
pub struct Backup {
    shared: Arc<Shared>,
}

impl Handle {
    /// The right to back up; none while another one is under way.
    pub fn backup(&self) -> Option<Backup> {
        let taken = self.shared.backing_up.swap(true, Ordering::AcqRel);
        (!taken).then(|| Backup { shared: self.shared.clone() })
    }
}

impl Backup {
    /// Writes everything that is durable now, while turns go on. Blocks.
    ///
    /// # Errors
    /// As [`onex_store::Store::backup`].
    pub fn write(&self, into: &mut dyn io::Write) -> Result<Summary, StoreError> {
        self.shared.reader.store.backup(into)
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        self.shared.backing_up.store(false, Ordering::Release);
    }
}
