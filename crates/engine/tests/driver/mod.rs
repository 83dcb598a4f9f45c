//! A shell for tests: memory store, a clock that is set by hand, effects that the test answers.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::collections::VecDeque;
use std::sync::Arc;

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::codec::record::{self, LogRecord};
use onex_engine::codec::row;
use onex_engine::input::{Publish, StartRun};
use onex_engine::output::RunEnd;
use onex_engine::{
    Engine, Guard, Input, Options, Output, Perform, RecoverError, Recovered, Refusal, Reply,
    Request, Ticket, Unguarded, key, recover,
};
use onex_expr::{Text, Value, json};
use onex_kernel::port::CallError;
use onex_kernel::row::{Entity, Letter, Run};
use onex_kernel::{Id, Micros, Payload};
use onex_store::{Record, RowChange, Store, StoreError, memory};

/// Where the clock begins.
pub const BEGIN: u64 = 1_000_000_000_000;

/// An effect that does and undoes.
pub const TARGET: &str = "
name: target
node_type: effect
contract_version: 1.0.0
description: Does and undoes.
effect_operations:
  operations:
    - {operation_name: do, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}}
    - {operation_name: undo, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}}
";

/// A reducer that has always something to say to itself.
pub const LOOP: &str = "
name: loop
node_type: reducer
contract_version: 1.0.0
description: Hears what it says.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.in.v1}, {topic: onex.evt.test.again.v1}]
  publish_topics: [onex.evt.test.again.v1]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: in, actions: [&say {action_type: event, topic: onex.evt.test.again.v1, payload: {}}]}
    - {from_state: open, trigger: again, actions: [*say]}
";

/// A driven engine.
pub struct Driver {
    pub engine: Engine,
    pub store: Arc<memory::Memory>,
    pub graph: Arc<Graph>,
    pub options: Options,
    pub now: u64,
    /// Frames written since the start.
    pub frames: usize,
    /// Whether a frame is durable only when the test says so.
    pub slow_disk: bool,
    /// The frame that is being written.
    pub unsynced: Option<Vec<Record>>,
    /// Attempts that wait for the test's answer.
    pub attempts: VecDeque<Perform>,
    pub replies: Vec<(Ticket, Reply)>,
    pub ended: Vec<RunEnd>,
    pub drained: bool,
    pub wake_at: Option<u64>,
    /// The oldest offset that a start finds in the log.
    pub oldest: u64,
    tickets: u64,
    arrived: Vec<Input>,
}

/// The graph of contracts given as text; a contract with an error is a fault of the test.
pub fn graph(contracts: &[&str]) -> Arc<Graph> {
    let kind = EffectKind {
        name: "target",
        config_schema: r#"{"type": "object"}"#,
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: r#"{"type": "object", "properties": {"status": {"type": "integer"}, "body": {}}}"#,
        has_status: true,
    };
    let catalog = Catalog { effects: [("target", kind)].into() };
    let sources: Vec<Source> = contracts
        .iter()
        .enumerate()
        .map(|(at, text)| Source::new(format!("{at}.yaml"), text))
        .collect();
    let checked = onex_contract::check(&sources, &catalog, &Default::default());
    Arc::new(checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics)))
}

impl Driver {
    pub fn new(contracts: &[&str]) -> Driver {
        Driver::with(contracts, Options::default(), Box::new(Unguarded))
    }

    pub fn with(contracts: &[&str], options: Options, guard: Box<dyn Guard>) -> Driver {
        let graph = graph(contracts);
        let store = Arc::new(memory::Memory::new());
        let recovered = Recovered::empty(graph.clone());
        let engine = Engine::recover(options.clone(), guard, recovered, Micros(BEGIN))
            .expect("an empty store recovers");
        Driver {
            engine,
            store,
            graph,
            options,
            now: BEGIN,
            frames: 0,
            slow_disk: false,
            unsynced: None,
            attempts: VecDeque::new(),
            replies: Vec::new(),
            ended: Vec::new(),
            drained: false,
            wake_at: None,
            oldest: 0,
            tickets: 0,
            arrived: Vec::new(),
        }
    }

    /// The process ends without warning and begins again on the same store.
    pub fn crash(&mut self) {
        self.crash_with(Box::new(Unguarded));
    }

    pub fn crash_with(&mut self, guard: Box<dyn Guard>) {
        let recovered = self.recovered(&[]).expect("the store can be read");
        self.engine = Engine::recover(self.options.clone(), guard, recovered, Micros(self.now))
            .expect("the store recovers");
        self.attempts.clear();
        self.arrived.clear();
        self.unsynced = None;
        self.turn();
    }

