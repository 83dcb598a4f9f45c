//! Where everything arrives for the engine thread: one list, taken whole while it is short.
//!
//! Requests from outside are bounded, in messages and bytes, and refused when they are too many, or
//! too many for one topic. When more wait than the engine takes at a time, those of each topic wait
//! in a lane of their own, and the lanes take turns. What the shell itself brings (answers of attempts, the drain) is bounded by what the engine began, so it is never
//! refused: a full inbox cannot keep accepted work from ending.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onex_contract::graph::Graph;
use onex_engine::{Reply, Request};
use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::port::CallError;
use onex_store::StoreError;
use tokio::sync::oneshot;

use crate::lanes::{Lanes, Waits};
use crate::waiters::Waiting;

/// One thing that arrived.
pub(crate) enum Arrival {
    /// A request and who wants its reply.
    Request(Request, Sink),
    /// An attempt ended.
    Answered {
        /// The intent.
        intent: Id,
        /// The number of the attempt.
        attempt: u64,
        /// What it gave.
        answer: Result<Value, CallError>,
    },
    /// The frame that the writer was given is durable, or could not be made so.
    Written(Result<(), StoreError>),
    /// The writer is gone.
    NoWriter,
    /// A new graph, and who wants to know whether it is active.
    Activate(Arc<Graph>, Sink),
    /// Finish what is in flight.
    Drain,
    /// End now: the drain took too long.
    Stop,
}

/// Who wants the reply to a request.
pub(crate) enum Sink {
    /// Somebody who waits for exactly it.
    Reply(oneshot::Sender<Reply>),
    /// Somebody who waits for the end of the run that the request begins, and for the reply only
    /// if it begins none.
    UnlessBegun(Waiting),
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Too much waits; the limit that says so.
    Full(&'static str),
    /// The host is draining.
    Draining,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
    limits: Limits,
}

/// How much may wait.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// Messages.
    pub messages_max: usize,
    /// Messages of one topic, or starts of one orchestrator.
    pub lane_max: usize,
    /// Bytes of payloads.
    pub bytes_max: usize,
}

#[derive(Default)]
struct State {
    /// What the shell brought, and requests while they are few.
    arrivals: Vec<Arrival>,
    /// Requests while they are many.
    lanes: Lanes,
    /// All requests that wait.
    waits: Waits,
    waiting: bool,
    draining: bool,
}

impl Inbox {
    /// An inbox that holds so much.
    pub fn new(limits: Limits) -> Inbox {
        Inbox { limits, ..Inbox::default() }
    }

    /// Brings a request, unless the inbox is full or closed to requests.
    pub fn request(&self, request: Request, sink: Sink) -> Result<(), Closed> {
        let waits = Waits::of(&request);
        let mut state = self.lock();
        if state.draining {
            return Err(Closed::Draining);
        }
        let all = state.waits + waits;
        // What is larger than a limit by itself is taken when nothing else waits.
        let alone = state.waits.messages == 0;
        if all.messages > self.limits.messages_max && !alone {
            return Err(Closed::Full("engine.inbox_max"));
        }
        if all.bytes > self.limits.bytes_max && !alone {
            return Err(Closed::Full("engine.inbox_bytes_max"));
        }
        if all.messages > self.limits.lane_max && !alone {
            state.crowd();
            let before = state.lanes.messages_of(&request);
            if before > 0 && before + waits.messages > self.limits.lane_max {
                return Err(Closed::Full("engine.inbox_topic_max"));
            }
        }
        state.waits = all;
        if state.lanes.is_empty() {
            self.push(state, Arrival::Request(request, sink));
        } else {
            state.lanes.push(request, sink);
            self.wake(state);
        }
        Ok(())
    }

    /// Brings the end of an attempt.
    pub fn answer(&self, intent: Id, attempt: u64, answer: Result<Value, CallError>) {
        self.push(self.lock(), Arrival::Answered { intent, attempt, answer });
    }

    /// Brings what became of a frame.
    pub fn written(&self, written: Result<(), StoreError>) {
        self.push(self.lock(), Arrival::Written(written));
    }

    /// Says that no frame will be written any more.
    pub fn no_writer(&self) {
        self.push(self.lock(), Arrival::NoWriter);
    }

    /// Takes no more requests and asks the engine to finish what is in flight. Once is enough.
    pub fn drain(&self) {
        let mut state = self.lock();
        if !state.draining {
            state.draining = true;
            self.push(state, Arrival::Drain);
        }
    }

    /// Brings a new graph.
    pub fn activate(&self, graph: Arc<Graph>, sink: Sink) {
        self.push(self.lock(), Arrival::Activate(graph, sink));
    }

    /// Asks the engine thread to end now.
    pub fn stop(&self) {
        self.push(self.lock(), Arrival::Stop);
    }

    /// Takes nothing more and lets go of what waits: nobody will look at it.
    pub fn close(&self) {
        let mut state = self.lock();
        state.draining = true;
        let left = (mem::take(&mut state.arrivals), mem::take(&mut state.lanes));
        state.waits = Waits::default();
        drop(state);
        drop(left);
    }

    /// Whether requests are refused because the host is draining.
    pub fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// What waits of requests.
    pub fn waits(&self) -> Waits {
        self.lock().waits
    }

    /// Moves what has arrived to `taken`, which is empty: all that the shell brought, and requests
    /// for which the engine has room, in messages. Waits up to `patience` for the first arrival.
    pub fn take(&self, taken: &mut Vec<Arrival>, patience: Duration, room: usize) {
        let mut state = self.lock();
        let nothing =
            |state: &State| state.arrivals.is_empty() && (room == 0 || state.lanes.is_empty());
        if nothing(&state) && !patience.is_zero() {
            state = self
                .arrived
                .wait_timeout_while(state, patience, |state| {
                    state.waiting = nothing(state);
                    state.waiting
                })
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.waiting = false;
        }
        if state.waits.messages <= room && state.lanes.is_empty() {
            state.waits = Waits::default();
            return mem::swap(&mut state.arrivals, taken);
        }
        state.crowd();
        mem::swap(&mut state.arrivals, taken);
        let moved = state.lanes.take(taken, room);
        state.waits = state.waits - moved;
    }

    fn push(&self, mut state: MutexGuard<'_, State>, arrival: Arrival) {
        state.arrivals.push(arrival);
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wake = mem::take(&mut state.waiting);
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, so the list is whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Has each topic wait in a lane of its own, until all lanes are empty again.
    fn crowd(&mut self) {
        if !self.lanes.is_empty() {
            return;
        }
        for arrival in mem::take(&mut self.arrivals) {
            match arrival {
                Arrival::Request(request, sink) => self.lanes.push(request, sink),
                own => self.arrivals.push(own),
            }
        }
    }
}

#[cfg(test)]
mod tests;
