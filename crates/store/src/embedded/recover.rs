//! Finds out what the log holds after any kind of stop.
//!
//! The frames are followed from the segment that holds the checkpoint's offset. Where the chain
//! ends before the tail, or a later frame shows that what follows was synced once, bytes are
//! damaged and the start is refused; otherwise what follows is a torn write and is cut.

use std::sync::Arc;

use crate::StoreError;
use crate::codec::{self, RawRecord};
use crate::disk::Disk;
use crate::embedded::Options;
use crate::embedded::claims::{self, Claim};
use crate::embedded::log::Used;
use crate::embedded::position::{self, Position};
use crate::embedded::scan::{self, Chain, Frame, Scanner};
use crate::embedded::segment::{self, FRAMES_AT, Place, Segment};
use crate::embedded::tail::{self, Tail};
use crate::frame::Header;

/// The log as it was found, all of it durable.
pub(crate) struct Recovered {
    pub used: Vec<Used>,
    /// Behind the last frame, or before a seal, which is written anew.
    pub tail: Tail,
    /// A segment without frames behind the tail.
    pub prepared: Option<Segment>,
    /// Bytes of the frames that the checkpoint does not cover.
    pub uncovered_bytes: u64,
}

/// Follows the log and gives every record at or after `covered` to `apply`.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    options: &Options,
    covered: u64,
    apply: &mut dyn FnMut(&RawRecord<'_>),
) -> Result<Recovered, StoreError> {
    let mut segments = open_segments(disk)?;
    let firsts = first_frames(disk, &segments)?;
    let mut unused = segments.split_off(firsts.len());
    if segments.is_empty() {
        return empty(disk, options, covered, unused);
    }
    let used = list(segments, &firsts);
    let start = used.iter().rposition(|used| used.base <= covered);
    let Some(start) = start else {
        let detail =
            format!("the log begins at offset {}, the checkpoint ends at {covered}", used[0].base);
        return Err(StoreError::corrupt(&used[0].segment.name, FRAMES_AT, detail));
    };
    let payloads = claims::list(disk)?;
    // Behind the checkpoint a start reads everything; before it, what is read is verified then.
    let is_there = |claim: &Claim, covered: bool| match covered {
        true => claim.refuse_missing(&payloads),
        false => claims::read(disk, claim).map(drop),
    };
    let begin = Chain::before(&firsts[start]);
    let mut walk = Walk::new(disk, covered, begin, Take { apply, is_there: &is_there });
    for (index, used) in used.iter().enumerate().skip(start) {
        walk.segment(&used.segment, firsts.get(index + 1))?;
    }
    let (end, at_end) = (walk.position, walk.chain);
    let last = &used[used.len() - 1].segment;
    refuse_synced_after(disk, last, end, &at_end)?;
    for segment in &unused {
        refuse_synced_after(disk, segment, FRAMES_AT, &at_end)?;
    }
    if at_end.next < covered {
        let detail =
            format!("the log ends at offset {}, the checkpoint covers {covered}", at_end.next);
        return Err(StoreError::corrupt(&last.name, end, detail));
    }
    let found = Position { offset: at_end.next, segment: last.number };
    position::refuse_behind(disk, found, &last.name, end)?;
    let (last_frame, uncovered_bytes) = (walk.last, walk.uncovered_bytes);
    if last_frame.is_seal {
        remove(disk, unused.drain(1.min(unused.len())..))?;
        let tail = Tail::before_seal(Arc::clone(last), &last_frame);
        return Ok(Recovered { tail, prepared: unused.pop(), used, uncovered_bytes });
    }
    remove(disk, unused.into_iter())?;
    let (used, tail) = tail::copy_unsealed(disk, options, used, &last_frame)?;
    Ok(Recovered { used, tail, prepared: None, uncovered_bytes })
}

