//! The chain of causes: from a message back to the first one, and forward to everything that came
//! of it. Read from the log, which keeps a story's records by nothing but their order: one look at
//! a bounded part of it gives the tree, a second one the records that are told.

use std::collections::HashMap;

use onex_engine::codec::record::{self, LogRecord};
use onex_engine::key;
use onex_kernel::{Category, Id};
use onex_store::{RowKey, Stored};

use super::log::{self, Record};
use super::{QueryError, Reader, Visit};

/// The longest way back that is told.
const CAUSES_MAX: usize = 256;

/// Records that are told of what came of it.
const EFFECTS_MAX: usize = 1000;

/// Records of one story that are looked at.
const STORY_MAX: usize = 100_000;

/// Records that are read from the store at a time.
const READ_RECORDS: usize = 4096;

/// Bytes that are read from the store at a time.
const READ_BYTES: usize = 8 << 20;

/// The causes of a message, itself, and what came of it.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The message; `None` when the id is that of a story.
    pub id: Option<Id>,
    /// The story.
    pub correlation_id: Id,
    /// As a tree reads: a record, then what came of it, then its next sibling.
    pub links: Vec<Link>,
    /// The part of the log that was looked at.
    pub searched: Searched,
    /// Whether there is more than what is told.
    pub cut: bool,
    /// Whether the first record has a cause that was not found in that part.
    pub cause_missing: bool,
}

/// The part of the log that a query looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// From this offset on.
    pub from: u64,
    /// The first offset behind it.
    pub to: u64,
    /// The oldest offset that is kept.
    pub oldest: u64,
}

/// A record of a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The record.
    pub record: Record,
    /// How many records lie between it and the first one.
    pub depth: usize,
    /// Offset of the record that it came of.
    pub cause: Option<u64>,
    /// Whether it is what was asked for, or came before or after that.
    pub place: Place,
}

/// Where a record stands in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A cause.
    Before,
    /// What was asked for.
    Itself,
    /// What came of it.
    After,
}

/// The records of one story, each with the one that it came of.
#[derive(Default)]
struct Story {
    entries: Vec<Entry>,
    last_of: HashMap<Id, usize>,
    first_of: HashMap<Id, usize>,
    armed: HashMap<RowKey, usize>,
    cut: bool,
}

struct Entry {
    offset: u64,
    parent: Option<usize>,
    /// Whether it names a cause that is not here.
    orphan: bool,
}

impl Story {
    fn take(&mut self, stored: &Stored, found: &LogRecord) {
        if self.entries.len() == STORY_MAX {
            self.cut = true;
            return;
        }
        let message = &found.message;
        let at = self.entries.len();
        // The same message again came of its first delivery, by way of a dead letter.
        let again = self.last_of.insert(message.id, at);
        let cause = message.causation_id.and_then(|cause| self.last_of.get(&cause).copied());
        let armed = || self.armer(stored, message.category);
        let parent = again.or(cause).or_else(armed);
        self.first_of.entry(message.id).or_insert(at);
        for (row, _) in stored.rows.iter().filter(|(_, value)| value.is_some()) {
            if row.starts_with(key::TIMERS) {
                self.armed.insert(RowKey::from(row), at);
            }
        }
        let orphan = parent.is_none() && message.causation_id.is_some();
        self.entries.push(Entry { offset: stored.offset, parent, orphan });
    }

    /// The record that armed the timer whose firing this one is.
    fn armer(&self, stored: &Stored, category: Category) -> Option<usize> {
        if category != Category::Timer {
            return None;
        }
        let mut gone = stored.rows.iter().filter(|(_, value)| value.is_none());
        gone.find_map(|(row, _)| self.armed.get(row).copied())
    }

    /// From a record back to the first one, both included.
    fn causes(&self, from: usize) -> Vec<usize> {
        let back = std::iter::successors(Some(from), |at| self.entries[*at].parent);
        back.take(CAUSES_MAX).collect()
    }

    /// What came of records, as a tree reads, at most so many: places and depths.
    fn effects(&self, roots: &[usize], depth: usize) -> (Vec<(usize, usize)>, bool) {
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(parent) = entry.parent {
                children.entry(parent).or_default().push(at);
            }
        }
        let mut found = Vec::new();
        let mut left: Vec<(usize, usize)> = roots.iter().rev().map(|at| (*at, depth)).collect();
        while let Some((at, depth)) = left.pop() {
            if found.len() == EFFECTS_MAX {
                return (found, true);
            }
            found.push((at, depth));
            let next = children.get(&at).into_iter().flatten().rev();
            left.extend(next.map(|child| (*child, depth + 1)));
        }
        (found, false)
    }
}

