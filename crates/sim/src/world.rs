//! The simulated host, its disk, its clients and time.

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_engine::codec::Corrupt;
use onex_engine::input::{Publish, StartRun};
use onex_engine::{Engine, Input, Options, Output, Recovered, Reply, Request, Ticket, Unguarded};
use onex_expr::json;
use onex_kernel::{Id, Micros, Payload};
use onex_store::disk::{Fault, Memory};
use onex_store::embedded::Embedded;
use onex_store::{Record, RowChange, Store};

use crate::check::{self, Violation};
use crate::outside::{Attempt, Outside};
use crate::random::Random;
use crate::recover::Durable;
use crate::scenario::{Op, Scenario};

/// How often what goes wrong.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Power losses during the run.
    pub crashes: u64,
    /// Attempts that never reach the target, of a hundred.
    pub unsent_percent: u64,
    /// Attempts that reach it and whose answer is lost.
    pub lost_answer_percent: u64,
    /// Answers that it is busy.
    pub busy_percent: u64,
    /// Calls that it refuses for good.
    pub refuse_percent: u64,
    /// Requests that a client sends twice.
    pub repeat_percent: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            crashes: 5,
            unsent_percent: 5,
            lost_answer_percent: 5,
            busy_percent: 5,
            refuse_percent: 5,
            repeat_percent: 20,
        }
    }
}

/// What a run of the world did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// BLAKE3 of every durable record, in order: the trace.
    pub trace: [u8; 32],
    /// Records in the log.
    pub records: u64,
    /// Crashes survived.
    pub crashes: u64,
    /// Attempts begun.
    pub attempts: u64,
}

/// What one op got for an answer: its id and offset, or its run.
pub(crate) type Answered = BTreeMap<usize, (Id, u64)>;

/// The world.
pub struct World {
    pub(crate) scenario: Scenario,
    faults: Faults,
    random: Random,
    now: Micros,
    disk: Memory,
    pub(crate) store: Arc<dyn Store>,
    engine: Engine,
    pub(crate) outside: Outside,
    in_flight: Vec<Attempt>,
    wake_at: Option<Micros>,
    /// When each op is sent next; absent once it is answered.
    sending: BTreeMap<usize, Micros>,
    tickets: BTreeMap<u64, usize>,
    next_ticket: u64,
    pub(crate) answered: Answered,
    arrived: Vec<Input>,
    starts: u64,
    crashes: u64,
    attempts: u64,
}

/// Why a turn did not end.
enum Broken {
    /// The power was lost.
    Power,
    /// A row could not be read.
    Corrupt(Corrupt),
}

const BEGIN: Micros = Micros(1_700_000_000_000_000);

impl World {
    /// A world at its beginning.
    ///
    /// # Errors
    /// The engine or the store does not start.
    pub fn new(scenario: Scenario, faults: Faults, seed: u64) -> Result<World, Violation> {
        let mut random = Random::new(seed);
        let disk = Memory::new();
        let (store, engine) = start(&disk, &scenario, BEGIN, 0)?;
        let sending = (0..scenario.ops.len())
            .map(|op| (op, Micros(BEGIN.0 + random.below(2_000_000))))
            .collect();
        let world = World {
            scenario,
            faults,
            random,
            now: BEGIN,
            disk,
            store,
            engine,
            outside: Outside::default(),
            in_flight: Vec::new(),
            wake_at: Some(BEGIN),
            sending,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            answered: BTreeMap::new(),
            arrived: Vec::new(),
            starts: 0,
            crashes: 0,
            attempts: 0,
        };
        Ok(world)
    }

