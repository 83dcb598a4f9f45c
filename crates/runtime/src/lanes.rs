//! Requests of many topics that wait: each topic in a lane of its own, and the lanes take turns, in
//! messages (deficit round robin). Which turn is whose follows from what came in which order, and
//! from nothing else.

use std::collections::{HashMap, VecDeque};
use std::ops::{Add, Sub};

use onex_engine::Request;
use onex_engine::input::Publish;
use onex_expr::Text;

use crate::inbox::{Arrival, Sink};

/// Messages of one turn of a lane. A batch is taken as a whole and paid for in later turns.
const TURN_MESSAGES: i64 = 64;

/// How much waits, or a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Messages; any other request counts as one.
    pub messages: usize,
    /// Bytes of payloads.
    pub bytes: usize,
}

/// Lanes with requests in them.
#[derive(Default)]
pub(crate) struct Lanes {
    by_name: HashMap<Text, Lane>,
    /// Whose turn is next.
    turns: VecDeque<Text>,
}

#[derive(Default)]
struct Lane {
    requests: VecDeque<(Waits, Request, Sink)>,
    messages: usize,
    credit: i64,
}

impl Waits {
    /// What a request adds.
    pub fn of(request: &Request) -> Waits {
        let bytes = |publish: &Publish| length(&publish.payload);
        match request {
            Request::Publish(publish) => Waits { messages: 1, bytes: bytes(publish) },
            Request::Batch(items) => {
                Waits { messages: items.len().max(1), bytes: items.iter().map(bytes).sum() }
            }
            Request::Start(start) => Waits { messages: 1, bytes: length(&start.input) },
            _ => Waits { messages: 1, bytes: 0 },
        }
    }
}

impl Add for Waits {
    type Output = Waits;

    fn add(self, other: Waits) -> Waits {
        Waits { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }
}

impl Sub for Waits {
    type Output = Waits;

    fn sub(self, other: Waits) -> Waits {
        Waits { messages: self.messages - other.messages, bytes: self.bytes - other.bytes }
    }
}

impl Lanes {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Messages in the lane of a request.
    pub fn messages_of(&self, request: &Request) -> usize {
        self.by_name.get(&name(request)).map_or(0, |lane| lane.messages)
    }

    /// Has a request wait.
    pub fn push(&mut self, request: Request, sink: Sink) {
        let name = name(&request);
        let lane = self.by_name.entry(name.clone()).or_default();
        if lane.requests.is_empty() {
            self.turns.push_back(name);
        }
        let waits = Waits::of(&request);
        lane.messages += waits.messages;
        lane.requests.push_back((waits, request, sink));
    }

    /// Moves requests for about so many messages; returns what they were.
    pub fn take(&mut self, taken: &mut Vec<Arrival>, room: usize) -> Waits {
        let mut moved = Waits::default();
        while moved.messages < room
            && let Some(name) = self.turns.pop_front()
        {
            let Some(lane) = self.by_name.get_mut(&name) else {
                continue;
            };
            lane.credit += TURN_MESSAGES;
            while lane.credit > 0
                && moved.messages < room
                && let Some((waits, request, sink)) = lane.requests.pop_front()
            {
                lane.messages -= waits.messages;
                lane.credit -= i64::try_from(waits.messages).unwrap_or(i64::MAX);
                moved = moved + waits;
                taken.push(Arrival::Request(request, sink));
            }
            if lane.requests.is_empty() {
                self.by_name.remove(&name);
            } else if lane.credit > 0 {
                // Its turn was cut short by the room, not by its end.
                lane.credit -= TURN_MESSAGES;
                self.turns.push_front(name);
            } else {
                self.turns.push_back(name);
            }
        }
        moved
    }
}

fn length(payload: &onex_kernel::Payload) -> usize {
    payload.bytes.as_ref().map_or(0, |bytes| bytes.len())
}

/// The lane of a request: its topic (a batch: that of its first message), the orchestrator that it
/// starts, or one for all others.
fn name(request: &Request) -> Text {
    match request {
        Request::Publish(publish) => publish.topic.clone(),
        Request::Batch(items) => items.first().map_or_else(Text::default, |one| one.topic.clone()),
        Request::Start(start) => start.node.clone(),
        _ => Text::default(),
    }
}
