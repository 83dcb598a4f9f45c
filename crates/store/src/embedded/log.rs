//! The log: one frame and one sync for each turn, in segments that are made ahead of need.
//!
//! A failed write or sync stops the log for good: what reached the disk is then unknown, and
//! only a new start, which copies the tail and syncs the copy, may go on.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Instant;

use crate::disk::{self, Disk};
use crate::embedded::Options;
use crate::embedded::backup::Cut;
use crate::embedded::claims::{Claim, Claims, Limits};
use crate::embedded::index;
use crate::embedded::position::{Note, Position};
use crate::embedded::prepare::Preparer;
use crate::embedded::recover::Recovered;
use crate::embedded::segment::{FRAMES_AT, Place, Segment};
use crate::embedded::tail::Tail;
use crate::frame::{self, HEADER_BYTES, Header};
use crate::{Record, StoreError, codec};

/// The buffer of a turn larger than this is given back after it.
const BUFFER_BYTES_KEPT: usize = 4 * 1024 * 1024;

/// Payloads beside the log for so many times the length of a segment end it: retention lets go of
/// whole segments.
const CLAIMS_A_SEGMENT: u64 = 4;

/// A log in the segments of a disk.
pub(crate) struct Log<D> {
    pub(super) disk: Arc<D>,
    pub(super) options: Options,
    pub(super) preparer: Preparer<D>,
    pub(super) claims: Claims,
    segments: RwLock<Vec<Used>>,
    tail: Mutex<Tail>,
    note: Mutex<Note>,
    durable: AtomicU64,
    time_micros: AtomicU64,
    appended_bytes: AtomicU64,
    last_sync_micros: AtomicU64,
    sealed: AtomicBool,
    poison: OnceLock<String>,
    /// Backups that read segments.
    pub(super) holds: AtomicUsize,
}

/// A segment that holds records, or is the first to get some.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub segment: Arc<Segment>,
    /// Offset of its first record.
    pub base: u64,
    /// Record time of its first frame.
    pub since_micros: u64,
}

impl<D: Disk> Log<D> {
    /// Continues a log as recovery left it, after a seal of this start.
    pub fn start(disk: Arc<D>, options: Options, recovered: Recovered) -> Result<Self, StoreError> {
        let Recovered { used, tail, prepared, uncovered_bytes } = recovered;
        let note = Mutex::new(Note::start(&*disk));
        let length = next_length(&options, &tail.segment);
        let preparer = Preparer::start(Arc::clone(&disk), &options, prepared, length)?;
        let free = tail.segment.length - tail.position;
        preparer.tail(&tail.segment, free, length);
        let oldest = used.first().map_or(0, |used| used.segment.number);
        let claims = Claims::start(&*disk, oldest)?;
        index::remove_before(&*disk, oldest)?;
        let log = Self {
            disk,
            options,
            preparer,
            claims,
            note,
            segments: RwLock::new(used),
            durable: AtomicU64::new(tail.chain.next),
            time_micros: AtomicU64::new(tail.chain.time_micros),
            appended_bytes: AtomicU64::new(uncovered_bytes),
            last_sync_micros: AtomicU64::new(0),
            sealed: AtomicBool::new(tail.sealed),
            poison: OnceLock::new(),
            holds: AtomicUsize::new(0),
            tail: Mutex::new(tail),
        };
        log.seal()?;
        Ok(log)
    }

    /// Appends one turn; `publish` runs after its sync, with the offset after its last record.
    pub fn append(
        &self,
        records: &[Record],
        time_micros: u64,
        publish: impl FnOnce(u64),
    ) -> Result<u64, StoreError> {
        self.healthy()?;
        let bytes = codec::check_limits(records)?;
        codec::within("turn_bytes_max", bytes, self.options.turn_bytes_max)?;
        let mut tail = self.lock_tail();
        let first = tail.chain.next;
        if records.is_empty() {
            return Ok(first);
        }
        let claims = self.put_claims(&mut tail, records)?;
        frame::begin(&mut tail.buffer, records, &claims);
        self.write(&mut tail, records.len() as u32, time_micros)?;
        publish(tail.chain.next);
        self.durable.store(tail.chain.next, Ordering::Release);
        Ok(first)
    }

