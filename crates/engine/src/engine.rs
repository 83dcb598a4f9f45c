//! The engine: queues of work, the turn at hand, and everything that lives between turns.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use onex_contract::graph::{Graph, GraphId};
use onex_expr::Text;
use onex_kernel::Micros;
use onex_kernel::row::Intent;

use crate::codec::Corrupt;
use crate::dedupe::Dedupe;
use crate::guard::Guard;
use crate::input::{Input, Publish, Request, Ticket};
use crate::intents::Intents;
use crate::key::{self, Timer, TimerOwner};
use crate::listen::Listeners;
use crate::options::Options;
use crate::output::{Output, Reply};
use crate::retain::Retained;
use crate::rows::Rows;
use crate::schedule::Schedules;
use crate::stories::Stories;
use crate::tally::Tally;
use crate::turn::{Turn, Written};
use crate::work::{Batch, Progress, Work};

/// How many waiting pieces of work are asked for their rows at a time.
const LOOK_AHEAD_MAX: usize = 1024;

/// The engine. See the crate's first page for what it does and never does.
pub struct Engine {
    pub(crate) options: Options,
    pub(crate) guard: Box<dyn Guard>,
    /// Every graph that a live run, a pending intent or the future uses.
    pub(crate) graphs: BTreeMap<GraphId, Arc<Graph>>,
    pub(crate) active: Arc<Graph>,
    /// Record time.
    pub(crate) now: Micros,
    /// Offset of the next record.
    pub(crate) next_offset: u64,
    pub(crate) dedupe: Dedupe,
    pub(crate) rows: Rows,
    pub(crate) intents: Intents,
    pub(crate) timers: BTreeSet<Timer>,
    pub(crate) schedules: Schedules,
    pub(crate) listeners: Listeners,
    /// Live runs: admission counts them.
    pub(crate) live_runs: usize,
    /// Messages that decisions sent; always before what arrived.
    pub(crate) derived: VecDeque<Work>,
    /// What arrived and was not looked at yet.
    pub(crate) arrived: VecDeque<Work>,
    pub(crate) batches: HashMap<Ticket, Batch>,
    /// The intent whose end is being delivered to a run.
    pub(crate) at_hand: Option<Intent>,
    /// The turn in the making.
    pub(crate) turn: Turn,
    /// The turn before it, while its frame is being written.
    pub(crate) written: Written,
    writing: bool,
    pub(crate) draining: bool,
    /// Whether only the reserve of the disk is left.
    pub(crate) reserve_only: bool,
    /// Dead letters by reason and node.
    pub(crate) tally: Tally,
    /// Open dead letters by story.
    pub(crate) stories: Stories,
    /// What has ended and is kept for a while.
    pub(crate) retained: Retained,
    /// Every record below is durable.
    pub(crate) durable_to: u64,
    /// Counters by name, for metrics.
    pub(crate) counts: BTreeMap<Text, u64>,
}

impl Engine {
    /// Takes what arrived, and appends what the shell shall do. One call a turn.
    ///
    /// # Errors
    /// A row that the store gave cannot be read. The engine must not be used any more.
    pub fn handle(
        &mut self,
        arrived: &mut Vec<Input>,
        now: Micros,
        out: &mut Vec<Output>,
    ) -> Result<(), Corrupt> {
        self.now = self.now.max(now);
        for input in arrived.drain(..) {
            self.take(input, out);
        }
        if self.draining && self.idle() {
            out.push(Output::Drained);
            return Ok(());
        }
        // Rows can only be forgotten between two turns, and a drain only end there: a cyclic graph
        // has always something to decide.
        let waits = self.draining || self.rows.are_too_many(self.options.cache_bytes_max);
        if self.writing && waits {
            return Ok(());
        }
        self.wake();
        self.fill_turn(out)
    }

    /// The graph for new work.
    pub fn active(&self) -> &Arc<Graph> {
        &self.active
    }

    /// Counters since the start, by name: `ignored:<node>:<reason>`, `refused:<node>:<guard>`,
    /// `held:<node>:disk_full`, `dead:<reason>`, `late`, `applied`.
    pub fn counts(&self) -> &BTreeMap<Text, u64> {
        &self.counts
    }

    /// Dead letters by reason and node.
    pub fn letters(&self) -> &Tally {
        &self.tally
    }