impl Reader {
    /// The chain of a message, run, intent, letter or story, looked for from an offset on, or in
    /// the newest part of the log.
    pub fn chain(&self, id: Id, from: Option<u64>) -> Result<Chain, QueryError> {
        let searched = self.part(from)?;
        let (id, story) = self.subject(id, searched)?;
        let records = self.story(story, searched)?;
        let focus = id.and_then(|id| records.first_of.get(&id).copied());
        let (told, mut cut) = match focus {
            Some(focus) => {
                let mut causes = records.causes(focus);
                let is_whole = causes.last().is_none_or(|at| records.entries[*at].parent.is_none());
                causes.reverse();
                let depth = causes.len() - 1;
                let mut told: Vec<_> = causes.iter().copied().zip(0..).take(depth).collect();
                let (effects, cut) = records.effects(&[focus], depth);
                told.extend(effects);
                (told, cut || !is_whole)
            }
            None => {
                let roots = records.entries.iter().enumerate();
                let roots = roots.filter(|(_, entry)| entry.parent.is_none());
                records.effects(&roots.map(|(at, _)| at).collect::<Vec<_>>(), 0)
            }
        };
        cut |= records.cut;
        let cause_missing = told.first().is_some_and(|(at, _)| records.entries[*at].orphan);
        let mut links = Vec::with_capacity(told.len());
        let mut place = if focus.is_some() { Place::Before } else { Place::After };
        for (at, depth) in told {
            let entry = &records.entries[at];
            let cause = entry.parent.map(|parent| records.entries[parent].offset);
            let is_focus = focus == Some(at);
            let here = if is_focus { Place::Itself } else { place };
            links.push(Link { record: self.record(entry.offset)?, depth, cause, place: here });
            if is_focus {
                place = Place::After;
            }
        }
        Ok(Chain { id, correlation_id: story, links, searched, cut, cause_missing })
    }

    /// The records from a message back to its first cause, newest first, as far as they are kept.
    pub(super) fn causes(
        &self,
        id: Id,
        correlation: Option<Id>,
    ) -> Result<Vec<Record>, QueryError> {
        let searched = self.part(None)?;
        let story = match correlation {
            Some(correlation) => Some(correlation),
            None => self.story_of(id, searched)?,
        };
        let Some(story) = story else {
            return Ok(Vec::new());
        };
        let records = self.story(story, searched)?;
        let Some(first) = records.first_of.get(&id) else {
            return Ok(Vec::new());
        };
        let causes = records.causes(*first);
        causes.into_iter().map(|at| self.record(records.entries[at].offset)).collect()
    }

    /// The part of the log that one query may look at.
    fn part(&self, from: Option<u64>) -> Result<Searched, QueryError> {
        let (oldest, durable_to) = (self.store.oldest(), self.store.durable_to());
        let most = u64::try_from(self.scan_records_max).unwrap_or(u64::MAX);
        let from = match from {
            Some(from) if from < oldest => return Err(QueryError::NotRetained { oldest }),
            Some(from) => from.min(durable_to),
            None => oldest.max(durable_to.saturating_sub(most)),
        };
        Ok(Searched { from, to: durable_to.min(from.saturating_add(most)), oldest })
    }

    /// The message that an id stands for, unless it is that of a story, and its story.
    fn subject(&self, id: Id, searched: Searched) -> Result<(Option<Id>, Id), QueryError> {
        if let Some(head) = self.run_head(id)? {
            return Ok((Some(head.envelope.id), head.correlation_id));
        }
        if let Some(letter) = self.find_letter(id)? {
            return Ok((Some(letter.message.id), letter.message.correlation_id));
        }
        if let Some(intent) = self.find_intent(id)? {
            return Ok((Some(id), intent.message.correlation_id));
        }
        let mut found = None;
        self.each_record(searched, |_, record| {
            let message = &record.message;
            if message.id == id {
                found = Some((Some(id), message.correlation_id));
                return Visit::Stop;
            }
            if message.correlation_id == id {
                found = Some((None, id));
            }
            Visit::Next
        })?;
        found.ok_or_else(|| {
            let Searched { from, to, .. } = searched;
            QueryError::NotFound(format!(
                "no message, run, intent, dead letter or story between {from} and {to} has the id \
                 {id}"
            ))
        })
    }

    fn story_of(&self, id: Id, searched: Searched) -> Result<Option<Id>, QueryError> {
        let mut story = None;
        self.each_record(searched, |_, found| {
            if found.message.id != id {
                return Visit::Next;
            }
            story = Some(found.message.correlation_id);
            Visit::Stop
        })?;
        Ok(story)
    }

    fn story(&self, correlation: Id, searched: Searched) -> Result<Story, QueryError> {
        let mut story = Story::default();
        self.each_record(searched, |stored, found| {
            if found.message.correlation_id == correlation {
                story.take(stored, &found);
            }
            Visit::Next
        })?;
        Ok(story)
    }

    /// One record.
    pub(super) fn record(&self, offset: u64) -> Result<Record, QueryError> {
        let read = self.store.read(offset, 1, READ_BYTES)?;
        let found = read.first().map(log::decode).transpose()?;
        found.ok_or_else(|| QueryError::NotFound(format!("there is no record {offset}")))
    }

    /// Calls `visit` with the records of a part of the log, until it says stop.
    fn each_record(
        &self,
        searched: Searched,
        mut visit: impl FnMut(&Stored, LogRecord) -> Visit,
    ) -> Result<(), QueryError> {
        let mut from = searched.from;
        while from < searched.to {
            let read = self.store.read(from, READ_RECORDS, READ_BYTES)?;
            let Some(last) = read.last() else {
                break;
            };
            from = last.offset + 1;
            for stored in read.iter().take_while(|stored| stored.offset < searched.to) {
                if let Visit::Stop = visit(stored, record::decode(&stored.body)?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
