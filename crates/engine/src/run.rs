//! Runs: begun, told what happened to them, written, ended.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, NodeIndex};
use onex_expr::Text;
use onex_kernel::decision::RowWrite;
use onex_kernel::orchestrate::{self, RunInput, Start};
use onex_kernel::row::{Owner, Run, RunHead, StepRow};
use onex_kernel::{Decision, Id, Message, Verdict};

use crate::codec::row;
use crate::deliver::decided;
use crate::engine::Engine;
use crate::guard;
use crate::key::{self, RowKey, TimerOwner};
use crate::output::{Output, RunEnd};
use crate::retain::{Entry, Kind};
use crate::turn::Sink;

impl Engine {
    /// Begins a run: its head holds the run key, its first steps start.
    pub(crate) fn begin_run(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        start: Start,
        message: &Message,
        sink: &mut Sink,
    ) {
        let name = graph.node(node).name.clone();
        let (id, key) = (start.run_id, start.key.clone());
        let parent = start.parent.as_ref().map(|(_, owner)| owner.clone());
        let circumstances = self.circumstances(sink);
        let mut start = Some(start);
        let mut decision = None;
        let note = guard::delivered(message, &name);
        let done = guard::guarded(&mut *self.guard, note, &mut || {
            decision = start
                .take()
                .map(|start| orchestrate::begin(graph, node, start, message, &circumstances));
        });
        let decision = decided(done, decision);
        if let Verdict::Dead(fault) = &decision.verdict {
            return match parent {
                Some(owner) => self.tell_failed(owner, id, fault, message, &name),
                None => self.dead(graph, Some(node), message, fault.clone(), sink),
            };
        }
        let head = decision.writes.iter().find_map(|write| match write {
            RowWrite::Head(head) => Some(RunHead::clone(head)),
            _ => None,
        });
        let Some(head) = head else {
            return self.count(&format!("ignored:{name}:no_run"));
        };
        let steps = match &graph.node(node).body {
            Body::Orchestrator(found) => found.steps.len(),
            _ => 0,
        };
        // It goes on, until the decision is applied: also one that ends at once was live.
        let head = RunHead { ended_at: None, ..head };
        self.rows.put_run(Run {
            head,
            steps: (0..steps).map(|_| StepRow::pending()).collect(),
            items: Default::default(),
            events: Default::default(),
        });
        self.live_runs += 1;
        self.hold_run_key(&name, key.as_ref(), Some(id), sink);
        self.apply_to_run(graph, id, &name, message, decision, sink);
    }

    /// Tells a run what happened to it. The run must be here.
    pub(crate) fn advance_run(
        &mut self,
        id: Id,
        input: RunInput<'_>,
        message: &Message,
        sink: &mut Sink,
    ) {
        let Some(run) = self.rows.run(id) else {
            return self.count("ignored::run_gone");
        };
        let name = run.head.node.clone();
        let Some(graph) = self.graphs.get(&run.head.graph).cloned() else {
            return self.count("ignored::graph_gone");
        };
        let Some(node) = graph.find(&name) else {
            return self.count("ignored::node_gone");
        };
        let (circumstances, heard) = (self.circumstances(sink), matches!(input, RunInput::Event));
        let mut input = Some(input);
        let mut decision = None;
        let note = guard::note_of(message, || guard::told(message, id));
        let done = guard::guarded(&mut *self.guard, note, &mut || {
            decision = input.take().map(|input| {
                orchestrate::advance(&graph, node, run, input, message, &circumstances)
            });
        });
        let decision = decided(done, decision);
        match &decision.verdict {
            Verdict::Dead(fault) if heard => {
                let (event, fault) = (message.clone(), fault.clone());
                self.run_letter(&graph, id, &name, event, fault, sink);
            }
            Verdict::Dead(fault) => {
                self.dead(&graph, Some(node), message, fault.clone(), sink);
            }
            Verdict::Ignored(reason) => {
                self.count(&format!("ignored:{name}:{reason}"));
                self.apply_to_run(&graph, id, &name, message, decision, sink);
            }
            Verdict::Applied | Verdict::Refused { .. } => {
                self.apply_to_run(&graph, id, &name, message, decision, sink);
            }
        }
    }

