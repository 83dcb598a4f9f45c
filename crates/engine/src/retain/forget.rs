//! The sweep: what was kept long enough is deleted, a bounded number a turn, in a record of its own.

use alloc::string::ToString;
use alloc::vec::Vec;

use onex_expr::Value;
use onex_kernel::row::{RunHead, Undoing};
use onex_kernel::{Category, Id, Micros, Origin};

use super::{Entry, Kind, Limit, terminals};
use crate::codec::{Corrupt, row};
use crate::engine::Engine;
use crate::key::{self, RowKey};
use crate::turn::Sink;
use crate::work::{Progress, Work};

/// What becomes of a row that was kept long enough.
enum Fate {
    /// It is deleted.
    Goes,
    /// It is looked at again when another period is over, if it still says that it ended then.
    Stays(Micros),
    /// It is gone, or goes on and will end anew.
    IsNot,
}

impl Engine {
    /// Queues the sweeps that are due, one of each kind a turn.
    pub(crate) fn wake_sweeps(&mut self) {
        if !self.may_sweep() {
            return;
        }
        for kind in Kind::ALL {
            let limit = kind.limit(&self.options);
            let queue = self.retained.queue_mut(kind);
            if queue.is_ready(self.now, self.durable_to, &limit) {
                queue.at_work = true;
                self.arrived.push_back(Work::Sweep(kind, Vec::new()));
            }
        }
    }

    /// When the next sweep is due.
    pub(crate) fn first_sweep(&self) -> Option<Micros> {
        let wanted = |kind: Kind| {
            let queue = self.retained.queue(kind);
            queue.wanted_at(&kind.limit(&self.options)).map(|at| at.max(self.now))
        };
        Kind::ALL.into_iter().filter_map(wanted).min().filter(|_| self.may_sweep())
    }

    /// Forgetting is no accepted work: it leaves the reserve of the disk alone, and a drain.
    fn may_sweep(&self) -> bool {
        !self.draining && !self.reserve_only
    }

    /// The next turn may sweep again.
    pub(crate) fn end_sweeps(&mut self) {
        for kind in Kind::ALL {
            self.retained.queue_mut(kind).rests = false;
        }
    }

    /// Looks at what was kept long enough, and forgets what may go.
    pub(crate) fn sweep(&mut self, kind: Kind, mut taken: Vec<Entry>) -> Result<Progress, Corrupt> {
        let limit = kind.limit(&self.options);
        if taken.is_empty() {
            if !self.opens(kind)? {
                return Ok(Progress::Missing(Work::Sweep(kind, taken)));
            }
            taken = self.retained.queue_mut(kind).take(self.now, &limit);
        }
        let mut ready = true;
        for entry in &taken {
            ready &= self.is_here(kind, &entry.row)?;
        }
        if !ready {
            return Ok(Progress::Missing(Work::Sweep(kind, taken)));
        }
        let mut sink = self.begin_record();
        let mut gone = Vec::new();
        for entry in taken {
            let fate = match kind {
                Kind::Runs => self.fate_of_run(&entry, &limit),
                Kind::Entities => self.fate_of_entity(&entry),
            };
            match fate {
                Fate::Goes => gone.push(self.forget(kind, entry.row, &mut sink)),
                Fate::Stays(ended) => {
                    let now = self.now;
                    self.retained.queue_mut(kind).put_back(ended, entry.row, now, &limit);
                }
                Fate::IsNot => {}
            }
        }
        self.retained.forgotten[kind as usize] += gone.len() as u64;
        let queue = self.retained.queue_mut(kind);
        (queue.at_work, queue.rests) = (false, true);
        queue.close(&mut sink, kind);
        if !sink.rows.is_empty() {
            self.record_sweep(kind, gone, sink);
        }
        Ok(Progress::Done)
    }

    /// Takes the oldest piece into memory, if what is to be looked at stands there.
    fn opens(&mut self, kind: Kind) -> Result<bool, Corrupt> {
        let Some(number) = self.retained.queue(kind).unopened() else {
            return Ok(true);
        };
        let Some(bytes) = self.rows.bytes(&key::retained(kind, number)) else {
            return Ok(false);
        };
        let bytes = bytes.ok_or(Corrupt { what: "row of what has ended" })?;
        self.retained.queue_mut(kind).open(row::read_retained(&bytes)?);
        Ok(true)
    }