    /// Runs until nothing is left to happen, and checks the promises on the way and at the end.
    ///
    /// # Errors
    /// The first promise that does not hold.
    pub fn run(mut self) -> Result<Report, Violation> {
        let mut crash_after = self.next_crash();
        let mut steps = 0u64;
        loop {
            let Some(at) = self.next_event() else {
                if self.store.read(self.store.oldest(), 1, 1).is_ok() {
                    break;
                }
                // The last write was the one that lost the power, and nothing was to follow it.
                self.crash()?;
                continue;
            };
            self.now = self.now.max(at);
            self.gather();
            if crash_after == Some(steps) {
                let ahead = self.random.below(6);
                self.disk.inject(self.disk.operations() + ahead, Fault::PowerLost);
                crash_after = self.next_crash().map(|after| after + steps);
            }
            match self.turn() {
                Ok(()) => {}
                Err(Broken::Power) => self.crash()?,
                Err(Broken::Corrupt(corrupt)) => return Err(Violation::new(corrupt.to_string())),
            }
            steps += 1;
            if steps > 20_000 {
                return Err(Violation::new(format!(
                    "the run does not come to rest: {} attempts under way, {} ops unanswered, next at {:?}, now {:?}, {:?}, {:?}",
                    self.in_flight.len(),
                    self.sending.len(),
                    self.next_event(),
                    self.now,
                    self.wake_at,
                    self.engine
                )));
            }
        }
        check::at_rest(&self)?;
        Ok(Report {
            trace: check::trace(&*self.store)?,
            records: self.store.durable_to(),
            crashes: self.crashes,
            attempts: self.attempts,
        })
    }

    fn next_crash(&mut self) -> Option<u64> {
        (self.crashes < self.faults.crashes).then(|| 1 + self.random.below(120))
    }

    fn next_event(&self) -> Option<Micros> {
        let attempts = self.in_flight.iter().map(|attempt| attempt.at);
        let sends = self.sending.values().copied();
        attempts.chain(sends).chain(self.wake_at).min()
    }

    /// What arrives by now: answers of the outside, requests of clients, the wake-up.
    fn gather(&mut self) {
        let now = self.now;
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.in_flight).into_iter().partition(|one| one.at <= now);
        self.in_flight = rest;
        for Attempt { intent, number, answer, .. } in done {
            if self.random.percent(self.faults.repeat_percent) {
                let answer = answer.clone();
                self.arrived.push(Input::Answered { intent, attempt: number, answer });
            }
            self.arrived.push(Input::Answered { intent, attempt: number, answer });
        }
        let due: Vec<usize> =
            self.sending.iter().filter(|(_, at)| **at <= now).map(|(op, _)| *op).collect();
        for op in due {
            let times = if self.random.percent(self.faults.repeat_percent) { 2 } else { 1 };
            for _ in 0..times {
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                self.tickets.insert(ticket, op);
                let request = request(&self.scenario.ops[op], op);
                self.arrived.push(Input::Received(Ticket(ticket), request));
            }
            // Sent again if no answer comes: the host may have gone.
            self.sending.insert(op, Micros(now.0 + 500_000 + self.random.below(500_000)));
        }
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
            self.arrived.push(Input::Tick);
        }
    }

    fn turn(&mut self) -> Result<(), Broken> {
        let mut out = Vec::new();
        loop {
            self.engine.handle(&mut self.arrived, self.now, &mut out).map_err(Broken::Corrupt)?;
            let mut again = false;
            for output in out.drain(..) {
                again |= perform(
                    output,
                    &mut Hands {
                        store: &*self.store,
                        now: self.now,
                        outside: &mut self.outside,
                        in_flight: &mut self.in_flight,
                        random: &mut self.random,
                        faults: &self.faults,
                        arrived: &mut self.arrived,
                        wake_at: &mut self.wake_at,
                        sending: &mut self.sending,
                        tickets: &mut self.tickets,
                        answered: &mut self.answered,
                        attempts: &mut self.attempts,
                    },
                )?;
            }
            if !again {
                return Ok(());
            }
        }
    }

    /// Power is lost and comes back: what was not synced may be gone, whole or in part.
    fn crash(&mut self) -> Result<(), Violation> {
        self.crashes += 1;
        self.starts += 1;
        let before = self.store.durable_to();
        self.disk = self.disk.crash(self.random.number());
        self.in_flight.clear();
        self.arrived.clear();
        self.tickets.clear();
        let (store, engine) = start(&self.disk, &self.scenario, self.now, self.starts)?;
        if store.durable_to() < before {
            return Err(Violation::new(format!(
                "{before} records were durable, {} are after a crash",
                store.durable_to()
            )));
        }
        (self.store, self.engine) = (store, engine);
        self.wake_at = Some(self.now);
        Ok(())
    }
}