    fn apply_to_run(
        &mut self,
        graph: &Arc<Graph>,
        id: Id,
        name: &Text,
        message: &Message,
        decision: Decision,
        sink: &mut Sink,
    ) {
        let was_over = self.rows.run(id).is_some_and(|run| run.head.ended_at.is_some());
        self.write_run(id, decision.writes, decision.ended, sink);
        if was_over {
            for ended in [&mut self.written.ended, &mut self.turn.ended] {
                ended.retain(|ended| *ended != id);
            }
            self.reopened(id, decision.ended, sink);
        }
        self.listen(graph, id, sink);
        self.change_timers(&decision.timers, |of| TimerOwner::Run { run: id, of }, sink);
        self.besides(graph, Some(id), message, decision.letters, sink);
        self.send(graph, name, message, decision.messages);
        for intent in decision.stop {
            self.stop(intent, sink);
        }
        if decision.ended {
            self.run_ended(id, sink);
        }
    }

    /// Writes the rows of a run that changed. Of an ended one that is not too large a single row with
    /// everything.
    fn write_run(&mut self, id: Id, writes: Vec<RowWrite>, ended: bool, sink: &mut Sink) {
        let Some(run) = self.rows.run_mut(id) else {
            return;
        };
        let was_whole = run.head.ended_at.is_some() && !ended;
        let (mut changed_head, mut changed) = take_writes(run, writes, sink);
        if run.head.ended_at.is_some() {
            if let Some(whole) = whole(run) {
                sink.put(key::run(id), whole);
                if ended {
                    for part in parts(run).filter(|part| changed.get(part) != Some(&true)) {
                        sink.delete(part.key(id));
                    }
                }
                return;
            }
            changed_head = true;
        }
        if changed_head {
            sink.put(key::run(id), row::run(&run.head, None));
        }
        if was_whole {
            // A retry: what may have stood in one row stands in rows of its own again.
            changed.extend(parts(run).map(|part| (part, false)));
        }
        for (part, fresh) in changed {
            let Some(bytes) = part.bytes(run) else { continue };
            match fresh {
                true => sink.put_fresh(part.key(id), bytes),
                false => sink.put(part.key(id), bytes),
            }
        }
    }

    /// Deletes every row of a run that has ended.
    pub(crate) fn delete_run(&mut self, id: Id, sink: &mut Sink) {
        let Some(run) = self.rows.run(id) else { return };
        sink.delete(key::run(id));
        if whole(run).is_none() {
            parts(run).for_each(|part| sink.delete(part.key(id)));
        }
        self.rows.gone_run(id);
    }

    /// A run that was over goes on, or did something and is over again.
    fn reopened(&mut self, id: Id, ended: bool, sink: &mut Sink) {
        let Some(run) = self.rows.run(id) else { return };
        let (is_open, goes_on) = (run.head.ended_at.is_none(), run.head.error.is_none());
        if is_open || ended {
            self.live_runs += 1;
        }
        if is_open && goes_on {
            let (node, key) = (run.head.node.clone(), run.head.key.clone());
            self.hold_run_key(&node, key.as_ref(), Some(id), sink);
        }
    }

    fn run_ended(&mut self, id: Id, sink: &mut Sink) {
        self.live_runs = self.live_runs.saturating_sub(1);
        self.turn.ended.push(id);
        let Some(run) = self.rows.run(id) else { return };
        let head: &RunHead = &run.head;
        let ended = head.ended_at.unwrap_or(self.now);
        self.retained.queue_mut(Kind::Runs).put(Entry::new(ended, key::run(id)));
        let error = head.error.as_ref();
        let end = RunEnd {
            run_id: id,
            node: head.node.clone(),
            status: head.status,
            correlation_id: head.correlation_id,
            result: head.result.clone(),
            error: error.map(|failure| {
                (failure.code.clone(), failure.message.clone(), failure.step.clone())
            }),
        };
        let (node, key) = (head.node.clone(), head.key.clone());
        // A run that is undone for the step that began it has let its key go long ago.
        let undone = matches!(&head.answers, Some(Owner::Step { compensation: true, .. }));
        self.turn.after.push(Output::RunEnded(end));
        if !undone {
            self.hold_run_key(&node, key.as_ref(), None, sink);
        }
    }

