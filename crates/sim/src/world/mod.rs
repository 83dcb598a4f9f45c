//! The world: a host, its disk, its clients, the outside, time, and what goes wrong.

mod clients;
mod disaster;
mod host;
mod send;
mod start;
mod steer;

use onex_engine::{Input, Output};
use onex_kernel::Micros;
use onex_store::disk::{Disk, Memory};
use onex_store::{Store, StoreError};

use crate::forgetful::Forgetful;
use crate::outside::{self, Outside};
use crate::promise::{Violation, Watch};
use crate::random::Random;
use crate::scenario::{BEGIN, Scenario};
use crate::trace::Trace;
use clients::Clients;
use host::{Host, Kept, to_store};

pub(crate) use clients::Answer;

/// What a run of the world did.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// BLAKE3 of everything that went into the engine and came out, and of every durable byte.
    pub trace: [u8; 32],
    /// Records in the log.
    pub records: u64,
    /// Starts after the first.
    pub restarts: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Batches sent.
    pub batches: u64,
    /// Activations of another graph that were asked for.
    pub activations: u64,
    /// Payloads beside the log at the end, in bytes.
    pub claims_bytes: u64,
    /// Whether the store refused to start on damage that was done to it; the run ends there.
    pub refused: bool,
}

/// The world.
pub struct World {
    scenario: Scenario,
    /// The time that passes; clocks may say something else.
    now: Micros,
    /// By how much the wall clock is ahead, in microseconds.
    skew: i64,
    kept: Kept,
    host: Option<Host>,
    /// When the host is started again.
    start_at: Option<Micros>,
    starts: u64,
    failed_starts: u64,
    outside: Outside,
    in_flight: Vec<outside::Answer>,
    clients: Clients,
    troubles: Vec<(Micros, u64, crate::trouble::Trouble)>,
    /// Until when syncs take so many milliseconds.
    slow: Option<(Micros, u64)>,
    /// Until when there is no room.
    full_until: Option<Micros>,
    /// Damage was done that a start may refuse.
    damaged: bool,
    refused: bool,
    attempts: u64,
    batches: u64,
    activations: u64,
    watch: Watch,
    trace: Trace,
}

/// Why a turn did not end.
enum Broken {
    /// The process ended: the disk, or what it read from it.
    Disk(StoreError),
    /// A promise does not hold.
    Promise(Violation),
}

impl From<Violation> for Broken {
    fn from(violation: Violation) -> Self {
        Broken::Promise(violation)
    }
}

/// What is scheduled for after this is left to itself: nothing else waits so long.
const END: Micros = Micros(BEGIN.0 + 3_600_000_000);

/// A run that has not come to rest after so many events never will.
const EVENTS_MAX: u64 = 60_000;

/// A turn in which the engine asked so often for something never ends.
const CALLS_MAX: u64 = 100_000;

impl World {
    /// A world at its beginning.
    pub fn new(scenario: Scenario) -> World {
        let troubles = scenario.troubles.once.iter();
        let troubles = troubles.map(|(number, ms, one)| (BEGIN.plus_ms(*ms), *number, one.clone()));
        let rows = scenario.troubles.limits.forgetful_rows.then(Forgetful::default);
        World {
            now: BEGIN,
            skew: 0,
            kept: Kept { disk: Memory::new(), rows },
            host: None,
            start_at: Some(BEGIN),
            starts: 0,
            failed_starts: 0,
            outside: Outside::default(),
            in_flight: Vec::new(),
            clients: Clients::new(&scenario, BEGIN),
            troubles: troubles.collect(),
            slow: None,
            full_until: None,
            damaged: false,
            refused: false,
            attempts: 0,
            batches: 0,
            activations: 0,
            watch: Watch::new(&scenario),
            trace: Trace::new(false),
            scenario,
        }
    }

    /// Keeps every line of the trace for the report of a violation.
    #[must_use]
    pub fn telling_all(mut self) -> World {
        self.trace = Trace::new(true);
        self
    }

