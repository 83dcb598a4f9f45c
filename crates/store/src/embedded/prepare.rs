//! Makes the next segment ahead of need, on a thread of its own.
//!
//! Zeroing 64 MiB takes longer than many turns; a turn waits for it only when it comes sooner
//! than the thread can work, and makes the segment itself when there is no thread.
//!
//! The room in the tail and in the segment behind it is also the reserve of a disk that is full:
//! admission closes when less than the reserve is left, and what was accepted goes on into it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::StoreError;
use crate::disk::{self, Disk};
use crate::embedded::Options;
use crate::embedded::segment::{self, FRAMES_AT, LENGTH_MIN, Room, Segment};
use crate::frame::SECTOR;

/// How often the thread looks for room while there is too little.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
    /// Whether the segment that was made last, or was to be made, is shorter than it should be.
    short: AtomicBool,
    /// Whether the next one was asked for and not tried yet.
    untried: AtomicBool,
    ready_bytes: AtomicU64,
    tail_free_bytes: AtomicU64,
    reserve_bytes: u64,
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
    /// Perhaps in place of one that is too short.
    Asked(Wanted, Option<Segment>),
    Making,
    Ready(Segment, Wanted),
    Failed(Wanted),
}

/// Which segment should be made.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    number: u64,
    length: u64,
}