    /// Notes who holds a run key, or that nobody does.
    pub(crate) fn hold_run_key(
        &mut self,
        node: &Text,
        key: Option<&Text>,
        holder: Option<Id>,
        sink: &mut Sink,
    ) {
        let Some(key) = key else { return };
        let place = key::run_key(node, key);
        match holder {
            Some(id) => sink.put(place.clone(), row::id_row(id)),
            None => sink.delete(place.clone()),
        }
        self.rows.put_run_key(place, holder);
    }
}

/// The rows of an ended run become one, unless that would have more bytes than this.
const ENDED_RUN_BYTES_MAX: usize = 1 << 20;

/// The one row of an ended run that is not too large for it.
fn whole(run: &Run) -> Option<Vec<u8>> {
    Some(row::run(&run.head, Some(run))).filter(|row| row.len() <= ENDED_RUN_BYTES_MAX)
}

/// A row of a run beside its head.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Step(u16),
    Item(u16, u32),
    Event(u32),
}

impl Part {
    fn key(self, run: Id) -> RowKey {
        match self {
            Part::Step(step) => key::step(run, step),
            Part::Item(step, item) => key::item(run, step, item),
            Part::Event(number) => key::event(run, number),
        }
    }

    fn bytes(self, run: &Run) -> Option<Vec<u8>> {
        match self {
            Part::Step(step) => run.steps.get(usize::from(step)).map(row::step),
            Part::Item(step, item) => run.items.get(&(step, item)).map(row::item),
            Part::Event(number) => run.events.get(&number).map(row::event),
        }
    }
}

/// Every row of a run beside its head; a step that is pending needs none.
fn parts(run: &Run) -> impl Iterator<Item = Part> {
    let pending = StepRow::pending();
    let steps = run.steps.iter().enumerate().filter(move |(_, row)| **row != pending);
    let steps = steps.map(|(step, _)| Part::Step(step as u16));
    let items = run.items.keys().map(|(step, item)| Part::Item(*step, *item));
    steps.chain(items).chain(run.events.keys().map(|number| Part::Event(*number)))
}

/// The rows of a run that a decision changed, and whether each is fresh: not there before.
type Changed = BTreeMap<Part, bool>;

/// Takes what a decision wrote into a run; whether its head changed, and which other rows did. What
/// is gone is deleted at once.
fn take_writes(run: &mut Run, writes: Vec<RowWrite>, sink: &mut Sink) -> (bool, Changed) {
    let (id, mut changed_head, mut changed) = (run.head.id, false, Changed::new());
    for write in writes {
        match write {
            RowWrite::Head(head) => {
                run.head = *head;
                changed_head = true;
            }
            RowWrite::Step(at, step) => {
                let Some(place) = run.steps.get_mut(usize::from(at)) else {
                    continue;
                };
                let pending = StepRow::pending();
                let fresh = *place == pending;
                if !fresh || *step != pending {
                    changed.insert(Part::Step(at), fresh);
                    *place = *step;
                }
            }
            RowWrite::Item(step, at, item) => {
                let fresh = run.items.insert((step, at), item).is_none();
                changed.insert(Part::Item(step, at), fresh);
            }
            RowWrite::ClearItems(step) => {
                let gone = run.items.extract_if((step, 0)..=(step, u32::MAX), |_, _| true);
                for ((step, at), _) in gone {
                    changed.remove(&Part::Item(step, at));
                    sink.delete(key::item(id, step, at));
                }
            }
            RowWrite::Event(at, Some(event)) => {
                let fresh = run.events.insert(at, event).is_none();
                changed.insert(Part::Event(at), fresh);
            }
            RowWrite::Event(at, None) => {
                changed.remove(&Part::Event(at));
                run.events.remove(&at);
                sink.delete(key::event(id, at));
            }
            RowWrite::Entity(_) => {}
        }
    }
    (changed_head, changed)
}