    /// The frame that is being written is durable now.
    pub fn sync(&mut self) {
        if let Some(records) = self.unsynced.take() {
            self.store.append(&records, self.now).expect("memory");
            self.give(Input::Synced);
        }
    }

    /// What a start with the driver's graph reads; `earlier` graphs can be built again.
    pub fn recovered(&self, earlier: &[Arc<Graph>]) -> Result<Recovered, RecoverError<StoreError>> {
        let restore = |bytes: &[u8]| {
            let found = earlier.iter().find(|graph| *graph.stored == *bytes)?;
            Some((**found).clone())
        };
        let source = Durable(&self.store, self.oldest);
        Recovered::read(&source, &self.graph, &restore, &self.options, Micros(self.now))
    }

    /// Activates a graph.
    pub fn activate(&mut self, graph: Arc<Graph>) {
        self.tickets += 1;
        self.graph = graph.clone();
        self.give(Input::Activate(Ticket(self.tickets), graph));
    }

    /// Gives one input and turns until the engine rests.
    pub fn give(&mut self, input: Input) {
        self.arrived.push(input);
        self.turn();
    }

    /// Lets time pass and wakes the engine as it asks for.
    pub fn pass_ms(&mut self, ms: u64) {
        let until = self.now + ms * 1000;
        while let Some(at) = self.wake_at.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.wake_at = None;
            self.give(Input::Tick);
        }
        self.now = until;
    }

    /// Turns until the engine rests.
    pub fn turn(&mut self) {
        loop {
            self.one_turn();
            if self.arrived.is_empty() {
                return;
            }
        }
    }

    /// Brings an input for the next turn.
    pub fn input(&mut self, input: Input) {
        self.arrived.push(input);
    }

    /// Brings a request for the next turn.
    pub fn arrive(&mut self, request: Request) -> Ticket {
        self.tickets += 1;
        self.arrived.push(Input::Received(Ticket(self.tickets), request));
        Ticket(self.tickets)
    }

    /// One call of the engine, and what it asks for.
    pub fn one_turn(&mut self) {
        let mut out = Vec::new();
        {
            self.engine
                .handle(&mut self.arrived, Micros(self.now), &mut out)
                .expect("rows are whole");
            for output in out.drain(..) {
                match output {
                    Output::Load(keys) => {
                        let rows = self.store.load(&keys).expect("memory");
                        self.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
                    }
                    Output::Write(records) => {
                        let records: Vec<Record> = records.into_iter().map(to_store).collect();
                        self.frames += 1;
                        if self.slow_disk {
                            assert!(self.unsynced.is_none(), "two frames are under way");
                            self.unsynced = Some(records);
                            continue;
                        }
                        self.store.append(&records, self.now).expect("memory");
                        self.arrived.push(Input::Synced);
                    }
                    Output::Perform(perform) => self.attempts.push_back(perform),
                    Output::Reply(ticket, reply) => self.replies.push((ticket, reply)),
                    Output::RunEnded(end) => self.ended.push(end),
                    Output::WakeAt(at) => self.wake_at = Some(at.0),
                    Output::Drained => self.drained = true,
                }
            }
        }
    }

    pub fn request(&mut self, request: Request) -> Reply {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.give(Input::Received(ticket, request));
        let at = self.replies.iter().position(|(one, _)| *one == ticket);
        self.replies.remove(at.expect("every request is answered")).1
    }

    pub fn publish(&mut self, number: u64, topic: &str, text: &str) -> Reply {
        self.request(Request::Publish(publish(number, topic, text)))
    }

    pub fn start(&mut self, number: u64, node: &str, text: &str) -> Reply {
        self.request(Request::Start(begin(number, node, text)))
    }

    /// Answers the oldest attempt.
    pub fn answer(&mut self, status: i64, body: Value) {
        let answer = Value::map([("status", Value::Int(status)), ("body", body)]);
        self.answer_with(Ok(answer));
    }

    pub fn fail(&mut self, passing: bool, sent: bool) {
        let error =
            CallError { code: "connect".into(), message: "no connection".into(), passing, sent };
        self.answer_with(Err(error));
    }

    pub fn answer_with(&mut self, answer: Result<Value, CallError>) {
        let perform = self.attempts.pop_front().expect("an attempt is under way");
        self.give(Input::Answered { intent: perform.intent.id, attempt: perform.attempt, answer });
    }

    pub fn entity(&self, node: &str, name: &str) -> Option<Entity> {
        let rows = self.store.load(&[key::entity(node, name)]).expect("memory");
        let bytes = rows.into_iter().next().flatten()?;
        Some(row::read_entity(&bytes).expect("a whole row"))
    }

    pub fn run(&self, number: u64) -> Option<Run> {
        self.run_of(id(number))
    }

    /// An ended run.
    pub fn run_of(&self, id: Id) -> Option<Run> {
        let rows = self.store.load(&[key::run(id)]).expect("memory");
        let bytes = rows.into_iter().next().flatten()?;
        let (head, ended) = row::read_run(&bytes).expect("a whole row");
        let (steps, items, events) = match ended {
            Some(row::Ended { steps, items, events }) => (steps, items, events),
            None => Default::default(),
        };
        Some(Run { head, steps, items, events })
    }

    pub fn letters(&self) -> Vec<Letter> {
        let end = key::end_of(key::LETTERS);
        let rows = self.store.scan(key::LETTERS, &end, usize::MAX).expect("memory");
        rows.iter().map(|(_, bytes)| row::read_letter(bytes).expect("a whole row")).collect()
    }

    pub fn rows(&self, prefix: &[u8]) -> usize {
        self.store.scan(prefix, &key::end_of(prefix), usize::MAX).expect("memory").len()
    }

    pub fn log(&self) -> Vec<LogRecord> {
        let stored = self.store.read(0, usize::MAX, usize::MAX).expect("memory");
        stored.iter().map(|one| record::decode(&one.body).expect("a whole record")).collect()
    }

    pub fn published(&self, topic: &str) -> Vec<Value> {
        let log = self.log();
        let found = log.iter().filter(|record| record.message.topic == topic);
        found.map(record::payload).collect()
    }
}