    /// Makes large payloads durable, in the name of the tail.
    fn put_claims(
        &self,
        tail: &mut Tail,
        records: &[Record],
    ) -> Result<Vec<Option<Claim>>, StoreError> {
        let Options { inline_bytes_max, reserve_bytes, .. } = self.options;
        let limits = Limits { inline_bytes_max, reserve_bytes };
        if records.iter().all(|record| record.payload_bytes as u64 <= inline_bytes_max) {
            return Ok(Vec::new());
        }
        let most = self.options.segment_bytes.saturating_mul(CLAIMS_A_SEGMENT);
        if self.claims.bytes_of(tail.segment.number) >= most && tail.position > FRAMES_AT {
            match self.roll(tail, 0) {
                Ok(()) | Err(StoreError::Full { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let put = self.claims.put(&*self.disk, tail.segment.number, records, limits);
        let claims = put
            .map_err(|error| self.poison("keeping a large payload beside the log".into(), error))?;
        let bytes = claims.iter().flatten().map(|claim| claim.bytes).sum();
        self.appended_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(claims)
    }

    /// The log as it is durable now. A segment behind the last frame has nothing to copy.
    pub fn cut(&self) -> Cut {
        let tail = self.lock_tail();
        let bytes = |used: &Used| {
            let is_tail = used.segment.number == tail.segment.number;
            let bytes = if is_tail { tail.position } else { used.segment.length };
            (Arc::clone(&used.segment), bytes)
        };
        Cut {
            offset: tail.chain.next,
            time_micros: tail.chain.time_micros,
            segments: self.used().iter().map(bytes).collect(),
        }
    }

    /// Writes an empty frame unless the last one is.
    pub fn seal(&self) -> Result<(), StoreError> {
        self.healthy()?;
        let mut tail = self.lock_tail();
        if !tail.sealed {
            frame::begin(&mut tail.buffer, &[], &[]);
            self.write(&mut tail, 0, 0)?;
            self.sync_position();
        }
        Ok(())
    }

    /// Writes and syncs the frame whose records are in the buffer.
    fn write(&self, tail: &mut Tail, count: u32, time_micros: u64) -> Result<(), StoreError> {
        self.healthy()?;
        let length = frame::frame_bytes(tail.buffer.len() - HEADER_BYTES) as u64;
        if tail.position + length > tail.segment.length {
            self.roll(tail, length)?;
        }
        let header = Header {
            count,
            first_offset: tail.chain.next,
            durable_before: tail.chain.next,
            time_micros: time_micros.max(tail.chain.time_micros),
            boot: self.options.entropy,
            previous_crc: tail.chain.crc,
            ..Header::default()
        };
        let header = frame::finish(&mut tail.buffer, 0, tail.segment.salt, header);
        self.write_and_sync(tail)?;
        self.written(tail, &header);
        Ok(())
    }

    fn write_and_sync(&self, tail: &Tail) -> Result<(), StoreError> {
        let name = &tail.segment.name;
        let failed = |doing: &str, error| self.poison(format!("{doing} {name}"), error);
        let started = self.options.background.then(Instant::now);
        self.disk
            .write_at(name, tail.position, &tail.buffer)
            .map_err(|error| failed("writing", error))?;
        self.disk.sync(name).map_err(|error| failed("syncing", error))?;
        if let Some(started) = started {
            let micros = started.elapsed().as_micros() as u64;
            self.last_sync_micros.store(micros, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Moves the tail behind a frame that is durable.
    fn written(&self, tail: &mut Tail, header: &Header) {
        let (offset, time_micros) = (header.first_offset, header.time_micros);
        tail.segment.note(Place { offset, position: tail.position, time_micros });
        let number = tail.segment.number;
        self.use_segment(&tail.segment, offset, time_micros);
        tail.position += u64::from(header.length);
        tail.chain.advance(header);
        tail.sealed = header.is_seal();
        if tail.buffer.capacity() > BUFFER_BYTES_KEPT {
            tail.buffer = Vec::new();
        }
        self.note_position(Position { offset: tail.chain.next, segment: number });
        let free = tail.segment.length - tail.position;
        self.sealed.store(tail.sealed, Ordering::Relaxed);
        self.time_micros.store(time_micros, Ordering::Relaxed);
        self.appended_bytes.fetch_add(u64::from(header.length), Ordering::Relaxed);
        self.preparer.tail(&tail.segment, free, next_length(&self.options, &tail.segment));
    }

    /// Notes beside the log what is durable.
    fn note_position(&self, position: Position) {
        let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        note.write(&*self.disk, position);
    }

    /// Makes what was noted last durable.
    pub(super) fn sync_position(&self) {
        self.note.lock().unwrap_or_else(PoisonError::into_inner).sync(&*self.disk);
    }

    /// Saves where the frames of full segments are.
    pub(super) fn save_indexes(&self) -> Result<(), StoreError> {
        let segments: Vec<Arc<Segment>> =
            self.used().iter().map(|used| Arc::clone(&used.segment)).collect();
        let full = segments.split_last().map_or(&[][..], |(_, full)| full);
        full.iter().try_for_each(|segment| index::save(&*self.disk, segment))
    }

    /// Lists a segment once it has a frame, in place of an empty one of its number.
    fn use_segment(&self, segment: &Arc<Segment>, base: u64, since_micros: u64) {
        if self.used().last().is_some_and(|last| Arc::ptr_eq(&last.segment, segment)) {
            return;
        }
        let mut segments = self.used_mut();
        if segments.last().is_some_and(|last| last.segment.number == segment.number) {
            segments.pop();
        }
        segments.push(Used { segment: Arc::clone(segment), base, since_micros });
    }

    /// Moves the tail to the next segment, which has room for a frame of `length` bytes.
    fn roll(&self, tail: &mut Tail, length: u64) -> Result<(), StoreError> {
        // No segment but the last may be without a frame, so an empty one is replaced.
        let number = tail.segment.number + u64::from(tail.position > FRAMES_AT);
        let wanted = next_length(&self.options, &tail.segment);
        let segment = self.preparer.take(number, wanted, FRAMES_AT + length).map_err(|error| {
            let doing = format!("making segment {number}");
            if disk::is_full(&error) {
                StoreError::Full { doing, source: error }
            } else {
                self.poison(doing, error)
            }
        })?;
        segment.complete();
        tail.segment.complete();
        tail.segment = Arc::new(segment);
        tail.position = FRAMES_AT;
        Ok(())
    }

    /// Refuses every call after a failure.
    pub fn healthy(&self) -> Result<(), StoreError> {
        match self.poison.get() {
            None => Ok(()),
            Some(cause) => Err(StoreError::Poisoned { cause: cause.clone() }),
        }
    }

    fn poison(&self, doing: String, error: io::Error) -> StoreError {
        let _first = self.poison.set(format!("{doing}: {error}"));
        StoreError::io(doing, error)
    }

    pub fn poisoned(&self) -> Option<String> {
        self.poison.get().cloned()
    }

    pub fn durable_to(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn oldest(&self) -> u64 {
        self.used().first().map_or(0, |used| used.base)
    }

    /// Record time of the oldest frame.
    pub fn oldest_micros(&self) -> u64 {
        self.used().first().map_or(0, |used| used.since_micros)
    }

    /// Record time of the last turn.
    pub fn time_micros(&self) -> u64 {
        self.time_micros.load(Ordering::Relaxed)
    }

    /// Bytes appended since the start, and those that it found behind the checkpoint.
    pub fn appended_bytes(&self) -> u64 {
        self.appended_bytes.load(Ordering::Relaxed)
    }

    pub fn last_sync_micros(&self) -> u64 {
        self.last_sync_micros.load(Ordering::Relaxed)
    }

    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }

    /// Number of segments with records, and their bytes.
    pub fn size(&self) -> (usize, u64) {
        let used = self.used();
        (used.len(), used.iter().map(|used| used.segment.length).sum())
    }

    pub(super) fn used(&self) -> RwLockReadGuard<'_, Vec<Used>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the oldest segment out of the list, unless it is the only one.
    pub(super) fn take_oldest(&self) -> Option<Used> {
        let mut segments = self.used_mut();
        (segments.len() > 1).then(|| segments.remove(0))
    }

    /// Puts a segment back that [`Log::take_oldest`] gave.
    pub(super) fn put_back_oldest(&self, oldest: Used) {
        self.used_mut().insert(0, oldest);
    }

    fn used_mut(&self) -> RwLockWriteGuard<'_, Vec<Used>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Segments grow from the first to the full length, so that a small log stays small.
fn next_length(options: &Options, segment: &Segment) -> u64 {
    segment.length.saturating_mul(8).min(options.segment_bytes)
}