/// What performing an output may touch.
struct Hands<'a> {
    store: &'a dyn Store,
    now: Micros,
    outside: &'a mut Outside,
    in_flight: &'a mut Vec<Attempt>,
    random: &'a mut Random,
    faults: &'a Faults,
    arrived: &'a mut Vec<Input>,
    wake_at: &'a mut Option<Micros>,
    sending: &'a mut BTreeMap<usize, Micros>,
    tickets: &'a mut BTreeMap<u64, usize>,
    answered: &'a mut Answered,
    attempts: &'a mut u64,
}

/// Performs one output; whether the engine is to be asked again at once.
fn perform(output: Output, hands: &mut Hands<'_>) -> Result<bool, Broken> {
    match output {
        Output::Load(keys) => {
            let rows = hands.store.load(&keys).map_err(|_| Broken::Power)?;
            hands.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
            return Ok(true);
        }
        Output::Write(records) => {
            let records: Vec<Record> = records.into_iter().map(to_store).collect();
            hands.store.append(&records, hands.now.0).map_err(|_| Broken::Power)?;
            hands.arrived.push(Input::Synced);
            return Ok(true);
        }
        Output::Perform(perform) => {
            *hands.attempts += 1;
            let attempt = hands.outside.begin(&perform, hands.now, hands.random, hands.faults);
            hands.in_flight.push(attempt);
        }
        Output::Reply(ticket, reply) => answer(ticket, &reply, hands),
        Output::WakeAt(at) => *hands.wake_at = Some(hands.wake_at.map_or(at, |old| old.min(at))),
        Output::RunEnded(_) | Output::Drained => {}
    }
    Ok(false)
}

fn answer(ticket: Ticket, reply: &Reply, hands: &mut Hands<'_>) {
    let Some(op) = hands.tickets.remove(&ticket.0) else {
        return;
    };
    match reply {
        Reply::Accepted { id, offset, .. } => {
            hands.sending.remove(&op);
            hands.answered.insert(op, (*id, *offset));
        }
        Reply::Started { run_id, .. } => {
            hands.sending.remove(&op);
            hands.answered.insert(op, (*run_id, 0));
        }
        // Busy: it is sent again.
        _ => {}
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

fn request(op: &Op, number: usize) -> Request {
    match op {
        Op::Publish { topic, payload } => {
            let id = Id::of_text("op", &number.to_string());
            Request::Publish(Publish {
                id,
                id_given: true,
                topic: topic.clone(),
                key: None,
                event_type: None,
                payload: with_bytes(payload),
                correlation_id: id,
            })
        }
        Op::Start { node, key, input } => {
            let run_id = Id::of_text(node, key);
            Request::Start(StartRun {
                node: node.clone(),
                run_id,
                key_given: true,
                input: with_bytes(input),
                correlation_id: run_id,
            })
        }
    }
}

fn with_bytes(value: &onex_expr::Value) -> Payload {
    let mut bytes = Vec::new();
    json::write(value, &mut bytes);
    Payload { value: value.clone(), bytes: Some(bytes.into()) }
}

/// Opens the store on a disk and recovers an engine from it.
fn start(
    disk: &Memory,
    scenario: &Scenario,
    now: Micros,
    starts: u64,
) -> Result<(Arc<dyn Store>, Engine), Violation> {
    let options = onex_store::embedded::Options {
        background: false,
        entropy: starts,
        segment_first_bytes: 64 * 1024,
        segment_bytes: 256 * 1024,
        checkpoint_rows_bytes: 32 * 1024,
        checkpoint_log_bytes: 128 * 1024,
        ..Default::default()
    };
    let failed = |error: &dyn std::fmt::Display| Violation::new(format!("no start: {error}"));
    let store = Embedded::open(disk.clone(), options).map_err(|error| failed(&error))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let options = Options::default();
    let recovered = Recovered::read(&Durable(&*store), &scenario.graph, &|_| None, &options, now)
        .map_err(|error| Violation::new(format!("no start: {error:?}")))?;
    let engine = Engine::recover(options, Box::new(Unguarded), recovered, now)
        .map_err(|error| failed(&error))?;
    Ok((store, engine))
}
