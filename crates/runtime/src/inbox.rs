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
        let nothing = |state: &State| {
            state.arrivals.is_empty() && (room == 0 || state.lanes.is_empty())
        };
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
mod tests {
    use onex_engine::input::Publish;
    use onex_expr::Text;
    use onex_kernel::Payload;

    use super::*;

    const ROOM: usize = 1000;

    fn inbox(messages_max: usize) -> Inbox {
        Inbox::new(Limits { messages_max, lane_max: messages_max, bytes_max: 1 << 20 })
    }

    fn bring(inbox: &Inbox, request: Request) -> Result<(), Closed> {
        let (sender, _receiver) = oneshot::channel();
        inbox.request(request, Sink::Reply(sender))
    }

    fn ask(inbox: &Inbox) -> Result<(), Closed> {
        bring(inbox, Request::Cancel(Id::default()))
    }

    fn publish(topic: &str, bytes: usize) -> Publish {
        let payload = Payload { value: Value::Null, bytes: Some(vec![b' '; bytes].into()) };
        Publish {
            id: Id::default(),
            id_given: false,
            topic: topic.into(),
            key: None,
            event_type: None,
            payload,
            correlation_id: Id::default(),
        }
    }

    fn say(inbox: &Inbox, topic: &str) -> Result<(), Closed> {
        bring(inbox, Request::Publish(publish(topic, 10)))
    }

    /// Topics of the messages that a take gives.
    fn topics(inbox: &Inbox, room: usize) -> Vec<Text> {
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO, room);
        let of = |arrival: Arrival| match arrival {
            Arrival::Request(Request::Publish(publish), _) => vec![publish.topic],
            Arrival::Request(Request::Batch(items), _) => {
                items.into_iter().map(|publish| publish.topic).collect()
            }
            _ => Vec::new(),
        };
        taken.into_iter().flat_map(of).collect()
    }

    #[test]
    fn a_topic_that_floods_leaves_the_others_their_share() {
        let inbox = Inbox::new(Limits { messages_max: 10_000, lane_max: 6_000, bytes_max: 1 << 30 });
        let accepted = (0..9_000).filter(|_| say(&inbox, "flood").is_ok()).count();
        assert_eq!(accepted, 6_000);
        assert_eq!(say(&inbox, "flood"), Err(Closed::Full("engine.inbox_topic_max")));
        for _ in 0..1_000 {
            assert_eq!(say(&inbox, "other"), Ok(()));
        }
        let batch = (0..1_000).map(|_| publish("batch", 10)).collect();
        assert_eq!(bring(&inbox, Request::Batch(batch)), Ok(()));
        let mut seen = Vec::new();
        while seen.len() < 3_600 {
            seen.extend(topics(&inbox, 100));
        }
        let count = |topic: &str| seen.iter().filter(|seen| *seen == topic).count();
        assert_eq!((count("other"), count("batch")), (1_000, 1_000));
        while seen.len() < 8_000 {
            seen.extend(topics(&inbox, 100));
        }
        assert_eq!(topics(&inbox, 100), Vec::<Text>::new(), "nothing accepted is lost or doubled");
        assert_eq!(inbox.waits(), Waits::default());
        assert_eq!(say(&inbox, "flood"), Ok(()));
    }

    #[test]
    fn a_topic_keeps_its_order_whatever_waits() {
        let inbox = Inbox::new(Limits { messages_max: 1_000, lane_max: 1_000, bytes_max: 1 << 30 });
        for number in 0..300_usize {
            let topic = ["a", "b", "c"][number % 3];
            assert_eq!(bring(&inbox, Request::Publish(publish(topic, number))), Ok(()));
        }
        let mut lengths: [Vec<usize>; 3] = Default::default();
        for _ in 0..10 {
            let mut taken = Vec::new();
            inbox.take(&mut taken, Duration::ZERO, 40);
            for arrival in taken {
                let Arrival::Request(Request::Publish(publish), _) = arrival else { continue };
                let lane = usize::from(publish.topic.as_bytes()[0] - b'a');
                lengths[lane].push(publish.payload.bytes.map_or(0, |bytes| bytes.len()));
            }
        }
        for (lane, lengths) in lengths.into_iter().enumerate() {
            assert!(lengths.into_iter().eq((0..100).map(|number| 3 * number + lane)));
        }
    }

    #[test]
    fn what_waits_is_bounded_in_messages_and_bytes_and_the_limit_is_named() {
        let inbox = Inbox::new(Limits { messages_max: 3, lane_max: 3, bytes_max: 1_000 });
        let batch = |count: usize| (0..count).map(|_| publish("a", 10)).collect();
        assert_eq!(bring(&inbox, Request::Batch(batch(9))), Ok(()), "alone it is taken");
        assert_eq!(say(&inbox, "b"), Err(Closed::Full("engine.inbox_max")));
        assert_eq!(topics(&inbox, 1).len(), 9, "a batch is taken as a whole");
        assert_eq!(bring(&inbox, Request::Publish(publish("a", 900))), Ok(()));
        let large = Request::Publish(publish("b", 101));
        assert_eq!(bring(&inbox, large), Err(Closed::Full("engine.inbox_bytes_max")));
        assert_eq!(bring(&inbox, Request::Batch(batch(3))), Err(Closed::Full("engine.inbox_max")));
        assert_eq!(bring(&inbox, Request::Batch(batch(2))), Ok(()));
    }

    #[test]
    fn without_room_only_what_the_shell_brings_is_taken() {
        let inbox = inbox(8);
        assert_eq!(say(&inbox, "a"), Ok(()));
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO, 0);
        assert!(matches!(taken[..], [Arrival::Answered { .. }]));
        assert_eq!(topics(&inbox, ROOM).len(), 1);
    }

    #[test]
    fn a_full_inbox_refuses_requests_but_never_answers() {
        let inbox = inbox(1);
        assert_eq!(ask(&inbox), Ok(()));
        assert_eq!(ask(&inbox), Err(Closed::Full("engine.inbox_max")));
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO, ROOM);
        assert_eq!(taken.len(), 2);
        assert_eq!(ask(&inbox), Ok(()));
    }

    #[test]
    fn a_draining_inbox_takes_answers_only_and_says_drain_once() {
        let inbox = inbox(8);
        inbox.drain();
        inbox.drain();
        assert_eq!(ask(&inbox), Err(Closed::Draining));
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO, ROOM);
        let drains = taken.iter().filter(|arrival| matches!(arrival, Arrival::Drain));
        assert_eq!(drains.count(), 1);
        assert_eq!(taken.len(), 2);
    }

    #[test]
    fn an_arrival_wakes_the_thread_that_waits() {
        let inbox = inbox(8);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let mut taken = Vec::new();
                inbox.take(&mut taken, Duration::from_secs(60), ROOM);
                taken.len()
            });
            inbox.answer(Id::default(), 1, Ok(Value::Null));
            assert_eq!(waiter.join().expect("the waiter does not panic"), 1);
        });
    }
}
