//! The engine thread: takes what has arrived, lets the engine decide, has one frame written and
//! synced, then does what became durable.
//!
//! It alone touches the engine. While a frame is under way it decides the next turn; where there is
//! next to nothing else to do it writes the frame itself, which saves two changes of threads. It
//! blocks on the store and on an empty inbox, on nothing else.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use onex_contract::graph::Graph;
use onex_engine::codec::Corrupt;
use onex_engine::{Engine, Input, Output, Reply, Ticket, output};
use onex_kernel::Micros;
use onex_store::{Record, RowChange, Store, StoreError};

use crate::inbox::{Arrival, Inbox, Sink};
use crate::perform::Performer;
use crate::service::Clock;
use crate::telemetry::Telemetry;
use crate::waiters::Waiters;
use crate::writer::{Frames, Writer};

/// How long the thread sleeps when nothing is due.
const REST: Duration = Duration::from_secs(3600);

/// With no more records and unfinished work than this, nothing is gained by deciding meanwhile.
const FEW_RECORDS: usize = 4;

/// How often the thread looks for room on a full disk when nothing else is due.
const LOOK_FOR_ROOM_EVERY: Duration = Duration::from_secs(1);

/// How often counters and the store's state are looked at while there is work.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Everything the thread works with.
pub(crate) struct Turns {
    pub engine: Engine,
    pub store: Arc<dyn Store>,
    pub inbox: Arc<Inbox>,
    pub waiters: Arc<Waiters>,
    pub performer: Performer,
    pub telemetry: Arc<Telemetry>,
    pub frames: Frames,
    pub writer: Writer,
    pub clock: Clock,
    pub pressed: Arc<AtomicBool>,
    pub unwritten_bytes_max: u64,
    /// Messages of clients that the engine is given at a time.
    pub take_max: usize,
    pub seal_after: Duration,
    pub state: State,
}

/// What lives between turns.
#[derive(Default)]
pub(crate) struct State {
    sinks: HashMap<Ticket, Sink>,
    tickets: u64,
    inputs: Vec<Input>,
    arrivals: Vec<Arrival>,
    outputs: Vec<Output>,
    wake_at: Option<Micros>,
    /// Whether the writer has a frame.
    writing: bool,
    unsealed: bool,
    drained: bool,
    /// Whether the engine was told that only the reserve of the disk is left.
    reserve_only: bool,
    looked_at: Option<Instant>,
}

/// Why the thread ended before it was asked to.
#[derive(Debug)]
pub enum TurnError {
    /// A write or sync failed: nothing more may be said to be durable.
    Write(StoreError),
    /// Rows could not be read.
    Load(StoreError),
    /// A row could not be decoded.
    Corrupt(Corrupt),
    /// The tail could not be sealed.
    Seal(StoreError),
    /// The writer thread is gone: a bug of ours.
    NoWriter,
}

impl fmt::Display for TurnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TurnError::Write(error) => write!(f, "writing a frame of the log: {error}"),
            TurnError::Load(error) => write!(f, "loading rows: {error}"),
            TurnError::Corrupt(error) => write!(f, "reading rows: {error}"),
            TurnError::Seal(error) => write!(f, "sealing the log: {error}"),
            TurnError::NoWriter => f.write_str("the writer thread panicked"),
        }
    }
}

impl std::error::Error for TurnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TurnError::Write(error) | TurnError::Load(error) | TurnError::Seal(error) => {
                Some(error)
            }
            TurnError::Corrupt(error) => Some(error),
            TurnError::NoWriter => None,
        }
    }
}

impl Turns {
    /// Runs turns until the engine has drained or the inbox says stop.
    pub fn run(mut self) -> Result<(), TurnError> {
        let ended = self.turns();
        self.inbox.close();
        self.waiters.close();
        ended?;
        self.store.seal().map_err(TurnError::Seal)
    }

    fn turns(&mut self) -> Result<(), TurnError> {
        // What was pending when the last process ended begins without waiting for a message.
        self.state.inputs.push(Input::Tick);
        while !self.state.drained {
            self.collect()?;
            self.turn()?;
        }
        Ok(())
    }

    /// Makes inputs of what has arrived; waits for something to do if there is nothing yet.
    fn collect(&mut self) -> Result<(), TurnError> {
        let idle = self.state.inputs.is_empty();
        let patience = if idle { self.patience() } else { Duration::ZERO };
        let mut arrivals = mem::take(&mut self.state.arrivals);
        let room = self.take_max.saturating_sub(self.engine.waiting());
        self.inbox.take(&mut arrivals, patience, room);
        let nothing = idle && arrivals.is_empty();
        for arrival in arrivals.drain(..) {
            self.admit(arrival)?;
        }
        self.state.arrivals = arrivals;
        self.look_for_room();
        let now = (self.clock)();
        if self.state.wake_at.is_some_and(|at| at <= now) {
            self.state.wake_at = None;
            self.state.inputs.push(Input::Tick);
        } else if nothing && self.state.unsealed && patience == self.seal_after {
            self.state.unsealed = false;
            self.store.seal().map_err(TurnError::Seal)?;
            self.look();
        }
        Ok(())
    }

