//! Schedules: the clock is an entry. Each is a row that says when it comes due next; the message, and
//! the next due time, are one record. Nothing polls: the next due time of all is a wish to be woken.
//!
//! A due time is missed when the next one has passed too before it could be published, or, under
//! `missed: none`, when the host was down at it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use onex_contract::graph::{Graph, Missed, Schedule};
use onex_expr::{Text, Value};
use onex_kernel::{Category, Id, Message, Micros, Origin};

use crate::accept::category_of;
use crate::codec::{Corrupt, row};
use crate::engine::Engine;
use crate::key;
use crate::recover::Row;
use crate::turn::Sink;
use crate::work::{Progress, Work};

/// Node and topic: what tells schedules apart.
pub type Name = (Text, Text);

/// A schedule that is armed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    /// When it comes due next.
    pub due: Micros,
    /// How many messages it has sent.
    pub sent: u64,
    /// The words of its timing; when they change it is armed anew.
    pub timing: Text,
}

/// Every armed schedule, and which comes due next.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    armed: BTreeMap<Name, Armed>,
    /// Those that are not at hand.
    waiting: BTreeSet<(Micros, Name)>,
    /// Those that came due while only the reserve of the disk was left.
    held: BTreeSet<Name>,
}

impl Schedules {
    fn put(&mut self, name: Name, armed: Armed) {
        self.remove(&name);
        self.waiting.insert((armed.due, name.clone()));
        self.armed.insert(name, armed);
    }

    fn remove(&mut self, name: &Name) {
        if let Some(old) = self.armed.remove(name) {
            self.waiting.remove(&(old.due, name.clone()));
        }
    }

    fn pop_due(&mut self, now: Micros) -> Option<Name> {
        self.waiting.first().filter(|(due, _)| *due <= now)?;
        self.waiting.pop_first().map(|(_, name)| name)
    }

    /// Whether exactly the schedules of a graph are armed, as it wants them.
    fn are_those_of(&self, graph: &Graph) -> bool {
        self.armed.len() == graph.schedules.len()
            && graph.schedules.iter().all(|schedule| self.is_armed(schedule))
    }

    fn is_armed(&self, schedule: &Schedule) -> bool {
        let name = (schedule.node.clone(), schedule.topic.clone());
        self.armed.get(&name).is_some_and(|armed| armed.timing == schedule.timing.as_str())
    }
}

/// The message of a schedule for a due time. Its id follows from node, topic and due time.
fn message_of(schedule: &Schedule, due: Micros, sequence: u64, now: Micros) -> Message {
    let Schedule { node, topic, .. } = schedule;
    let id = Id::of_text(&format!("schedule {node} {topic}"), &due.0.to_string());
    Message {
        id,
        category: category_of(topic),
        origin: Origin::Timer,
        topic: topic.clone(),
        key: None,
        event_type: None,
        payload: schedule.said(due.0, sequence).into(),
        correlation_id: id,
        causation_id: None,
        node: Some(node.clone()),
        time: now,
        generation: 0,
    }
}

/// The due time to publish for, and the next one: of those that passed, all but the latest are
/// missed unless each is wanted.
fn due_now(schedule: &Schedule, due: Micros, now: Micros) -> (Micros, Option<Micros>) {
    let timing = &schedule.timing;
    let next = timing.after(due.0).map(Micros);
    if schedule.missed == Missed::All || next.is_none_or(|next| next > now) {
        return (due, next);
    }
    let latest = timing.until(now.0).map_or(due, Micros).max(due);
    (latest, timing.after(now.0).map(Micros))
}

impl Engine {
    /// Notes whether only the reserve of the disk is left.
    pub(crate) fn reserve(&mut self, only: bool) {
        self.reserve_only = only;
        if !only {
            self.schedules.held.clear();
        }
    }

    /// Queues the schedules that are due. Like any entry they wait while there is no room for more
    /// work, or only the reserve of the disk, and begin nothing once the host drains.
    pub(crate) fn wake_schedules(&mut self) {
        if self.reserve_only {
            self.hold_schedules();
        }
        while self.takes_schedules()
            && let Some(name) = self.schedules.pop_due(self.now)
        {
            self.arrived.push_back(Work::Schedule(name));
        }
    }

    /// When the next schedule comes due that may be published then.
    pub(crate) fn first_schedule(&self) -> Option<Micros> {
        let first = self.schedules.waiting.first().map(|(due, _)| *due);
        first.filter(|_| self.takes_schedules())
    }

    fn takes_schedules(&self) -> bool {
        !self.draining && !self.reserve_only && self.unfinished() < self.options.unfinished_max
    }

