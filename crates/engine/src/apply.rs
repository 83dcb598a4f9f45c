//! A decision becomes rows, messages and timers: as a whole, in the record of its message.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Graph, NodeIndex, Performer};
use onex_expr::{Text, Value};
use onex_kernel::decision::{Beside, RowWrite, Subject, TimerChange};
use onex_kernel::orchestrate::{self, RunInput, Start};
use onex_kernel::row::{Reason, Run, RunHead};
use onex_kernel::{
    Category, Decision, Fault, Id, Intended, Message, Origin, Produced, Published, Verdict,
};

use crate::codec::{Corrupt, row};
use crate::deliver::{Place, decided, derived_message, new_intent};
use crate::engine::{Engine, Progress, Waiting, Work};
use crate::key::{self, Timer, TimerOwner};
use crate::output::{Output, RunEnd};
use crate::rows::pending_step;
use crate::turn::Sink;

/// The rows of an ended run become one, unless that would have more bytes than this.
const ENDED_RUN_BYTES_MAX: usize = 1 << 20;

/// So many messages of one decision are not worth weighing.
const LIGHT_MESSAGES: usize = 16;

impl Engine {
    /// Applies what a reducer decided.
    pub(crate) fn apply_to_entity(
        &mut self,
        graph: &Arc<Graph>,
        node: NodeIndex,
        message: &Message,
        place: &Place,
        decision: Decision,
        sink: &mut Sink,
    ) {
        let name = graph.node(node).name.clone();
        match &decision.verdict {
            Verdict::Applied => self.count("applied"),
            Verdict::Ignored(reason) => self.count(&format!("ignored:{name}:{reason}")),
            Verdict::Refused { guard, .. } => self.count(&format!("refused:{name}:{guard}")),
            Verdict::Dead(fault) => {
                return self.dead(graph, Some(node), message, fault.clone(), sink);
            }
        }
        for write in decision.writes {
            if let RowWrite::Entity(entity) = write {
                sink.put(place.row.clone(), row::entity(&entity));
                self.rows.put_entity(place.row.clone(), entity);
            }
        }
        let owner = TimerOwner::Entity { node: name.clone(), key: place.key.clone() };
        self.change_timers(&decision.timers, |_| owner.clone(), sink);
        self.besides(graph, message, None, decision.letters, sink);
        self.send(graph, &name, message, decision.messages);
    }

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
        let circumstances = self.circumstances(sink);
        let mut start = Some(start);
        let mut decision = None;
        let done = self.guard.step(message.id, &mut || {
            decision = start
                .take()
                .map(|start| orchestrate::begin(graph, node, start, message, &circumstances));
        });
        let decision = decided(done, decision);
        if let Verdict::Dead(fault) = &decision.verdict {
            return self.dead(graph, Some(node), message, fault.clone(), sink);
        }
        let head = decision.writes.iter().find_map(|write| match write {
            RowWrite::Head(head) => Some(head.clone()),
            _ => None,
        });
        let Some(head) = head else {
            return self.count(&format!("ignored:{name}:no_run"));
        };
        let steps = match &graph.node(node).body {
            onex_contract::graph::Body::Orchestrator(found) => found.steps.len(),
            _ => 0,
        };
        self.rows.put_run(Run {
            head,
            steps: (0..steps).map(|_| pending_step()).collect(),
            items: Default::default(),
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
        let circumstances = self.circumstances(sink);
        let mut input = Some(input);
        let mut decision = None;
        let done = self.guard.step(message.id, &mut || {
            decision = input.take().map(|input| {
                orchestrate::advance(&graph, node, run, input, message, &circumstances)
            });
        });
        let decision = decided(done, decision);
        match &decision.verdict {
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
        self.write_run(id, decision.writes, decision.ended, sink);
        self.change_timers(&decision.timers, |of| TimerOwner::Run { run: id, of }, sink);
        self.besides(graph, message, Some(id), decision.letters, sink);
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
        let mut changed_head = false;
        let mut changed: BTreeSet<(u16, Option<u32>)> = BTreeSet::new();
        for write in writes {
            match write {
                RowWrite::Head(head) => {
                    run.head = head;
                    changed_head = true;
                }
                RowWrite::Step(at, step) => {
                    changed.insert((at, None));
                    if let Some(place) = run.steps.get_mut(usize::from(at)) {
                        *place = step;
                    }
                }
                RowWrite::Item(step, at, item) => {
                    changed.insert((step, Some(at)));
                    run.items.insert((step, at), item);
                }
                RowWrite::ClearItems(step) => {
                    let gone = run.items.extract_if((step, 0)..=(step, u32::MAX), |_, _| true);
                    for ((step, at), _) in gone {
                        changed.remove(&(step, Some(at)));
                        sink.delete(key::item(id, step, at));
                    }
                }
                RowWrite::Entity(_) => {}
            }
        }
        if run.head.ended_at.is_some() {
            let whole = row::run(&run.head, Some(run));
            if whole.len() <= ENDED_RUN_BYTES_MAX {
                sink.put(key::run(id), whole);
                if ended {
                    for step in 0..run.steps.len() {
                        sink.delete(key::step(id, step as u16));
                    }
                    for (step, at) in run.items.keys() {
                        sink.delete(key::item(id, *step, *at));
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
            changed.extend((0..run.steps.len()).map(|step| (step as u16, None)));
            changed.extend(run.items.keys().map(|(step, at)| (*step, Some(*at))));
        }
        for (step, at) in changed {
            match at {
                None => {
                    if let Some(found) = run.steps.get(usize::from(step)) {
                        sink.put(key::step(id, step), row::step(found));
                    }
                }
                Some(at) => {
                    if let Some(found) = run.items.get(&(step, at)) {
                        sink.put(key::item(id, step, at), row::item(found));
                    }
                }
            }
        }
    }

    fn run_ended(&mut self, id: Id, sink: &mut Sink) {
        self.live_runs = self.live_runs.saturating_sub(1);
        self.turn.ended.push(id);
        let Some(run) = self.rows.run(id) else { return };
        let head: &RunHead = &run.head;
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
        self.turn.after.push(Output::RunEnded(end));
        self.hold_run_key(&node, key.as_ref(), None, sink);
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

    fn change_timers(
        &mut self,
        changes: &[TimerChange],
        owner: impl Fn(onex_kernel::decision::TimerOf) -> TimerOwner,
        sink: &mut Sink,
    ) {
        for change in changes {
            match change {
                TimerChange::Arm(of, armed) => {
                    let timer = Timer { due: armed.due, owner: owner(*of), arming: armed.arming };
                    sink.put(key::timer(&timer), Vec::new());
                    self.timers.insert(timer);
                }
                TimerChange::Disarm(of, armed) => {
                    let timer = Timer { due: armed.due, owner: owner(*of), arming: armed.arming };
                    sink.delete(key::timer(&timer));
                    self.timers.remove(&timer);
                }
            }
        }
    }

    /// Queues what a decision sends.
    pub(crate) fn send(
        &mut self,
        graph: &Arc<Graph>,
        producer: &Text,
        consumed: &Message,
        messages: Vec<Produced>,
    ) {
        if messages.len() > LIGHT_MESSAGES {
            self.turn.heavy_bytes += messages.iter().map(weight).sum::<usize>();
        }
        for produced in messages {
            let work = match produced {
                Produced::Event(event) => {
                    let Published { id, topic, key, payload } = event;
                    let what = derived_message(producer, consumed, id, topic, key, payload);
                    Work::Message(Box::new(Waiting { what, row: None }))
                }
                Produced::Intent(intent) => {
                    let Some(work) = intent_work(graph, producer, consumed, intent) else {
                        continue;
                    };
                    work
                }
            };
            self.derived.push_back(work);
        }
    }

    fn besides(
        &mut self,
        graph: &Arc<Graph>,
        message: &Message,
        run: Option<Id>,
        letters: Vec<Beside>,
        sink: &mut Sink,
    ) {
        for Beside { fault, node, step, subject } in letters {
            match subject {
                Subject::IntentAtHand => self.compensation_letter(message, fault, step, sink),
                Subject::Unsent(event) => {
                    let Published { id, topic, key, payload } = event;
                    let unsent = derived_message(&node, message, id, topic, key, payload);
                    let index = graph.find(&node);
                    match run {
                        Some(run) if fault.reason == Reason::CompensationFailed => {
                            let operation = index
                                .and_then(|index| operation_of_topic(graph, index, &unsent.topic));
                            let performer = (node, operation);
                            self.unsent_letter((run, step), performer, unsent, fault, sink);
                        }
                        _ => self.dead(graph, index, &unsent, fault, sink),
                    }
                }
            }
        }
    }

    /// A timer that fired.
    pub(crate) fn timer(&mut self, timer: Timer) -> Result<Progress, Corrupt> {
        match &timer.owner {
            TimerOwner::Entity { node, key } => {
                let row = key::entity(node, key);
                if !self.rows.has_entity(&row)? {
                    return Ok(Progress::Missing(Work::Timer(timer)));
                }
                let armed = self.rows.entity(&row).and_then(|entity| entity.timer);
                if armed.is_some_and(|armed| armed.arming == timer.arming) {
                    self.entity_timer(&timer, node, key, row);
                }
            }
            TimerOwner::Run { run, of } => {
                if !self.rows.has_run(*run, &self.graphs)? {
                    return Ok(Progress::Missing(Work::Timer(timer)));
                }
                let armed = self.rows.run(*run).and_then(|run| match of {
                    onex_kernel::decision::TimerOf::Instance => run.head.timer,
                    onex_kernel::decision::TimerOf::Step(step)
                    | onex_kernel::decision::TimerOf::Pause(step) => {
                        run.steps.get(usize::from(*step)).and_then(|step| step.timer)
                    }
                });
                if armed.is_some_and(|armed| armed.arming == timer.arming) {
                    self.run_timer(&timer, *run, *of);
                }
            }
        }
        Ok(Progress::Done)
    }

    fn entity_timer(&mut self, timer: &Timer, node: &Text, key: &Text, row: key::RowKey) {
        let graph = self.active.clone();
        let mut sink = self.begin_record();
        sink.delete(key::timer(timer));
        let Some(entity) = self.rows.entity(&row) else {
            return;
        };
        let armed_at = entity.timer.map_or(timer.due, |armed| armed.armed_at);
        let payload = Value::map([
            ("state", Value::String(entity.state.clone())),
            ("armed_at", armed_at.to_value()),
            ("due_at", timer.due.to_value()),
        ]);
        let correlation_id = entity.correlation_id;
        let subject = Id::of_text(node, key);
        let message = self.own_message(Category::Timer, Origin::Timer, subject, payload);
        let message =
            Message { key: Some(key.clone()), correlation_id, node: Some(node.clone()), ..message };
        let index = graph.find(node);
        let trigger = index.and_then(|index| match &graph.node(index).body {
            onex_contract::graph::Body::Reducer(reducer) => reducer.timeout_trigger,
            _ => None,
        });
        if let (Some(index), Some(trigger)) = (index, trigger) {
            let place = Place { trigger, key: key.clone(), row };
            self.reduce(&graph, index, &message, place, &mut sink);
        } else {
            let detail = format!("{node} has no transition `timeout` any more").into();
            let fault = Fault { reason: Reason::NoRoute, detail };
            self.dead(&graph, index, &message, fault, &mut sink);
        }
        self.end_record(&message, graph.id, sink);
    }

    fn run_timer(&mut self, timer: &Timer, id: Id, of: onex_kernel::decision::TimerOf) {
        let Some(run) = self.rows.run(id) else { return };
        let (node, correlation_id) = (run.head.node.clone(), run.head.correlation_id);
        let run_text = Value::text(format!("{id}"));
        let payload = Value::map([("due_at", timer.due.to_value()), ("run_id", run_text)]);
        let message = self.own_message(Category::Timer, Origin::Timer, id, payload);
        let message = Message { correlation_id, node: Some(node), ..message };
        let mut sink = self.begin_record();
        sink.delete(key::timer(timer));
        self.advance_run(id, RunInput::Timer(of), &message, &mut sink);
        let graph = self.active.id;
        self.end_record(&message, graph, sink);
    }

    /// A new graph: recorded, and used by all that is applied after it.
    pub(crate) fn activate(
        &mut self,
        ticket: crate::Ticket,
        graph: Arc<Graph>,
    ) -> Result<Progress, Corrupt> {
        let digest = Value::text(graph.id.to_string());
        let payload = Value::map([("control", Value::text("activate")), ("graph", digest)]);
        let subject = Id::of_text("", "graph");
        let message = self.own_message(Category::Control, Origin::Control, subject, payload);
        let mut sink = self.begin_record();
        sink.put(key::graph(graph.id), graph.stored.to_vec());
        sink.put(key::ACTIVE_GRAPH.into(), graph.id.0.to_vec());
        self.graphs.insert(graph.id, graph.clone());
        self.active = graph;
        let offset = sink.offset;
        let id = self.active.id;
        self.end_record(&message, id, sink);
        self.reply(ticket, crate::Reply::Activated { offset });
        Ok(Progress::Done)
    }

    /// What a turn's bound leaves unapplied becomes rows of its last record's frame.
    pub(crate) fn leave_behind(&mut self) {
        if self.derived.is_empty() || self.turn.records.is_empty() {
            return;
        }
        let offset = self.next_offset - 1;
        let mut rows = Vec::new();
        for (index, work) in self.derived.iter_mut().enumerate() {
            let place = key::backlog(offset, index as u32);
            let left = match work {
                Work::Message(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_message(&waiting.what)
                }
                Work::Intent(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_intent(&waiting.what)
                }
                Work::IntentRun(waiting) if waiting.row.is_none() => {
                    waiting.row = Some(place.clone());
                    row::backlog_run(&waiting.what.0, &waiting.what.1)
                }
                _ => continue,
            };
            rows.push((place, Some(left.into())));
        }
        if let Some(last) = self.turn.records.last_mut() {
            last.rows.extend(rows);
        }
    }
}

/// The operation of an effect whose intents are recorded under a topic.
fn operation_of_topic(graph: &Graph, node: NodeIndex, topic: &str) -> Option<Text> {
    let found = graph.node(node);
    let onex_contract::graph::Body::Effect(effect) = &found.body else {
        return None;
    };
    let named = topic.split('.').nth(3)?;
    let names = effect.operations.iter().map(|operation| &operation.name);
    names.clone().find(|name| name.replace(['_', '.'], "-") == named).cloned()
}

/// About how many bytes a message takes.
fn weight(produced: &Produced) -> usize {
    let payload = match produced {
        Produced::Event(event) => &event.payload,
        Produced::Intent(intent) => &intent.payload,
    };
    payload.weight(u64::MAX) as usize
}

fn intent_work(
    graph: &Arc<Graph>,
    producer: &Text,
    consumed: &Message,
    intent: Intended,
) -> Option<Work> {
    let Intended { id, generation, topic, key, performer, payload, owner } = intent;
    let message = derived_message(producer, consumed, id, topic, key, payload);
    let message = Message { category: Category::Intent, generation, ..message };
    Some(match performer {
        Performer::Operation(node, operation) => {
            let what = new_intent(graph, node, operation, message, owner)?;
            Work::Intent(Box::new(Waiting { what, row: None }))
        }
        Performer::Run(node) => {
            let what = (message, graph.node(node).name.clone());
            Work::IntentRun(Box::new(Waiting { what, row: None }))
        }
    })
}
