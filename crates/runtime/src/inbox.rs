//! Where everything arrives for the engine thread: one list, taken whole.
//!
//! Requests from outside are bounded and refused when the list is full. What the shell itself
//! brings (answers of attempts, the drain) is bounded by what the engine began, so it is never
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
    /// The list is full.
    Full,
    /// The host is draining.
    Draining,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
    requests_max: usize,
}

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    waiting: bool,
    draining: bool,
}

impl Inbox {
    /// An inbox that holds so many requests.
    pub fn new(requests_max: usize) -> Inbox {
        Inbox { requests_max, ..Inbox::default() }
    }

    /// Brings a request, unless the inbox is full or closed to requests.
    pub fn request(&self, request: Request, sink: Sink) -> Result<(), Closed> {
        let state = self.lock();
        if state.draining {
            return Err(Closed::Draining);
        }
        if state.arrivals.len() >= self.requests_max {
            return Err(Closed::Full);
        }
        self.push(state, Arrival::Request(request, sink));
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
        let left = mem::take(&mut state.arrivals);
        drop(state);
        drop(left);
    }

    /// Whether requests are refused because the host is draining.
    pub fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// How many arrivals wait.
    pub fn len(&self) -> usize {
        self.lock().arrivals.len()
    }

    /// Moves everything that has arrived to `taken`, which is empty. Waits up to `patience` for the
    /// first arrival.
    pub fn take(&self, taken: &mut Vec<Arrival>, patience: Duration) {
        let mut state = self.lock();
        if state.arrivals.is_empty() && !patience.is_zero() {
            state.waiting = true;
            state = self
                .arrived
                .wait_timeout_while(state, patience, |state| state.arrivals.is_empty())
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.waiting = false;
        }
        mem::swap(&mut state.arrivals, taken);
    }

    fn push(&self, mut state: MutexGuard<'_, State>, arrival: Arrival) {
        state.arrivals.push(arrival);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(inbox: &Inbox) -> Result<(), Closed> {
        let (sender, _receiver) = oneshot::channel();
        inbox.request(Request::Cancel(Id::default()), Sink::Reply(sender))
    }

    #[test]
    fn a_full_inbox_refuses_requests_but_never_answers() {
        let inbox = Inbox::new(1);
        assert_eq!(ask(&inbox), Ok(()));
        assert_eq!(ask(&inbox), Err(Closed::Full));
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO);
        assert_eq!(taken.len(), 2);
        assert_eq!(ask(&inbox), Ok(()));
    }

    #[test]
    fn a_draining_inbox_takes_answers_only_and_says_drain_once() {
        let inbox = Inbox::new(8);
        inbox.drain();
        inbox.drain();
        assert_eq!(ask(&inbox), Err(Closed::Draining));
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO);
        let drains = taken.iter().filter(|arrival| matches!(arrival, Arrival::Drain));
        assert_eq!(drains.count(), 1);
        assert_eq!(taken.len(), 2);
    }

    #[test]
    fn an_arrival_wakes_the_thread_that_waits() {
        let inbox = Inbox::new(8);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut taken = Vec::new();
                inbox.take(&mut taken, Duration::from_secs(60));
                taken.len()
            });
            inbox.answer(Id::default(), 1, Ok(Value::Null));
            assert_eq!(waiter.join().expect("the waiter does not panic"), 1);
        });
    }
}
