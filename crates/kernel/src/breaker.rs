//! A breaker: stops calls to a failing target. Memory of one host, closed at start.
//!
//! [`next`] is the machine; [`Breaker`] counts what the machine's events are made of. Every call
//! that was admitted must be recorded, however it ended: it counts as under way until then.

use onex_contract::graph::Breaker as Limits;

use crate::Micros;

/// How soon to ask again while the calls that try a half-open breaker are still under way.
const TRIAL_PAUSE_MS: u64 = 100;

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls go out.
    #[default]
    Closed,
    /// No call goes out.
    Open,
    /// A few calls try whether the target is back.
    HalfOpen,
}

/// What happens to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The target answered, not yet often enough to mean more.
    Answered,
    /// A trial answered, and with it as many as `success_threshold` asks for.
    Recovered,
    /// A call failed, not yet often enough to mean more.
    Failed,
    /// A call failed, and with it as many in a row as `failure_threshold` allows.
    Broke,
    /// It was open for `timeout_ms` and somebody asks.
    Elapsed,
}

/// The machine: where an event leads, `None` when it cannot happen there.
pub fn next(state: State, event: Event) -> Option<State> {
    match (state, event) {
        (State::Closed, Event::Answered) => Some(State::Closed),
        (State::Closed, Event::Recovered) => None,
        (State::Closed, Event::Failed) => Some(State::Closed),
        (State::Closed, Event::Broke) => Some(State::Open),
        (State::Closed, Event::Elapsed) => None,
        (State::Open, Event::Answered) => Some(State::Open),
        (State::Open, Event::Recovered) => None,
        (State::Open, Event::Failed) => Some(State::Open),
        (State::Open, Event::Broke) => None,
        (State::Open, Event::Elapsed) => Some(State::HalfOpen),
        (State::HalfOpen, Event::Answered) => Some(State::HalfOpen),
        (State::HalfOpen, Event::Recovered) => Some(State::Closed),
        (State::HalfOpen, Event::Failed) => Some(State::Open),
        (State::HalfOpen, Event::Broke) => None,
        (State::HalfOpen, Event::Elapsed) => None,
    }
}

/// The breaker of one target.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    state: State,
    /// Closed: failures in a row. Half-open: answers.
    count: u32,
    /// When it opened.
    opened_at: Micros,
    /// Calls admitted and not yet recorded, whatever the state was when they were admitted.
    under_way: u32,
}

impl Breaker {
    /// Whether a call may go out now; if so it is counted as under way. Otherwise the time at which
    /// to ask again.
    pub fn admit(&mut self, limits: &Limits, now: Micros) -> Result<(), Micros> {
        if self.state == State::Open {
            let due = self.opened_at.plus_ms(limits.timeout_ms);
            if now < due {
                return Err(due);
            }
            self.happen(Event::Elapsed, now);
        }
        // Slow calls from before it opened count too: the target has not let go of them.
        if self.state == State::HalfOpen && self.under_way >= limits.half_open_requests.max(1) {
            return Err(now.plus_ms(TRIAL_PAUSE_MS));
        }
        self.under_way += 1;
        Ok(())
    }

    /// Takes note of how a call went. A refusal is a success: the target answered.
    pub fn record(&mut self, limits: &Limits, now: Micros, success: bool) {
        self.under_way = self.under_way.saturating_sub(1);
        let event = match (self.state, success) {
            (State::Closed, true) => {
                self.count = 0;
                Event::Answered
            }
            (State::Closed, false) => {
                self.counted(limits.failure_threshold, Event::Failed, Event::Broke)
            }
            (State::Open, true) => Event::Answered,
            (State::Open, false) => Event::Failed,
            (State::HalfOpen, true) => {
                self.counted(limits.success_threshold, Event::Answered, Event::Recovered)
            }
            (State::HalfOpen, false) => Event::Failed,
        };
        self.happen(event, now);
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Calls admitted and not yet recorded.
    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    fn counted(&mut self, threshold: u32, below: Event, reached: Event) -> Event {
        self.count = self.count.saturating_add(1);
        if self.count >= threshold { reached } else { below }
    }

    fn happen(&mut self, event: Event, now: Micros) {
        let Some(state) = next(self.state, event) else {
            return;
        };
        if state != self.state {
            self.state = state;
            self.count = 0;
            if state == State::Open {
                self.opened_at = now;
            }
        }
    }
}