    /// Runs until nothing is left to happen; checks the promises after every turn and at the end.
    ///
    /// # Errors
    /// The first promise that does not hold.
    pub fn run(mut self) -> Result<Report, Violation> {
        let result = self.run_to_rest();
        result.map_err(|violation| violation.after(&self.trace))?;
        Ok(Report {
            trace: self.trace.hash(),
            records: self.watch.records(),
            restarts: self.starts.saturating_sub(1),
            attempts: self.attempts,
            batches: self.batches,
            activations: self.activations,
            claims_bytes: self.host.map_or(0, |host| host.store.status().claims_bytes),
            refused: self.refused,
        })
    }

    fn run_to_rest(&mut self) -> Result<(), Violation> {
        let mut events = 0;
        while let Some(at) = self.next_event().filter(|at| *at < END) {
            self.now = self.now.max(at);
            self.troubles_come()?;
            self.start_if_due()?;
            if self.refused {
                return Ok(());
            }
            self.gather();
            match self.turn() {
                Ok(()) => self.watch_turn()?,
                Err(Broken::Disk(error)) => self.process_ended(&error),
                Err(Broken::Promise(violation)) => return Err(violation),
            }
            events += 1;
            if events > EVENTS_MAX {
                return Err(Violation::new(format!(
                    "the run does not come to rest: {} attempts under way, ops {:?} unanswered",
                    self.in_flight.len(),
                    self.clients.sending,
                )));
            }
        }
        let Some(host) = &self.host else {
            return Err(Violation::new("the host does not run"));
        };
        let store = host.store.clone();
        self.watch.at_rest(&self.scenario, &*store, &self.outside, &self.clients.answered)
    }

    fn wall(&self) -> Micros {
        Micros(self.now.0.saturating_add_signed(self.skew))
    }

    fn next_event(&self) -> Option<Micros> {
        let arrivals = self.in_flight.iter().map(|answer| answer.at);
        let sends = self.clients.sending.values().copied();
        let troubles = self.troubles.iter().map(|(at, ..)| *at);
        let host = self.host.as_ref();
        let wake = host.and_then(|host| host.wake_at);
        let wake = wake.map(|at| Micros(at.0.saturating_add_signed(-self.skew)));
        let write = host.and_then(|host| host.writing.as_ref().map(|(at, _)| *at));
        let begun = host.filter(|host| !host.arrived.is_empty()).map(|_| self.now);
        let others = [wake, write, begun, self.start_at, self.full_until];
        arrivals.chain(sends).chain(troubles).chain(others.into_iter().flatten()).min()
    }

