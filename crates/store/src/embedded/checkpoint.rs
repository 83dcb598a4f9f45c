//! Moves changed rows to the checkpoint, and lets go of the log that it covers.
//!
//! One thread does so in the background when enough has changed; a turn never waits for it.
//! A failed checkpoint costs nothing but memory: the rows stay changed and are tried again later.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::StoreError;
use crate::disk::Disk;
use crate::embedded::backup::Hold;
use crate::embedded::index;
use crate::embedded::log::Log;
use crate::embedded::row_memory::RowMemory;
use crate::embedded::segment::SPARE;
use crate::rows::{Changes, Rows};

/// Rows moved to the cache under one hold of the lock.
const CACHED_AT_ONCE: usize = 256;

/// The parts of an embedded store that its callers and its checkpoint thread share.
pub(crate) struct Shared<D> {
    pub log: Log<D>,
    pub rows: Arc<dyn Rows>,
    memory: RwLock<RowMemory>,
    /// Held during a checkpoint: there is one at a time.
    covered: Mutex<u64>,
    checkpoint: AtomicU64,
    failed: Mutex<Option<String>>,
    /// Unwritten bytes and appended bytes at which the next checkpoint is due.
    due_unwritten_bytes: AtomicU64,
    due_appended_bytes: AtomicU64,
    wake: Mutex<Wake>,
    woken: Condvar,
}

#[derive(Default)]
struct Wake {
    checkpoint: bool,
    stop: bool,
}

impl<D: Disk> Shared<D> {
    pub fn new(log: Log<D>, rows: Arc<dyn Rows>, memory: RowMemory, covered: u64) -> Self {
        let options = &log.options;
        Self {
            due_unwritten_bytes: AtomicU64::new(options.checkpoint_rows_bytes),
            due_appended_bytes: AtomicU64::new(options.checkpoint_log_bytes),
            rows,
            memory: RwLock::new(memory),
            covered: Mutex::new(covered),
            checkpoint: AtomicU64::new(covered),
            failed: Mutex::default(),
            wake: Mutex::default(),
            woken: Condvar::new(),
            log,
        }
    }

    pub fn memory(&self) -> RwLockReadGuard<'_, RowMemory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn memory_mut(&self) -> RwLockWriteGuard<'_, RowMemory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offset that the checkpoint covers.
    pub fn covered(&self) -> u64 {
        self.checkpoint.load(Ordering::Relaxed)
    }

    /// Keeps every segment until it is dropped. One that is being let go of is gone first.
    pub fn hold_log(&self) -> Hold<'_> {
        let _none_lets_go = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        Hold::of(&self.log.holds)
    }

    /// Why the last checkpoint failed.
    pub fn checkpoint_failed(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes a checkpoint and applies retention.
    pub fn commit(&self) -> Result<u64, StoreError> {
        self.log.healthy()?;
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.checkpoint(*covered);
        if let Ok(reached) = result {
            *covered = reached;
            self.checkpoint.store(reached, Ordering::Relaxed);
            self.log.let_go(reached)?;
            self.log.save_indexes()?;
            self.log.sync_position();
        }
        let message = result.as_ref().err().map(ToString::to_string);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = message;
        result
    }

    fn checkpoint(&self, covered: u64) -> Result<u64, StoreError> {
        let appended_bytes = self.log.appended_bytes();
        let options = &self.log.options;
        if self.memory().reached() == covered {
            return Ok(covered);
        }
        let (changes, reached) = self.memory_mut().begin_checkpoint();
        let written = self.rows.write(reached, &changes);
        let due_appended_bytes = appended_bytes + options.checkpoint_log_bytes;
        self.due_appended_bytes.store(due_appended_bytes, Ordering::Relaxed);
        if let Err(error) = written {
            drop(changes);
            self.memory_mut().abandon_checkpoint();
            // Not again with every turn, but when as much again has changed.
            let due = self.memory().unwritten_bytes() + options.checkpoint_rows_bytes;
            self.due_unwritten_bytes.store(due, Ordering::Relaxed);
            return Err(error);
        }
        self.due_unwritten_bytes.store(options.checkpoint_rows_bytes, Ordering::Relaxed);
        self.move_to_cache(&changes);
        let _dropped_outside_the_lock = self.memory_mut().end_checkpoint();
        Ok(reached)
    }

    fn move_to_cache(&self, changes: &Changes) {
        let mut rows = changes.iter().peekable();
        while rows.peek().is_some() {
            self.memory_mut().cache_written(rows.by_ref().take(CACHED_AT_ONCE));
        }
    }

    /// Wakes the checkpoint thread when enough has changed.
    pub fn wake_when_due(&self, unwritten_bytes: u64) {
        let due = unwritten_bytes >= self.due_unwritten_bytes.load(Ordering::Relaxed)
            || self.log.appended_bytes() >= self.due_appended_bytes.load(Ordering::Relaxed);
        if due && self.log.options.background {
            self.wake.lock().unwrap_or_else(PoisonError::into_inner).checkpoint = true;
            self.woken.notify_all();
        }
    }

    /// Ends [`Shared::work`].
    pub fn stop(&self) {
        self.wake.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.woken.notify_all();
    }

    /// The checkpoint thread.
    pub fn work(&self) {
        let mut wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        while !wake.stop {
            if std::mem::take(&mut wake.checkpoint) {
                drop(wake);
                // What failed is in the status; the log still has everything.
                let _reported = self.commit();
                wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
            } else {
                wake = self.woken.wait(wake).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl<D: Disk> Log<D> {
    /// Removes the oldest segments that the checkpoint covers and retention does not keep.
    fn let_go(&self, covered: u64) -> Result<(), StoreError> {
        if self.holds.load(Ordering::Acquire) > 0 {
            return Ok(());
        }
        let options = &self.options;
        let now = self.time_micros();
        loop {
            let claims_bytes = self.claims.bytes();
            let (bytes, end, last_micros) = {
                let used = self.used();
                let [_, second, ..] = used.as_slice() else {
                    return Ok(());
                };
                let bytes: u64 = used.iter().map(|used| used.segment.length).sum();
                (bytes + claims_bytes, second.base, second.since_micros)
            };
            let age = now.saturating_sub(last_micros);
            let due = bytes > options.log_bytes_max || age > options.log_age_max_micros;
            if !due || end > covered || age < options.log_keep_micros {
                return Ok(());
            }
            let Some(oldest) = self.take_oldest() else {
                return Ok(());
            };
            match self.dispose(&oldest.segment.name, oldest.segment.length) {
                // An earlier attempt may have failed after the file was gone.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    // The next attempt begins with it again: segments must go without a gap.
                    self.put_back_oldest(oldest);
                    return Err(StoreError::io("letting go of a segment", error));
                }
                _ => {}
            }
            // Records first: what a crash leaves of what stands beside them goes at the next start.
            index::remove(&*self.disk, oldest.segment.number)
                .map_err(|error| StoreError::io("letting go of an index", error))?;
            self.claims
                .let_go(&*self.disk, oldest.segment.number + 1)
                .map_err(|error| StoreError::io("letting go of large payloads", error))?;
        }
    }

    fn dispose(&self, name: &str, length: u64) -> io::Result<()> {
        let wanted = length == self.options.segment_bytes;
        if wanted && !self.disk.list()?.iter().any(|(name, _)| name == SPARE) {
            return self.disk.rename(name, SPARE);
        }
        self.disk.remove(name)
    }
}