/// What the whole log holds, changing nothing. `held`: another process appends to it meanwhile, so
/// what stands behind the last whole frame is not judged.
pub(crate) fn examine<D: Disk>(disk: &D, held: bool) -> Result<Examined, StoreError> {
    let noted = position::noted(disk)?;
    let mut segments = open_segments(disk)?;
    let firsts = first_frames(disk, &segments)?;
    let unused = segments.split_off(firsts.len());
    let Some(first) = firsts.first() else {
        for segment in unused.iter().filter(|_| !held) {
            refuse_synced_after(disk, segment, FRAMES_AT, &Chain::start(0))?;
        }
        let (number, name) = unused.first().map_or((0, "log"), |one| (one.number, &one.name));
        let found = Position { offset: 0, segment: number };
        position::refuse_earlier(noted, found, name, FRAMES_AT)?;
        return Ok(Examined::default());
    };
    let used = list(segments, &firsts);
    let mut nothing = |_: &RawRecord<'_>| {};
    let is_whole = |claim: &Claim, _| claims::read(disk, claim).map(drop);
    let take = Take { apply: &mut nothing, is_there: &is_whole };
    let mut walk = Walk::new(disk, first.first_offset, Chain::before(first), take);
    let mut bytes = 0;
    for (index, used) in used.iter().enumerate() {
        walk.segment(&used.segment, firsts.get(index + 1))?;
        bytes += used.segment.length;
    }
    let last = &used[used.len() - 1].segment;
    if !held {
        refuse_synced_after(disk, last, walk.position, &walk.chain)?;
        for segment in &unused {
            refuse_synced_after(disk, segment, FRAMES_AT, &walk.chain)?;
        }
    }
    let found = Position { offset: walk.chain.next, segment: last.number };
    position::refuse_earlier(noted, found, &last.name, walk.position)?;
    Ok(Examined {
        oldest: first.first_offset,
        next: walk.chain.next,
        time_micros: walk.chain.time_micros,
        segments: used.len(),
        bytes,
        sealed: walk.last.is_seal,
    })
}

/// What a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Oldest offset kept.
    pub oldest: u64,
    /// Offset of the next record.
    pub next: u64,
    /// Record time of the last frame.
    pub time_micros: u64,
    /// Segments with records.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the last stop was a clean one, or followed a pause.
    pub sealed: bool,
}

/// All files with the name of a segment, in order and without a gap.
fn open_segments<D: Disk>(disk: &D) -> Result<Vec<Segment>, StoreError> {
    let files = disk.list().map_err(|error| StoreError::io("listing files", error))?;
    let mut segments: Vec<Segment> = Vec::new();
    for (name, length) in files {
        let Some(number) = segment::number_of(&name) else {
            continue;
        };
        if let Some(missing) = segments.last().map(|last| last.number + 1)
            && missing != number
        {
            let name = segment::name_of(missing);
            return Err(StoreError::corrupt(name, 0, "this segment is missing"));
        }
        segments.push(segment::open(disk, number, length)?);
    }
    Ok(segments)
}

/// First frames of the segments that hold any; only segments behind the tail hold none.
fn first_frames<D: Disk>(disk: &D, segments: &[Segment]) -> Result<Vec<Header>, StoreError> {
    let mut firsts = Vec::with_capacity(segments.len());
    for segment in segments {
        let first = scan::first(disk, segment)
            .map_err(|error| StoreError::io(format!("reading {}", segment.name), error))?;
        firsts.push(first);
    }
    let count = firsts.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    firsts.truncate(count);
    let damaged = |index: usize| {
        StoreError::corrupt(&segments[index].name, FRAMES_AT, "the first frame is damaged")
    };
    firsts
        .into_iter()
        .enumerate()
        .map(|(index, first)| first.ok_or_else(|| damaged(index)))
        .collect()
}

fn list(segments: Vec<Segment>, firsts: &[Header]) -> Vec<Used> {
    let used = |(segment, first): (Segment, &Header)| Used {
        segment: Arc::new(segment),
        base: first.first_offset,
        since_micros: first.time_micros,
    };
    segments.into_iter().zip(firsts).map(used).collect()
}

/// A log without a frame, new or torn in its first one.
fn empty<D: Disk>(
    disk: &D,
    options: &Options,
    covered: u64,
    mut unused: Vec<Segment>,
) -> Result<Recovered, StoreError> {
    if covered > 0 {
        let name = unused.first().map_or_else(|| segment::name_of(1), |one| one.name.clone());
        let detail = format!("the log is empty, the checkpoint covers offset {covered}");
        return Err(StoreError::corrupt(name, FRAMES_AT, detail));
    }
    for segment in &unused {
        refuse_synced_after(disk, segment, FRAMES_AT, &Chain::start(options.entropy))?;
    }
    match unused.first() {
        Some(first) => {
            let found = Position { offset: 0, segment: first.number };
            position::refuse_behind(disk, found, &first.name, FRAMES_AT)?;
        }
        None => position::refuse_without_log(disk)?,
    }
    remove(disk, unused.drain(1.min(unused.len())..))?;
    let (used, tail) = tail::empty(disk, options, unused.pop())?;
    Ok(Recovered { used, tail, prepared: None, uncovered_bytes: 0 })
}

