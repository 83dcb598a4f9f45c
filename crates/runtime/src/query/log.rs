//! Messages of the log, by position, time and topic.

use onex_engine::codec::record::{self, LogRecord};
use onex_expr::{Text, Value};
use onex_kernel::{Message, Micros};
use onex_store::Stored;

use super::{Page, QueryError, Reader, pattern};

/// Records that are read from the store at a time.
const READ_RECORDS: usize = 1024;

/// Bytes that are read from the store at a time.
const READ_BYTES: usize = 4 << 20;

/// A record of the log.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it stands.
    pub offset: u64,
    /// Its virtual partition.
    pub partition: u16,
    /// The message, its payload decoded.
    pub message: Message,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record that is kept.
    Beginning,
    /// After the newest durable record.
    End,
    /// At this offset.
    Offset(u64),
    /// At the first record of this time or later.
    Time(Micros),
}

/// Which records are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose topic fits this pattern. Records without a topic are then left out.
    pub topic: Option<Text>,
}

impl Filter {
    fn takes(&self, message: &Message) -> bool {
        match &self.topic {
            Some(pattern) => !message.topic.is_empty() && pattern::fits(pattern, &message.topic),
            None => true,
        }
    }
}

/// A record as it was stored, decoded.
pub(super) fn decode(stored: &Stored) -> Result<Record, QueryError> {
    let found = record::decode(&stored.body)?;
    Ok(with_payload(stored, found))
}

/// A record with its payload decoded.
pub(super) fn with_payload(stored: &Stored, mut found: LogRecord) -> Record {
    let value: Value = record::payload(&found);
    found.message.payload.value = value;
    Record { offset: stored.offset, partition: stored.partition, message: found.message }
}

/// What a part of the log gave.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The records that fit.
    pub records: Vec<Record>,
    /// The offset to go on from.
    pub next: u64,
    /// Whether nothing durable is left from there on.
    pub end: bool,
}

impl Reader {
    /// The offset of a position; below the oldest record it is an error that says so.
    pub fn offset_of(&self, position: Position) -> Result<u64, QueryError> {
        let oldest = self.store.oldest();
        match position {
            Position::Beginning => Ok(oldest),
            Position::End => Ok(self.store.durable_to()),
            Position::Offset(offset) if offset < oldest => Err(QueryError::NotRetained { oldest }),
            Position::Offset(offset) => Ok(offset),
            Position::Time(time) => self.first_at(time),
        }
    }

    fn first_at(&self, time: Micros) -> Result<u64, QueryError> {
        let mut from = self.store.offset_at(time.0)?.max(self.store.oldest());
        loop {
            let read = self.store.read(from, READ_RECORDS, READ_BYTES)?;
            for stored in &read {
                if stored.time_micros >= time.0 {
                    return Ok(stored.offset);
                }
            }
            match read.last() {
                Some(last) => from = last.offset + 1,
                None => return Ok(from),
            }
        }
    }

    /// At most `limit` records that fit, from an offset on, looking at a bounded number.
    pub fn slice(&self, filter: &Filter, from: u64, limit: usize) -> Result<Slice, QueryError> {
        let mut slice = Slice { records: Vec::new(), next: from, end: false };
        let mut looked_at = 0;
        while slice.records.len() < limit && looked_at < self.scan_records_max {
            let durable_to = self.store.durable_to();
            if slice.next >= durable_to {
                slice.end = true;
                return Ok(slice);
            }
            let wanted = if filter.topic.is_some() {
                READ_RECORDS
            } else {
                READ_RECORDS.min(limit - slice.records.len())
            };
            let read = self.store.read(slice.next, wanted, READ_BYTES)?;
            if read.is_empty() {
                slice.end = true;
                return Ok(slice);
            }
            for stored in &read {
                if slice.records.len() == limit {
                    break;
                }
                slice.next = stored.offset + 1;
                looked_at += 1;
                let found = record::decode(&stored.body)?;
                if filter.takes(&found.message) {
                    slice.records.push(with_payload(stored, found));
                }
            }
        }
        slice.end = slice.next >= self.store.durable_to();
        Ok(slice)
    }

    /// A page of the log.
    pub fn log(
        &self,
        filter: &Filter,
        from: Position,
        limit: usize,
    ) -> Result<Page<Record>, QueryError> {
        let from = self.offset_of(from)?;
        let slice = self.slice(filter, from, limit)?;
        Ok(Page { next: (!slice.end).then(|| token(slice.next)), items: slice.records })
    }
}

/// The token of a list that goes on at an offset.
pub fn token(next: u64) -> String {
    format!("~{next}")
}

/// The offset of a list's token.
pub fn read_token(token: &str) -> Option<u64> {
    token.strip_prefix('~')?.parse().ok()
}
