//! Makes the next segment ahead of need, on a thread of its own.
//!
//! Zeroing 64 MiB takes longer than many turns; a turn waits for it only when it comes sooner
//! than the thread can work, and makes the segment itself when there is no thread.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::StoreError;
use crate::disk::Disk;
use crate::embedded::Options;
use crate::embedded::segment::{self, Segment};

/// Gives the next segment, ready or made on the spot.
pub(crate) struct Preparer<D> {
    disk: Arc<D>,
    entropy: u64,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: Next,
    stop: bool,
}

#[derive(Default)]
enum Next {
    #[default]
    None,
    Asked {
        number: u64,
        length: u64,
    },
    Making,
    Ready(Segment),
    Failed {
        full: bool,
    },
}

impl<D: Disk> Preparer<D> {
    pub fn start(
        disk: Arc<D>,
        options: &Options,
        ready: Option<Segment>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        if let Some(segment) = ready {
            shared.lock().next = Next::Ready(segment);
        }
        let entropy = options.entropy;
        let thread = if options.background {
            let (disk, shared) = (Arc::clone(&disk), Arc::clone(&shared));
            let thread = thread::Builder::new()
                .name("store-segments".to_owned())
                .spawn(move || shared.work(&*disk, entropy))
                .map_err(|error| StoreError::io("starting the segment thread", error))?;
            Some(thread)
        } else {
            None
        };
        Ok(Self { disk, entropy, shared, thread })
    }

    /// Lets the thread make a segment, unless one is there or on its way.
    pub fn ask(&self, number: u64, length: u64) {
        if self.thread.is_none() {
            return;
        }
        let mut state = self.shared.lock();
        if matches!(state.next, Next::None | Next::Failed { .. }) {
            state.next = Next::Asked { number, length };
            self.shared.changed.notify_all();
        }
    }

    /// The next segment, of `wanted` bytes or, when a frame needs more, of `needed` bytes.
    pub fn take(&self, number: u64, wanted: u64, needed: u64) -> io::Result<Segment> {
        let mut state = self.shared.lock();
        while matches!(state.next, Next::Asked { .. } | Next::Making) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match std::mem::take(&mut state.next) {
            Next::Ready(segment) if segment.number == number && segment.length >= needed => {
                return Ok(segment);
            }
            Next::Ready(segment) => self.disk.remove(&segment.name)?,
            _ => {}
        }
        let made = make(&*self.disk, number, wanted.max(needed), self.entropy);
        if let Err(error) = &made {
            state.next = Next::Failed { full: error.kind() == io::ErrorKind::StorageFull };
        }
        made
    }

    /// Bytes of the segment that is ready.
    pub fn ready_bytes(&self) -> u64 {
        match &self.shared.lock().next {
            Next::Ready(segment) => segment.length,
            _ => 0,
        }
    }

    /// Whether the last attempt found the disk full.
    pub fn is_full(&self) -> bool {
        matches!(self.shared.lock().next, Next::Failed { full: true })
    }
}

impl<D> Drop for Preparer<D> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported; there is nothing left to do for it.
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work<D: Disk>(&self, disk: &D, entropy: u64) {
        let mut state = self.lock();
        while !state.stop {
            let Next::Asked { number, length } = state.next else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.next = Next::Making;
            drop(state);
            let made = make(disk, number, length, entropy);
            state = self.lock();
            state.next = match made {
                Ok(segment) => Next::Ready(segment),
                Err(error) => Next::Failed { full: error.kind() == io::ErrorKind::StorageFull },
            };
            self.changed.notify_all();
        }
    }
}

fn make<D: Disk>(disk: &D, number: u64, length: u64, entropy: u64) -> io::Result<Segment> {
    let segment = Segment::new(number, length, entropy);
    segment::create(disk, &segment, &[])?;
    Ok(segment)
}