    /// Counts each schedule that has come due meanwhile once.
    fn hold_schedules(&mut self) {
        let due = self.schedules.waiting.iter().take_while(|(due, _)| *due <= self.now);
        let held = |name: &&Name| !self.schedules.held.contains(*name);
        let held: Vec<Name> = due.map(|(_, name)| name).filter(held).cloned().collect();
        for name in held {
            self.count(&format!("held:{}:disk_full", name.0));
            self.schedules.held.insert(name);
        }
    }

    /// A schedule came due: its message and its next due time are one record.
    pub(crate) fn scheduled(&mut self, name: Name) -> Result<Progress, Corrupt> {
        let graph = self.active.clone();
        let schedule = graph.schedule(&name.0, &name.1);
        let Some((schedule, armed)) = schedule.zip(self.schedules.armed.get(&name)) else {
            return Ok(Progress::Done);
        };
        if armed.due > self.now {
            return Ok(Progress::Done);
        }
        let (sent, was_due) = (armed.sent + 1, armed.due);
        let (due, next) = due_now(schedule, was_due, self.now);
        let message = message_of(schedule, due, sent, self.now);
        let topic = graph.topics.get(&message.topic);
        let plan = self.plan(&graph, topic, &message, None);
        let listening = self.listening(topic, &message);
        if !(self.ready(&plan)? & self.runs_here(&listening)?) {
            return Ok(Progress::Missing(Work::Schedule(name)));
        }
        if due > was_due {
            self.count(&format!("ignored:{}:schedule_missed", name.0));
        }
        let mut sink = self.begin_record();
        self.arm(schedule, next, sent, &mut sink);
        self.deliver(&graph, &message, plan, &mut sink);
        self.tell_listening(topic, &message, &listening, &mut sink);
        self.end_record(&message, graph.id, sink);
        Ok(Progress::Done)
    }

    fn arm(&mut self, schedule: &Schedule, due: Option<Micros>, sent: u64, sink: &mut Sink) {
        let name = (schedule.node.clone(), schedule.topic.clone());
        let row = key::schedule(&name.0, &name.1);
        let Some(due) = due else {
            self.schedules.remove(&name);
            return sink.delete(row);
        };
        let armed = Armed { due, sent, timing: schedule.timing.as_str().into() };
        sink.put(row, row::schedule(&armed));
        self.schedules.put(name, armed);
    }

    /// Arms what the active graph schedules and is not armed, and disarms what it does not.
    pub(crate) fn align_schedules(&mut self, sink: &mut Sink) {
        let graph = self.active.clone();
        let gone = |name: &&Name| graph.schedule(&name.0, &name.1).is_none();
        let gone: Vec<Name> = self.schedules.armed.keys().filter(gone).cloned().collect();
        for name in gone {
            sink.delete(key::schedule(&name.0, &name.1));
            self.schedules.remove(&name);
        }
        for schedule in &graph.schedules {
            if self.schedules.is_armed(schedule) {
                continue;
            }
            let name = (schedule.node.clone(), schedule.topic.clone());
            let sent = self.schedules.armed.get(&name).map_or(0, |armed| armed.sent);
            let due = schedule.timing.after(self.now.0).map(Micros);
            self.arm(schedule, due, sent, sink);
        }
    }

    /// Aligns on a start what an activation has not: the graph that begins a store, and rows whose
    /// timing an earlier version worded otherwise.
    pub(crate) fn schedules_begin(&mut self) -> Progress {
        if !self.schedules.are_those_of(&self.active) {
            let payload = Value::map([("control", Value::text("schedules"))]);
            let subject = Id::of_text("", "schedules");
            let message = self.own_message(Category::Control, Origin::Control, subject, payload);
            let mut sink = self.begin_record();
            self.align_schedules(&mut sink);
            self.end_record(&message, self.active.id, sink);
        }
        Progress::Done
    }

    /// Arms what was armed. Due times that passed while the host was down are not made up for where
    /// that is not wanted; the row says so with the next message.
    pub(crate) fn recover_schedules(&mut self, rows: Vec<Row>) -> Result<(), Corrupt> {
        let graph = self.active.clone();
        for (place, bytes) in rows {
            let (node, topic) =
                key::read_schedule(&place).ok_or(Corrupt { what: "schedule key" })?;
            let mut armed = row::read_schedule(&bytes)?;
            let schedule = graph.schedule(node, topic);
            if armed.due <= self.now
                && let Some(schedule) = schedule.filter(|one| one.missed == Missed::None)
            {
                self.count(&format!("ignored:{node}:schedule_missed"));
                armed.due = schedule.timing.after(self.now.0).map_or(armed.due, Micros);
            }
            self.schedules.put((node.into(), topic.into()), armed);
        }
        if !self.schedules.are_those_of(&graph) {
            self.arrived.push_back(Work::Schedules);
        }
        Ok(())
    }
}