    /// Tells the engine when the disk has come down to its reserve, and when it has room again.
    fn look_for_room(&mut self) {
        let only = self.store.is_full();
        if only != self.state.reserve_only {
            self.state.reserve_only = only;
            match only {
                true => tracing::warn!("the disk is full: schedules wait, nothing new is taken"),
                false => tracing::info!("the disk has room again"),
            }
            self.state.inputs.push(Input::Reserve(only));
        }
    }

    fn patience(&self) -> Duration {
        let unsealed = self.state.unsealed && !self.state.writing;
        let rest = match (unsealed, self.state.reserve_only) {
            (true, _) => self.seal_after,
            (false, true) => LOOK_FOR_ROOM_EVERY,
            (false, false) => REST,
        };
        match self.state.wake_at {
            Some(at) => {
                let left = at.0.saturating_sub((self.clock)().0);
                rest.min(Duration::from_micros(left))
            }
            None => rest,
        }
    }

    fn admit(&mut self, arrival: Arrival) -> Result<(), TurnError> {
        let input = match arrival {
            Arrival::Request(request, sink) => Input::Received(self.ticket(sink), request),
            Arrival::Activate(graph, sink) => self.activate(graph, sink),
            Arrival::Answered { intent, attempt, answer } => {
                Input::Answered { intent, attempt, answer }
            }
            Arrival::Written(written) => {
                written.map_err(TurnError::Write)?;
                self.state.writing = false;
                Input::Synced
            }
            Arrival::NoWriter => return Err(TurnError::NoWriter),
            Arrival::Drain => Input::Drain,
            Arrival::Stop => {
                self.state.drained = true;
                return Ok(());
            }
        };
        self.state.inputs.push(input);
        Ok(())
    }

    fn activate(&mut self, graph: Arc<Graph>, sink: Sink) -> Input {
        Input::Activate(self.ticket(sink), graph)
    }

    fn ticket(&mut self, sink: Sink) -> Ticket {
        self.state.tickets += 1;
        let ticket = Ticket(self.state.tickets);
        self.state.sinks.insert(ticket, sink);
        ticket
    }

    /// One call of the engine, and everything it asks for.
    fn turn(&mut self) -> Result<(), TurnError> {
        if self.state.inputs.is_empty() {
            return Ok(());
        }
        let now = (self.clock)();
        let mut outputs = mem::take(&mut self.state.outputs);
        self.engine
            .handle(&mut self.state.inputs, now, &mut outputs)
            .map_err(TurnError::Corrupt)?;
        for output in outputs.drain(..) {
            self.act(output, now)?;
        }
        self.state.outputs = outputs;
        let looked_at = self.state.looked_at;
        if looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.look();
        }
        Ok(())
    }

    fn look(&mut self) {
        self.state.looked_at = Some(Instant::now());
        self.telemetry.note(&self.engine);
        let unwritten = self.store.status().unwritten_bytes;
        let pressed = unwritten > self.unwritten_bytes_max;
        self.pressed.store(pressed, Ordering::Relaxed);
    }

    fn act(&mut self, output: Output, now: Micros) -> Result<(), TurnError> {
        match output {
            Output::Load(keys) => {
                let rows = self.store.load(&keys).map_err(TurnError::Load)?;
                let loaded = keys.into_iter().zip(rows).collect();
                self.state.inputs.push(Input::Loaded(loaded));
            }
            Output::Write(records) => self.write(records, now)?,
            Output::Perform(perform) => self.performer.begin(perform),
            Output::Reply(ticket, reply) => self.reply(ticket, reply),
            Output::RunEnded(end) => {
                self.telemetry.run_ended(end.status);
                self.waiters.ended(end);
            }
            Output::WakeAt(at) => self.state.wake_at = Some(at),
            Output::Drained => self.state.drained = true,
        }
        Ok(())
    }

    fn write(&mut self, records: Vec<output::Record>, now: Micros) -> Result<(), TurnError> {
        let records: Vec<Record> = records.into_iter().map(stored).collect();
        self.state.unsealed = true;
        if records.len() > FEW_RECORDS || self.engine.unfinished() > FEW_RECORDS {
            self.state.writing = self.writer.hand_over(records, now.0);
            return if self.state.writing { Ok(()) } else { Err(TurnError::NoWriter) };
        }
        self.frames.write(&records, now.0).map_err(TurnError::Write)?;
        self.state.inputs.push(Input::Synced);
        Ok(())
    }

    fn reply(&mut self, ticket: Ticket, reply: Reply) {
        match &reply {
            Reply::Refused(refusal) => self.telemetry.refused(refusal),
            Reply::Batch(answers) => {
                answers.iter().filter_map(|answer| answer.as_ref().err()).for_each(|refusal| {
                    self.telemetry.refused(refusal);
                });
            }
            _ => {}
        }
        match self.state.sinks.remove(&ticket) {
            // Who asked may have gone away; the reply was for nobody else.
            Some(Sink::Reply(sender)) => drop(sender.send(reply)),
            Some(Sink::UnlessBegun(waiting)) => {
                let begun = matches!(reply, Reply::Started { repeated: false, .. });
                if !begun {
                    self.waiters.replied(waiting, reply);
                }
            }
            None => {}
        }
    }
}

fn stored(record: output::Record) -> Record {
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