fn remove<D: Disk>(disk: &D, segments: impl Iterator<Item = Segment>) -> Result<(), StoreError> {
    for segment in segments {
        disk.remove(&segment.name)
            .map_err(|error| StoreError::io(format!("removing {}", segment.name), error))?;
    }
    Ok(())
}

/// Refuses when a frame behind the end of the chain shows that what is missing was synced.
///
/// At most one frame is written at a time, so a whole frame behind a damaged one is proof.
fn refuse_synced_after<D: Disk>(
    disk: &D,
    segment: &Segment,
    end: u64,
    chain: &Chain,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(format!("reading {}", segment.name), error);
    let mut scanner = Scanner::new(disk, segment, end);
    while scanner.seek(chain.next).map_err(failed)? {
        let position = scanner.position();
        if let Some(frame) = scanner.next().map_err(failed)? {
            let detail = format!(
                "a frame is missing or damaged after offset {}; the frame at byte {position} shows \
                 that all before offset {} was synced",
                chain.next, frame.header.durable_before
            );
            return Err(StoreError::corrupt(&segment.name, end, detail));
        }
        scanner.skip();
    }
    Ok(())
}

/// The way along the chain of frames.
struct Walk<'a, D> {
    disk: &'a D,
    covered: u64,
    take: Take<'a>,
    chain: Chain,
    position: u64,
    last: LastFrame,
    uncovered_bytes: u64,
}

/// What becomes of records on the way.
struct Take<'a> {
    apply: &'a mut dyn FnMut(&RawRecord<'_>),
    /// Refuses a payload beside the log that is not there; whether the checkpoint covers its record.
    is_there: &'a dyn Fn(&Claim, bool) -> Result<(), StoreError>,
}

/// The last frame of the chain: the only one that may not be synced, since each is synced
/// before the next is written.
pub(crate) struct LastFrame {
    pub before: Chain,
    pub position: u64,
    pub is_seal: bool,
}

impl<'a, D: Disk> Walk<'a, D> {
    fn new(disk: &'a D, covered: u64, chain: Chain, take: Take<'a>) -> Self {
        let last = LastFrame { before: chain, position: FRAMES_AT, is_seal: false };
        Self { disk, covered, take, chain, position: FRAMES_AT, last, uncovered_bytes: 0 }
    }

    /// Follows the frames of a segment to its end, or to where the next segment takes over.
    fn segment(&mut self, segment: &Segment, next: Option<&Header>) -> Result<(), StoreError> {
        let mut scanner = Scanner::new(self.disk, segment, FRAMES_AT);
        self.position = FRAMES_AT;
        let taken_over = loop {
            if next.is_some_and(|first| self.chain.continues_in(first)) {
                break true;
            }
            let frame = scanner
                .next()
                .map_err(|error| StoreError::io(format!("reading {}", segment.name), error))?;
            let Some(frame) = frame else { break false };
            if !self.chain.accepts(&frame.header, frame.position == FRAMES_AT) {
                break false;
            }
            self.frame(segment, &frame)?;
        };
        if next.is_some() && !taken_over {
            let detail = format!("the frame of offset {} is missing or damaged", self.chain.next);
            return Err(StoreError::corrupt(&segment.name, self.position, detail));
        }
        segment.complete();
        Ok(())
    }

    fn frame(&mut self, segment: &Segment, frame: &Frame<'_>) -> Result<(), StoreError> {
        let header = &frame.header;
        let mut body = frame.body;
        for offset in header.first_offset..header.end() {
            let record = codec::take_record(&mut body).ok_or_else(|| {
                let detail = format!("record {offset} is malformed");
                StoreError::corrupt(&segment.name, frame.position, detail)
            })?;
            if let Some(claim) = &record.claim {
                let covered = offset < self.covered;
                (self.take.is_there)(claim, covered)?;
                self.uncovered_bytes += if covered { 0 } else { claim.bytes };
            }
            if offset >= self.covered {
                (self.take.apply)(&record);
            }
        }
        let (offset, time_micros) = (header.first_offset, header.time_micros);
        segment.note(Place { offset, position: frame.position, time_micros });
        let (before, position, is_seal) = (self.chain, frame.position, header.is_seal());
        self.last = LastFrame { before, position, is_seal };
        if header.end() > self.covered {
            self.uncovered_bytes += u64::from(header.length);
        }
        self.chain.advance(header);
        self.position = frame.position + u64::from(header.length);
        Ok(())
    }
}