impl<D: Disk> Preparer<D> {
    /// Begins with the segment that a former start left, if it did; `length` is what it should have.
    pub fn start(
        disk: Arc<D>,
        options: &Options,
        ready: Option<Segment>,
        length: u64,
    ) -> Result<Self, StoreError> {
        let reserve_bytes = options.reserve_bytes;
        let shared = Shared { reserve_bytes, ..Shared::default() };
        if let Some(segment) = ready {
            let wanted = Wanted { number: segment.number, length };
            shared.short.store(segment.length < length, Ordering::Relaxed);
            shared.set(&mut shared.lock(), Next::Ready(segment, wanted));
        } else {
            // The tail may be used up before the thread finds out.
            let short = disk.free().is_ok_and(|free| free < length.min(reserve_bytes));
            shared.short.store(short, Ordering::Relaxed);
        }
        let shared = Arc::new(shared);
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

    /// Says how much room the tail has; when that is little, or space was short before, the thread
    /// makes the next segment, unless one is there or on its way.
    pub fn tail(&self, tail: &Segment, free_bytes: u64, next_length: u64) {
        self.shared.tail_free_bytes.store(free_bytes, Ordering::Relaxed);
        let used = tail.length - FRAMES_AT - free_bytes.min(tail.length - FRAMES_AT);
        let soon = used >= tail.length / 4
            || free_bytes < LENGTH_MIN
            || self.shared.short.load(Ordering::Relaxed);
        if self.thread.is_none() || !soon {
            return;
        }
        let mut state = self.shared.lock();
        let wanted = Wanted { number: tail.number + 1, length: next_length };
        let wants = match &state.next {
            Next::None => true,
            // The thread tries again by itself, but not for a number that is past.
            Next::Failed(failed) => failed.number != wanted.number,
            _ => false,
        };
        if wants {
            state.next = Next::Asked(wanted, None);
            self.shared.untried.store(true, Ordering::Relaxed);
            self.shared.changed.notify_all();
        }
    }

    /// The next segment, of `length` bytes or, when a frame needs more, of `needed` bytes; a
    /// shorter one that holds the frame when there is no room.
    pub fn take(&self, number: u64, length: u64, needed: u64) -> io::Result<Segment> {
        let mut state = self.shared.lock();
        while matches!(state.next, Next::Asked(..) | Next::Making) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let next = std::mem::take(&mut state.next);
        if let Next::Ready(segment, _) = &next {
            // Its room is that of the tail from now on; another one is asked for with the next frame.
            let free = segment.length - FRAMES_AT;
            self.shared.tail_free_bytes.store(free, Ordering::Release);
            self.shared.untried.store(self.thread.is_some(), Ordering::Release);
        }
        self.shared.set(&mut state, Next::None);
        match next {
            Next::Ready(segment, _) if segment.number == number && segment.length >= needed => {
                return Ok(segment);
            }
            Next::Ready(segment, _) => self.disk.remove(&segment.name)?,
            _ => {}
        }
        let room = Room::new(length, needed, self.shared.reserve_bytes);
        let made = segment::create_fitting(&*self.disk, number, room, self.entropy, &[]);
        self.shared.note(is_short(&made, length));
        made
    }

    /// Bytes of the segment that is ready.
    pub fn ready_bytes(&self) -> u64 {
        self.shared.ready_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that can be appended to the tail.
    pub fn tail_free_bytes(&self) -> u64 {
        self.shared.tail_free_bytes.load(Ordering::Relaxed)
    }

    /// Whether the next segment was asked for and is not there yet.
    pub fn is_preparing(&self) -> bool {
        self.shared.untried.load(Ordering::Acquire)
    }

    /// Whether only the reserve is left: space was short for the last segment, and what is left in
    /// the tail and the segment behind it is less than the reserve.
    pub fn is_full(&self) -> bool {
        // That space is short is said after the segment is counted, so it is asked first.
        let short = self.shared.short.load(Ordering::Acquire);
        let untried = self.shared.untried.load(Ordering::Acquire);
        let left = self.tail_free_bytes().saturating_add(self.ready_bytes());
        let reserve = self.shared.reserve_bytes;
        // A segment that is being made may turn out long enough, but not all is staked on it.
        let least = if untried { reserve / 4 } else { reserve };
        short && left < least
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

    fn set(&self, state: &mut State, next: Next) {
        let ready_bytes = match &next {
            Next::Ready(segment, _) => segment.length,
            _ => 0,
        };
        self.ready_bytes.store(ready_bytes, Ordering::Release);
        state.next = next;
    }

    /// Notes whether there was too little room for what was wanted.
    fn note(&self, short: bool) {
        self.short.store(short, Ordering::Release);
        self.untried.store(false, Ordering::Release);
    }

    fn work<D: Disk>(&self, disk: &D, entropy: u64) {
        let mut state = self.lock();
        while !state.stop {
            let (wanted, short) = match std::mem::replace(&mut state.next, Next::Making) {
                Next::Asked(wanted, short) => (wanted, short),
                next => {
                    state.next = next;
                    state = self.rest(state);
                    continue;
                }
            };
            drop(state);
            let (next, made) = self.make(disk, wanted, short, entropy);
            state = self.lock();
            self.set(&mut state, next);
            if let Some(short) = made {
                self.note(short);
            }
            self.changed.notify_all();
        }
    }

    /// Makes a segment; one that is there already stays unless there is room for a longer one.
    /// Says whether there was too little room, if that is known anew.
    fn make<D: Disk>(
        &self,
        disk: &D,
        wanted: Wanted,
        short: Option<Segment>,
        entropy: u64,
    ) -> (Next, Option<bool>) {
        let room = Room::new(wanted.length, 0, self.reserve_bytes);
        if let Some(short) = short {
            let longer = room.length(disk).is_ok_and(|length| length > short.length);
            // What would come out no longer is not made.
            let room = Room { least: short.length + SECTOR as u64, ..room };
            let made =
                longer.then(|| segment::create_fitting(disk, wanted.number, room, entropy, &[]));
            return match made {
                Some(Ok(segment)) => {
                    let short = segment.length < wanted.length;
                    (Next::Ready(segment, wanted), Some(short))
                }
                // It has its name until another one takes that.
                _ => (Next::Ready(short, wanted), None),
            };
        }
        let made = segment::create_fitting(disk, wanted.number, room, entropy, &[]);
        let short = is_short(&made, wanted.length);
        match made {
            Ok(segment) => (Next::Ready(segment, wanted), Some(short)),
            Err(_) => (Next::Failed(wanted), Some(short)),
        }
    }

    /// Waits to be asked; while there is too little, until it is time to look for room again.
    fn rest<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let again = match &state.next {
            Next::Failed(wanted) => Some(*wanted),
            Next::Ready(segment, wanted) if segment.length < wanted.length => Some(*wanted),
            _ => None,
        };
        let Some(again) = again else {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            state.next = match std::mem::take(&mut state.next) {
                Next::Failed(_) => Next::Asked(again, None),
                Next::Ready(short, _) => Next::Asked(again, Some(short)),
                next => next,
            };
        }
        state
    }
}

/// Whether there was too little room for what was wanted.
fn is_short(made: &io::Result<Segment>, wanted: u64) -> bool {
    match made {
        Ok(segment) => segment.length < wanted,
        Err(error) => disk::is_full(error),
    }
}