    /// Whether the rows are here that tell what becomes of this one; if not they are wanted.
    fn is_here(&mut self, kind: Kind, place: &RowKey) -> Result<bool, Corrupt> {
        if kind == Kind::Entities {
            return self.rows.has_entity(place);
        }
        let mut next = key::read_run(place);
        while let Some(run) = next {
            if !self.rows.has_run(run, &self.graphs)? {
                return Ok(false);
            }
            next = self.parent(run);
        }
        Ok(true)
    }

    fn parent(&self, run: Id) -> Option<Id> {
        self.rows.run(run)?.head.parent.as_ref().map(|(parent, _)| *parent)
    }

    /// A run stays while a dead letter of its story is open, while what it did is being undone, and
    /// as long as one that began it may still have it undone: while that one is live, or ended and
    /// is kept for a retry, unless there are too many.
    fn fate_of_run(&mut self, entry: &Entry, limit: &Limit) -> Fate {
        let pressed = !limit.is_over(entry.since, self.now);
        let found = key::read_run(&entry.row).and_then(|id| self.rows.run(id));
        let Some(head) = found.map(|run| &run.head).filter(|h| h.ended_at == Some(entry.ended))
        else {
            return Fate::IsNot;
        };
        let mut ancestor = self.parent(head.id);
        let mut is_needed = false;
        while let Some(run) = ancestor.and_then(|id| self.rows.run(id)) {
            is_needed |=
                run.head.ended_at.is_none_or(|at| !pressed && !limit.is_over(at, self.now));
            ancestor = self.parent(run.head.id);
        }
        if is_needed || self.stories.is_open(head.correlation_id) || self.is_being_undone(head) {
            // Whoever needs it next loads it again.
            self.turn.ended.push(head.id);
            return Fate::Stays(entry.ended);
        }
        Fate::Goes
    }

    fn is_being_undone(&self, head: &RunHead) -> bool {
        let story = head.correlation_id;
        matches!(head.compensation, Undoing::Running | Undoing::Incomplete)
            && (self.intents.has_story(story)
                || self.derived.iter().any(|work| work.story() == Some(story)))
    }

    /// An entity stays while a dead letter of its story is open or a timer of it is armed. One that
    /// changed in its terminal state is kept from then on.
    fn fate_of_entity(&self, entry: &Entry) -> Fate {
        let node = key::read_entity(&entry.row).and_then(|(node, _)| self.active.find(node));
        let mut ends = node.into_iter().flat_map(|node| terminals(self.active.node(node)));
        match self.rows.entity(&entry.row) {
            Some(entity) if ends.any(|state| *state == entity.state) => {
                let is_needed =
                    entity.timer.is_some() || self.stories.is_open(entity.correlation_id);
                match entity.updated_at == entry.ended && !is_needed {
                    true => Fate::Goes,
                    false => Fate::Stays(entity.updated_at),
                }
            }
            _ => Fate::IsNot,
        }
    }

    /// Deletes it; what the record says of it.
    fn forget(&mut self, kind: Kind, place: RowKey, sink: &mut Sink) -> Value {
        match kind {
            Kind::Runs => {
                let id = key::read_run(&place).unwrap_or_default();
                self.delete_run(id, sink);
                self.turn.ended.push(id);
                Value::text(id.to_string())
            }
            Kind::Entities => {
                sink.delete(place.clone());
                self.rows.gone_entity(place.clone());
                let (node, name) = key::read_entity(&place).unwrap_or_default();
                Value::map([("key", Value::text(name)), ("node", Value::text(node))])
            }
        }
    }

    fn record_sweep(&mut self, kind: Kind, gone: Vec<Value>, sink: Sink) {
        let what = match kind {
            Kind::Runs => "runs",
            Kind::Entities => "entities",
        };
        let said = Value::map([("control", Value::text("forget")), (what, Value::list(gone))]);
        let subject = Id::of_text("", "forget");
        let message = self.own_message(Category::Control, Origin::Control, subject, said);
        self.end_record(&message, self.active.id, sink);
    }
}