/// A store as the engine reads it when it starts.
struct Durable<'s>(&'s memory::Memory, u64);

impl recover::Source for Durable<'_> {
    type Error = StoreError;

    fn next_offset(&self) -> u64 {
        self.0.durable_to()
    }

    fn offset_at(&self, time: Micros) -> Result<u64, StoreError> {
        Ok(self.0.offset_at(time.0)?.max(self.1))
    }

    fn row(&self, key: key::RowKey) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.0.load(&[key])?.pop().flatten())
    }

    fn rows(&self, prefix: &[u8]) -> Result<Vec<(key::RowKey, Arc<[u8]>)>, StoreError> {
        self.0.scan(prefix, &key::end_of(prefix), usize::MAX)
    }

    fn records(
        &self,
        from: u64,
        take: &mut dyn FnMut(u64, Micros, &[u8]),
    ) -> Result<(), StoreError> {
        for stored in self.0.read(from, usize::MAX, usize::MAX)? {
            take(stored.offset, Micros(stored.time_micros), &stored.body);
        }
        Ok(())
    }

    fn changes(&self, from: u64, take: &mut recover::TakeChange<'_>) -> Result<(), StoreError> {
        assert!(from >= self.1, "not retained");
        for stored in self.0.read(from, usize::MAX, usize::MAX)? {
            stored.rows.iter().for_each(|(key, value)| take(stored.offset, key, value));
        }
        Ok(())
    }
}

fn to_store(record: onex_engine::output::Record) -> Record {
    Record {
        partition: record.partition,
        body: record.body,
        payload_bytes: record.payload_bytes,
        rows: record
            .rows
            .into_iter()
            .map(|row| RowChange { key: row.key, value: row.value, fresh: row.fresh })
            .collect(),
    }
}

pub fn id(number: u64) -> Id {
    Id::of_text("test", &number.to_string())
}

pub fn payload(text: &str) -> Payload {
    let value = json::parse(text.as_bytes(), &json::Limits::default()).expect("JSON");
    Payload { value, bytes: Some(text.as_bytes().into()) }
}

pub fn begin(number: u64, node: &str, text: &str) -> StartRun {
    StartRun {
        node: node.into(),
        run_id: id(number),
        key_given: true,
        input: payload(text),
        correlation_id: id(number),
    }
}

pub fn publish(number: u64, topic: &str, text: &str) -> Publish {
    Publish {
        id: id(number),
        id_given: true,
        topic: Text::from(topic),
        key: None,
        event_type: None,
        payload: payload(text),
        correlation_id: id(number),
    }
}

#[track_caller]
pub fn accepted(reply: Reply) -> (u64, bool) {
    match reply {
        Reply::Accepted { offset, repeated, .. } => (offset, repeated),
        other => panic!("not accepted: {other:?}"),
    }
}

#[track_caller]
pub fn refused(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}