    /// What arrives by now: answers of the outside, requests of clients, the wake-up, the disk.
    fn gather(&mut self) {
        let (now, wall) = (self.now, self.wall());
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.in_flight).into_iter().partition(|one| one.at <= now);
        self.in_flight = rest;
        let due = self.clients.due(&self.scenario, now);
        let Some(host) = &mut self.host else {
            self.clients.host_is_gone(&self.scenario);
            return;
        };
        for answer in done {
            self.trace.note(format!(
                "{} answer {} #{} {:?}",
                now.0, answer.intent, answer.attempt, answer.told
            ));
            self.outside.gave(&answer);
            let outside::Answer { intent, attempt, says, .. } = answer;
            host.arrived.push(Input::Answered { intent, attempt, answer: says });
        }
        if host.wake_at.is_some_and(|at| at <= wall) {
            host.wake_at = None;
            host.arrived.push(Input::Tick);
        }
        self.send_all(due);
    }

    /// One turn of the engine and everything it asks for, as far as that happens at once.
    fn turn(&mut self) -> Result<(), Broken> {
        self.write_if_due()?;
        let mut out = Vec::new();
        for _ in 0..CALLS_MAX {
            let wall = self.wall();
            let Some(host) = &mut self.host else { return Ok(()) };
            let corrupt = |error: onex_engine::codec::Corrupt| Violation::new(error.to_string());
            host.engine.handle(&mut host.arrived, wall, &mut out).map_err(corrupt)?;
            for output in out.drain(..) {
                self.perform(output)?;
            }
            self.write_if_due()?;
            self.power_is_on()?;
            let Some(host) = &mut self.host else { return Ok(()) };
            if host.drained {
                return self.stop();
            }
            if host.arrived.is_empty() {
                return Ok(());
            }
        }
        Err(Violation::new("the engine has always something to do at once").into())
    }

    fn perform(&mut self, output: Output) -> Result<(), Broken> {
        let now = self.now;
        let Some(host) = &mut self.host else { return Ok(()) };
        match output {
            Output::Load(keys) => {
                let rows = host.store.load(&keys).map_err(Broken::Disk)?;
                host.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
            }
            Output::Write(records) => {
                if host.writing.is_some() {
                    return Err(Violation::new("two writes are in flight").into());
                }
                let sync_ms = self.slow.filter(|(until, _)| *until > now).map_or(0, |(_, ms)| ms);
                let records = records.into_iter().map(to_store).collect();
                host.writing = Some((now.plus_ms(sync_ms), records));
            }
            Output::Perform(perform) => {
                self.attempts += 1;
                self.trace
                    .note(format!("{} perform {} #{}", now.0, perform.intent.id, perform.attempt));
                self.watch.performing(&perform, &self.outside)?;
                let troubles = &self.scenario.troubles;
                let answers = self.outside.begin(&perform, now, self.scenario.seed, troubles);
                self.in_flight.extend(answers);
            }
            Output::Reply(ticket, reply) => {
                let told = self.clients.answer(&self.scenario, ticket.0, &reply, now)?;
                let store = host.store.clone();
                for (number, answer) in told {
                    self.trace.note(format!("{} op {number} is told {answer:?}", now.0));
                    self.watch.answering(&self.scenario, number, &answer, &*store)?;
                }
            }
            Output::WakeAt(at) => host.wake_at = Some(at),
            Output::RunEnded(end) => self.watch.run_ended(&end)?,
            Output::Drained => host.drained = true,
        }
        Ok(())
    }

    /// Writes the frame whose time has come.
    fn write_if_due(&mut self) -> Result<(), Broken> {
        let (now, wall) = (self.now, self.wall());
        let Some(host) = &mut self.host else { return Ok(()) };
        let Some((_, records)) = host.writing.take_if(|(at, _)| *at <= now) else {
            return Ok(());
        };
        host.store.append(&records, wall.0).map_err(Broken::Disk)?;
        host.arrived.push(Input::Synced);
        let store = host.store.clone();
        // It may be lost right after the sync: then what is durable is seen at the next start.
        self.power_is_on()?;
        self.look(&*store)?;
        Ok(())
    }

    fn power_is_on(&self) -> Result<(), Broken> {
        let failed = |source| StoreError::Io { doing: "power is off".to_owned(), source };
        self.kept.disk.list().map(|_| ()).map_err(|error| Broken::Disk(failed(error)))
    }

    /// Takes in what has become durable.
    fn look(&mut self, store: &dyn Store) -> Result<(), Violation> {
        self.watch.take(store, &self.outside, &mut self.trace)
    }

    /// What holds after every turn: nothing may be left that nothing will wake.
    fn watch_turn(&mut self) -> Result<(), Violation> {
        let Some(host) = &self.host else { return Ok(()) };
        if host.writing.is_some() || host.draining || !host.arrived.is_empty() {
            return Ok(());
        }
        let unfinished = host.engine.unfinished();
        self.watch.after_turn(host.wake_at, &self.in_flight, unfinished)?;
        let is_full = unfinished >= self.scenario.troubles.limits.unfinished_max;
        if is_full { Ok(()) } else { self.watch.clock_is_heard(host.wake_at) }
    }
}

/// A part of chance for a purpose.
fn chance(scenario: &Scenario, purpose: &str, number: u64) -> Random {
    Random::part(scenario.seed, &format!("{purpose} {number}"))
}
