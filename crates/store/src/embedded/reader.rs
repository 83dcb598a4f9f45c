//! Reads durable records back: tails, history, the window of ids at a start.

use std::sync::Arc;

use crate::codec::{self, EncodedRows, RawRecord};
use crate::disk::Disk;
use crate::embedded::claims;
use crate::embedded::index;
use crate::embedded::log::{Log, Used};
use crate::embedded::scan::{Chain, Scanner};
use crate::embedded::segment::{FRAMES_AT, Place, Segment};
use crate::frame::Header;
use crate::{StoreError, Stored};

/// Bytes read from a file at least, and at most unless a frame is longer.
const READ_BYTES: std::ops::RangeInclusive<usize> = 64 * 1024..=1024 * 1024;

/// What is still to be read, and what has been.
struct Wanted {
    next: u64,
    limit: usize,
    bytes: usize,
    bytes_max: usize,
    found: Vec<Stored>,
}

impl<D: Disk> Log<D> {
    /// Records from an offset on, as [`crate::Store::read`] has it.
    pub fn read(
        &self,
        from: u64,
        limit: usize,
        bytes_max: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        self.healthy()?;
        let durable = self.durable_to();
        let mut wanted = Wanted { next: from, limit, bytes: 0, bytes_max, found: Vec::new() };
        while wanted.next < durable && wanted.found.len() < limit {
            let Some((segment, end)) = self.segment_of(wanted.next) else {
                return Err(StoreError::NotRetained { oldest: self.oldest() });
            };
            match self.read_segment(&segment, end.min(durable), &mut wanted) {
                Ok(true) => {}
                Ok(false) => break,
                // The segment was let go of while it was read.
                Err(_) if wanted.next < self.oldest() => {
                    if wanted.found.is_empty() {
                        return Err(StoreError::NotRetained { oldest: self.oldest() });
                    }
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if wanted.found.is_empty() && from < self.oldest() {
            return Err(StoreError::NotRetained { oldest: self.oldest() });
        }
        Ok(wanted.found)
    }

    /// An offset below which every record has an earlier time.
    pub fn offset_at(&self, micros: u64) -> Result<u64, StoreError> {
        self.healthy()?;
        let used = self.used();
        let count = used.partition_point(|used| used.since_micros < micros);
        let Some(last) = used[..count].last() else {
            return Ok(used.first().map_or(0, |used| used.base));
        };
        let place = last.segment.place_before(micros);
        Ok(place.map_or(last.base, |place| place.offset))
    }

    /// The segment of an offset, and the offset at which the next segment takes over.
    fn segment_of(&self, offset: u64) -> Option<(Arc<Segment>, u64)> {
        let used = self.used();
        let count = used.partition_point(|used| used.base <= offset);
        let segment = &used[..count].last()?.segment;
        let end = used.get(count).map_or(u64::MAX, |next| next.base);
        Some((Arc::clone(segment), end))
    }

    /// Reads to `end`; `false` when enough was found.
    fn read_segment(
        &self,
        segment: &Segment,
        end: u64,
        wanted: &mut Wanted,
    ) -> Result<bool, StoreError> {
        self.index(segment)?;
        match self.read_indexed(segment, end, wanted) {
            // What was saved may be wrong, so the frames themselves are asked.
            Err(_) if segment.forget_loaded() => {
                self.index_frames(segment)?;
                self.read_indexed(segment, end, wanted)
            }
            read => read,
        }
    }

    fn read_indexed(
        &self,
        segment: &Segment,
        end: u64,
        wanted: &mut Wanted,
    ) -> Result<bool, StoreError> {
        let position = segment.place_of(wanted.next).map_or(FRAMES_AT, |place| place.position);
        let read_bytes = wanted.bytes_max.clamp(*READ_BYTES.start(), *READ_BYTES.end());
        let mut scanner = Scanner::new(&*self.disk, segment, position).reading(read_bytes);
        while wanted.next < end {
            let position = scanner.position();
            let damaged = |detail: String| StoreError::corrupt(&segment.name, position, detail);
            let frame = scanner
                .next()
                .map_err(|error| StoreError::io(format!("reading {}", segment.name), error))?;
            let Some(frame) = frame.filter(|frame| frame.header.first_offset <= wanted.next) else {
                return Err(damaged(format!("the frame of offset {} is damaged", wanted.next)));
            };
            let header = frame.header;
            let mut body = frame.body;
            for offset in header.first_offset..header.end() {
                let record = codec::take_record(&mut body)
                    .ok_or_else(|| damaged(format!("record {offset} is malformed")))?;
                if offset == wanted.next && !self.take(wanted, &record, &header)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Finds out where the frames of a segment are that was not read since the start.
    fn index(&self, segment: &Segment) -> Result<(), StoreError> {
        if segment.is_complete() {
            return Ok(());
        }
        match index::load(&*self.disk, segment) {
            Some(places) => segment.load(places),
            None => self.index_frames(segment)?,
        }
        Ok(())
    }

    /// Notes the places of the frames of a segment.
    fn index_frames(&self, segment: &Segment) -> Result<(), StoreError> {
        let failed = |error| StoreError::io(format!("reading {}", segment.name), error);
        let next =
            self.used().iter().find(|used| used.segment.number == segment.number + 1).cloned();
        let mut scanner = Scanner::new(&*self.disk, segment, FRAMES_AT);
        let mut chain: Option<Chain> = None;
        while let Some(frame) = scanner.next().map_err(failed)? {
            let header = &frame.header;
            let chain = chain.get_or_insert_with(|| Chain::before(header));
            if !chain.accepts(header, frame.position == FRAMES_AT) {
                break;
            }
            let (offset, time_micros) = (header.first_offset, header.time_micros);
            segment.note(Place { offset, position: frame.position, time_micros });
            chain.advance(header);
        }
        let reached = chain.map_or(0, |chain| chain.next);
        if let Some(Used { base, .. }) = next
            && reached < base
        {
            let detail = format!("the frame of offset {reached} is missing or damaged");
            return Err(StoreError::corrupt(&segment.name, scanner.position(), detail));
        }
        segment.complete();
        Ok(())
    }

    /// Takes the next record, whole, unless a limit is reached.
    fn take(
        &self,
        wanted: &mut Wanted,
        record: &RawRecord<'_>,
        header: &Header,
    ) -> Result<bool, StoreError> {
        let claimed = record.claim.map_or(0, |claim| claim.bytes as usize);
        let bytes = wanted.bytes + record.body.len() + claimed + record.rows.len();
        let enough = bytes > wanted.bytes_max && !wanted.found.is_empty();
        if wanted.found.len() >= wanted.limit || enough {
            return Ok(false);
        }
        let body = match &record.claim {
            None => Arc::from(record.body),
            Some(claim) => {
                let payload = claims::read(&*self.disk, claim)?;
                Arc::from([record.body, &payload].concat())
            }
        };
        wanted.found.push(Stored {
            offset: wanted.next,
            partition: record.partition,
            time_micros: header.time_micros,
            body,
            rows: EncodedRows::new(record.rows),
        });
        wanted.bytes = bytes;
        wanted.next += 1;
        Ok(true)
    }
}
