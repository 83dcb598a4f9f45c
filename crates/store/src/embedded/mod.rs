//! The store of a single host: a segmented log on a [`Disk`], rows in memory, and a checkpoint.
//!
//! A turn is one frame, written and synced once. Changed rows stay in memory until a thread has
//! moved them to the checkpoint; a start reads the checkpoint and applies the log behind it.

mod backup;
mod cache;
mod checkpoint;
pub(crate) mod claims;
pub mod examine;
mod index;
mod log;
mod options;
mod position;
mod prepare;
mod reader;
mod recover;
mod row_memory;
mod scan;
mod segment;
mod tail;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::backup::Summary;
use crate::disk::{Disk, Real};
use crate::rows::{Change, Fjall, Plain, Rows};
use crate::{Record, RowBytes, RowKey, Status, Store, StoreError, Stored, codec};

use checkpoint::Shared;
use log::Log;
use row_memory::{Lookup, RowMemory};

pub use options::Options;
pub use recover::Examined;
pub(crate) use segment::name_of as segment_name;

/// A store on one disk.
pub struct Embedded<D: Disk> {
    shared: Arc<Shared<D>>,
    thread: Option<JoinHandle<()>>,
}

impl Embedded<Real> {
    /// Opens the store of a folder, with its rows in fjall, or makes one.
    ///
    /// # Errors
    /// `Locked` when another process has it open, `Corrupt` or `Format` when it must not be
    /// used, `Io` or `Rows` when it cannot be read.
    pub fn open_folder(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let disk = Arc::new(Real::open(folder)?);
        let rows = Arc::new(Fjall::open(folder, options.blocks_cache_bytes)?);
        Self::open_with(disk, rows, options)
    }
}

impl<D: Disk> Embedded<D> {
    /// Opens the store of a disk, with its rows in one file of the same disk, or makes one.
    ///
    /// # Errors
    /// As [`Embedded::open_folder`].
    pub fn open(disk: D, options: Options) -> Result<Self, StoreError> {
        let disk = Arc::new(disk);
        let rows = Arc::new(Plain::open(Arc::clone(&disk))?);
        Self::open_with(disk, rows, options)
    }

    /// Opens the store of a disk with the rows of a checkpoint.
    ///
    /// # Errors
    /// As [`Embedded::open_folder`].
    pub fn open_with(
        disk: Arc<D>,
        rows: Arc<dyn Rows>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let options = options.within_format().within_disk(&*disk)?;
        let covered = rows.covered()?;
        let mut memory = RowMemory::new(options.rows_cache_bytes);
        let recovered = recover::recover(&*disk, &options, covered, &mut |record| {
            for (key, value) in codec::rows(record.rows) {
                let change = Change { value: value.map(RowBytes::from), fresh: false };
                memory.change(RowKey::from(key), change);
            }
        })?;
        let background = options.background;
        let log = Log::start(disk, options, recovered)?;
        memory.reach(log.durable_to());
        let shared = Arc::new(Shared::new(log, rows, memory, covered));
        let thread = if background {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new()
                .name("store-rows".to_owned())
                .spawn(move || shared.work())
                .map_err(|error| StoreError::io("starting the checkpoint thread", error))?;
            Some(thread)
        } else {
            None
        };
        let store = Self { shared, thread };
        store.shared.wake_when_due(store.shared.memory().unwritten_bytes());
        Ok(store)
    }
}

impl<D: Disk> Drop for Embedded<D> {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported; there is nothing left to do for it.
            let _ended = thread.join();
        }
    }
}

impl<D: Disk> Store for Embedded<D> {
    fn append(&self, records: &[Record], time_micros: u64) -> Result<u64, StoreError> {
        let shared = &self.shared;
        let mut unwritten_bytes = 0;
        let first = shared.log.append(records, time_micros, |reached| {
            let mut memory = shared.memory_mut();
            memory.publish(records, reached);
            unwritten_bytes = memory.unwritten_bytes();
        })?;
        shared.wake_when_due(unwritten_bytes);
        Ok(first)
    }

    fn load(&self, keys: &[RowKey]) -> Result<Vec<Option<RowBytes>>, StoreError> {
        let shared = &self.shared;
        shared.log.healthy()?;
        let mut found = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        let (view, generation) = {
            let memory = shared.memory();
            for (index, key) in keys.iter().enumerate() {
                match memory.lookup(key) {
                    Lookup::Known(value) => found.push(value),
                    Lookup::Unknown => {
                        missing.push(index);
                        found.push(None);
                    }
                }
            }
            if missing.is_empty() {
                return Ok(found);
            }
            (shared.rows.view(), memory.generation())
        };
        let mut read = Vec::new();
        for index in missing {
            if let Some(value) = view.get(&keys[index])? {
                read.push((Arc::clone(&keys[index]), Arc::clone(&value)));
                found[index] = Some(value);
            }
        }
        if !read.is_empty() {
            shared.memory_mut().keep(generation, read.into_iter());
        }
        Ok(found)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        let shared = &self.shared;
        shared.log.healthy()?;
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let (changed, whole, view) = {
            let memory = shared.memory();
            let (changed, whole) = memory.changed_in(from, to, limit);
            (changed, whole, shared.rows.view())
        };
        // Behind the last changed row nothing is needed when they alone reach the limit.
        let to = changed.last().filter(|_| !whole).map_or(to, |(key, _)| &**key);
        let checkpoint = view.range(from, to);
        row_memory::merge(changed, checkpoint, limit)
    }

    fn read(&self, from: u64, limit: usize, bytes_max: usize) -> Result<Vec<Stored>, StoreError> {
        self.shared.log.read(from, limit, bytes_max)
    }

    fn durable_to(&self) -> u64 {
        self.shared.log.durable_to()
    }

    fn oldest(&self) -> u64 {
        self.shared.log.oldest()
    }

    fn commit(&self) -> Result<u64, StoreError> {
        self.shared.commit()
    }

    fn offset_at(&self, micros: u64) -> Result<u64, StoreError> {
        self.shared.log.offset_at(micros)
    }

    fn seal(&self) -> Result<(), StoreError> {
        self.shared.log.seal()
    }

    fn backup(&self, into: &mut dyn io::Write) -> Result<Summary, StoreError> {
        self.shared.backup(into)
    }

    fn is_full(&self) -> bool {
        self.shared.log.preparer.is_full()
    }

    fn status(&self) -> Status {
        let (log, memory) = (&self.shared.log, self.shared.memory());
        let (segments, used_bytes) = log.size();
        Status {
            log_bytes: used_bytes + log.preparer.ready_bytes(),
            claims_bytes: log.claims.bytes(),
            segments,
            oldest: log.oldest(),
            oldest_micros: log.oldest_micros(),
            durable_to: log.durable_to(),
            unwritten_rows: memory.unwritten_rows(),
            unwritten_bytes: memory.unwritten_bytes(),
            cached_bytes: memory.cached_bytes(),
            checkpoint: self.shared.covered(),
            last_sync_micros: log.last_sync_micros(),
            tail_free_bytes: log.preparer.tail_free_bytes(),
            sealed: log.is_sealed(),
            full: log.preparer.is_full(),
            preparing: log.preparer.is_preparing(),
            checkpoint_failed: self.shared.checkpoint_failed(),
            poisoned: log.poisoned(),
        }
    }
}