    /// What has ended, is kept and was forgotten.
    pub fn retained(&self) -> &Retained {
        &self.retained
    }

    /// Accepted but unfinished work.
    pub fn unfinished(&self) -> usize {
        self.live_runs + self.intents.len() + self.derived.len()
    }

    /// Pieces of work that arrived and were not looked at yet.
    pub fn waiting(&self) -> usize {
        self.arrived.len()
    }

    fn take(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Received(ticket, Request::Batch(items)) => self.take_batch(ticket, items),
            Input::Received(ticket, Request::Publish(publish)) => {
                let publish = Box::new(publish);
                self.arrived.push_back(Work::Publish { ticket, at: None, publish });
            }
            Input::Received(ticket, request) => {
                self.arrived.push_back(Work::Request(ticket, Box::new(request)));
            }
            Input::Loaded(rows) => self.rows.loaded(rows),
            Input::Synced => self.synced(out),
            Input::Answered { intent, attempt, answer } => {
                self.arrived.push_back(Work::Answered { intent, attempt, answer });
            }
            Input::Tick => {}
            Input::Reserve(only) => self.reserve(only),
            Input::Activate(ticket, graph) => {
                self.arrived.push_back(Work::Activate(ticket, graph));
            }
            Input::Drain => self.draining = true,
        }
    }

    fn take_batch(&mut self, ticket: Ticket, items: Vec<Publish>) {
        if items.is_empty() {
            self.turn.after.push(Output::Reply(ticket, Reply::Batch(Vec::new())));
            return;
        }
        let batch = Batch { answers: items.iter().map(|_| None).collect(), left: items.len() };
        self.batches.insert(ticket, batch);
        for (at, publish) in items.into_iter().enumerate() {
            let publish = Box::new(publish);
            self.arrived.push_back(Work::Publish { ticket, at: Some(at), publish });
        }
    }

    /// Queues timers and attempts that are due.
    fn wake(&mut self) {
        while let Some(timer) = self.timers.first()
            && timer.due <= self.now
        {
            let Some(timer) = self.timers.pop_first() else {
                break;
            };
            self.arrived.push_back(Work::Timer(timer));
        }
        self.wake_schedules();
        self.wake_sweeps();
        while !self.draining
            && let Some(intent) = self.intents.pop_due(self.now)
        {
            self.arrived.push_back(Work::Due(intent));
        }
    }

    fn fill_turn(&mut self, out: &mut Vec<Output>) -> Result<(), Corrupt> {
        while let Some((work, own)) = self.next_work() {
            match self.apply(work)? {
                Progress::Done => {}
                Progress::Missing(work) => {
                    let queue = if own { &mut self.derived } else { &mut self.arrived };
                    queue.push_front(work);
                    self.look_ahead()?;
                    out.push(Output::Load(core::mem::take(&mut self.rows.wanted)));
                    return Ok(());
                }
            }
        }
        if !self.writing {
            self.finish_turn(out);
        }
        Ok(())
    }

    /// The next piece of work and whether it is the engine's own. What arrived begins only when
    /// nothing of our own is left, or when that alone has filled half a turn: so a cyclic graph
    /// neither fills the queue without bound nor shuts clients out.
    fn next_work(&mut self) -> Option<(Work, bool)> {
        let records = self.turn.records.len();
        let full = records >= self.options.turn_records_max
            || self.turn.bytes + self.turn.heavy_bytes >= self.options.turn_bytes_max;
        let own_first = records < self.options.turn_records_max / 2;
        let ready = !self.writing && records >= self.options.turn_records_ready;
        if full || (ready && self.derived.is_empty()) {
            return None;
        }
        if (own_first || self.arrived.is_empty())
            && let Some(work) = self.derived.pop_front()
        {
            return Some((work, true));
        }
        match self.arrived.pop_front() {
            Some(work) => Some((work, false)),
            None => self.derived.pop_front().map(|work| (work, true)),
        }
    }

    /// Asks for the rows of what comes next too, so that one load serves many deliveries.
    fn look_ahead(&mut self) -> Result<(), Corrupt> {
        let queue = core::mem::take(&mut self.arrived);
        for work in queue.iter().take(LOOK_AHEAD_MAX) {
            match work {
                Work::Publish { publish, .. } => self.foresee(publish)?,
                Work::Timer(Timer { owner: TimerOwner::Entity { node, key }, .. }) => {
                    self.rows.has_entity(&key::entity(node, key))?;
                }
                _ => {}
            }
        }
        self.arrived = queue;
        self.rows.wanted.sort_unstable();
        self.rows.wanted.dedup();
        Ok(())
    }

    fn finish_turn(&mut self, out: &mut Vec<Output>) {
        if self.turn.records.is_empty() {
            out.append(&mut self.turn.after);
        } else {
            self.leave_behind();
            let Turn { records, after, ended, .. } = core::mem::take(&mut self.turn);
            self.writing = true;
            self.written = Written { after, ended, to: self.next_offset };
            out.push(Output::Write(records));
        }
        self.end_sweeps();
        if let Some(at) = self.wake_at() {
            out.push(Output::WakeAt(at));
        }
        if self.draining && self.idle() {
            out.push(Output::Drained);
        }
    }

    fn synced(&mut self, out: &mut Vec<Output>) {
        self.writing = false;
        self.durable_to = self.written.to;
        out.append(&mut self.written.after);
        self.rows.forget_runs(&core::mem::take(&mut self.written.ended));
        if self.turn.records.is_empty() {
            self.rows.shrink(self.options.cache_bytes_max);
        }
    }

    fn wake_at(&self) -> Option<Micros> {
        let timer = self.timers.first().map(|timer| timer.due);
        let intent = if self.draining { None } else { self.intents.first_due() };
        let more = (!self.derived.is_empty() || !self.arrived.is_empty()).then_some(self.now);
        let times = [timer, self.first_schedule(), intent, self.first_sweep(), more];
        times.into_iter().flatten().min()
    }

    /// Whether nothing would be lost by ending now. What waits in a row of its own may wait for the
    /// next start: a cyclic graph never comes to an end of it.
    fn idle(&self) -> bool {
        !self.writing
            && self.turn.records.is_empty()
            && self.derived.iter().all(Work::is_durable)
            && self.arrived.is_empty()
            && self.intents.in_flight() == 0
    }

    fn apply(&mut self, work: Work) -> Result<Progress, Corrupt> {
        match work {
            Work::Publish { ticket, at, publish } => self.publish(ticket, at, publish),
            Work::Request(ticket, request) => self.request(ticket, request),
            Work::Message(message) => self.message(message),
            Work::Intent(intent) => self.intent(intent),
            Work::IntentRun(start) => self.intent_run(start),
            Work::Trigger(intent) => self.intent_trigger(intent),
            Work::Tell(tell) => self.tell(tell),
            Work::Due(intent) => self.due(intent),
            Work::Answered { intent, attempt, answer } => self.answered(intent, attempt, answer),
            Work::End(end) => self.end(end),
            Work::Timer(timer) => self.timer(timer),
            Work::Schedule(name) => self.scheduled(name),
            Work::Schedules => Ok(self.schedules_begin()),
            Work::Sweep(kind, taken) => self.sweep(kind, taken),
            Work::Activate(ticket, graph) => self.activate(ticket, graph),
        }
    }

    /// Adds one to a counter.
    pub(crate) fn count(&mut self, name: &str) {
        match self.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(Text::from(name), 1);
            }
        }
    }

    /// Answers a request once everything so far is durable.
    pub(crate) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.turn.after.push(Output::Reply(ticket, reply));
    }

    pub(crate) fn new(options: Options, guard: Box<dyn Guard>, active: Arc<Graph>) -> Engine {
        Engine {
            options,
            guard,
            graphs: BTreeMap::from([(active.id, active.clone())]),
            active,
            now: Micros(0),
            next_offset: 0,
            dedupe: Dedupe::default(),
            rows: Rows::default(),
            intents: Intents::default(),
            timers: BTreeSet::new(),
            schedules: Schedules::default(),
            listeners: Listeners::default(),
            live_runs: 0,
            derived: VecDeque::new(),
            arrived: VecDeque::new(),
            batches: HashMap::new(),
            at_hand: None,
            turn: Turn::default(),
            written: Written::default(),
            writing: false,
            draining: false,
            reserve_only: false,
            tally: Tally::default(),
            stories: Stories::default(),
            retained: Retained::default(),
            durable_to: 0,
            counts: BTreeMap::new(),
        }
    }
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine")
            .field("now", &self.now)
            .field("next_offset", &self.next_offset)
            .field("unfinished", &self.unfinished())
            .finish_non_exhaustive()
    }
}
