//! A system that chance drew, as plain data: written down as contracts for the engine by
//! [`contract`], and understood anew by the reference model, which reads no contract.

mod clock;
mod contract;
mod draw;
mod draw_ops;
mod draw_workflow;

use onex_expr::Value;

pub(crate) use clock::{Missed, Schedule};
pub(crate) use contract::{graph, other_graph, text};
pub(crate) use draw_ops::{activations, ops};

/// The nodes. Topics are numbers; every message is a [`Load`].
#[derive(Clone, Debug, Default)]
pub(crate) struct System {
    /// Topics that there may be.
    pub topics: usize,
    pub reducers: Vec<Reducer>,
    pub effects: Vec<Effect>,
    pub workflows: Vec<Workflow>,
}

/// What every message says: an entity's key, a number, and how many more messages may follow from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Load {
    pub k: String,
    pub n: i64,
    pub d: i64,
}

/// `onex.evt.sim.t3.v1`
pub(crate) fn topic_name(topic: usize) -> String {
    format!("onex.evt.sim.t{topic}.v1")
}

impl Load {
    pub fn value(&self) -> Value {
        Value::map([
            ("d", Value::Int(self.d)),
            ("k", Value::text(&self.k)),
            ("n", Value::Int(self.n)),
        ])
    }

    /// The load that a payload is, if it is one.
    pub fn of(value: &Value) -> Option<Load> {
        let number = |name| value.get(name).and_then(Value::as_int);
        let k = value.get("k").and_then(Value::as_str)?;
        Some(Load { k: k.to_owned(), n: number("n")?, d: number("d")? })
    }
}

/// A state machine: `r0`, `r1`, ...
#[derive(Clone, Debug)]
pub(crate) struct Reducer {
    pub subscribes: Vec<usize>,
    /// On some of them.
    pub schedules: Vec<Schedule>,
    pub states: Vec<State>,
    pub transitions: Vec<Transition>,
    pub ignores_unhandled: bool,
}

/// `s0` is the initial one. A state without a timeout waits forever.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub timeout_ms: Option<u64>,
    pub terminal: bool,
    pub entry: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(crate) struct Transition {
    /// Every state when empty.
    pub from: Vec<usize>,
    /// Stays when absent.
    pub to: Option<usize>,
    pub trigger: Trigger,
    pub guards: Vec<Guard>,
    pub actions: Vec<Action>,
    /// No two transitions of a reducer have the same.
    pub priority: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Topic(usize),
    /// By a step of a run.
    Poke,
    Timeout,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// More messages may follow: `payload.d > 0`, at a timeout `state.d > 0`.
    Deep,
    /// `payload.n >= _`
    AtLeast(i64),
    /// `state.sum < _`
    Below(i64),
    /// `100 / payload.n > _`: fails where n is 0.
    Quotient(i64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Takes the load in: `sum` grows by n, `seen` by one, `d` becomes its own.
    Add,
    /// Without a load: `seen` grows by one, `d` shrinks by one.
    Tick,
    /// Has an operation performed.
    Intent { effect: usize, operation: usize },
    /// Begins a run.
    Begin { workflow: usize },
    /// Publishes so many times.
    Event { topic: usize, times: i64 },
}

/// `e0`, `e1`, ...: a menu of operations `o0`, `o1`, ..., and `undo`.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub on: On,
    pub idempotent: bool,
    pub ordered: bool,
    pub max_retries: u32,
    pub attempt_timeout_ms: u64,
    pub timeout_ms: u64,
    /// Failures that open the breaker.
    pub breaker: Option<u32>,
    pub outcome: Option<usize>,
    /// What status 402 publishes.
    pub refusal: Option<usize>,
    pub exhausted: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// Performed for steps only.
    Step,
    Intent,
    Topic(usize),
}

/// `w0`, `w1`, ...: steps `p0`, `p1`, ...
#[derive(Clone, Debug)]
pub(crate) struct Workflow {
    /// Messages on these begin runs.
    pub subscribes: Vec<usize>,
    /// Subscribed with `begins: false`: a message alone does nothing.
    pub hears: Vec<usize>,
    /// Whether a reducer's intent begins it.
    pub on_intent: bool,
    /// One live run a key.
    pub keyed: bool,
    pub timeout_ms: u64,
    pub recovery: Recovery,
    pub sequential: bool,
    pub max_steps: Option<usize>,
    pub steps: Vec<Step>,
    pub cancel_on: Option<usize>,
    /// `result: {n: input.n + 1}`; the outputs of the last steps when not.
    pub has_result: bool,
    pub completed: Option<usize>,
    pub failed: Option<usize>,
}

/// Retries of a step: so many, after such a pause, which doubles.
pub(crate) const RETRIES: (u32, u64) = (2, 700);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    FailFast,
    Compensate,
    Retry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    Stop,
    Continue,
    Retry,
    Compensate,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub work: Work,
    pub depends_on: Vec<usize>,
    /// `input.n >= _`
    pub condition: Option<i64>,
    pub timeout_ms: Option<u64>,
    pub on_error: OnError,
    pub items: Option<Vec<i64>>,
    pub max_parallel: usize,
    pub number: Number,
    /// Whether it is undone by the operation `undo` of effect 0; never said of a sub-run.
    pub undone: bool,
}

/// Where the `n` that a step is given comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Input,
    Item,
    /// The output of a step, 7 where it has none.
    Of(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Effect {
        effect: usize,
        operation: usize,
    },
    /// Doubles n; fails where it is 13.
    Compute,
    Poke {
        reducer: usize,
    },
    Run {
        workflow: usize,
    },
    Publish {
        topic: usize,
    },
    Wait {
        ms: u64,
    },
    WaitFor {
        topic: usize,
        at_least: Option<i64>,
        timeout_ms: Option<u64>,
    },
    Fail,
}

impl System {
    /// Whether a topic has subscribers; each wants a [`Load`].
    pub fn has_subscribers(&self, topic: usize) -> bool {
        let mut operations = self.effects.iter().flat_map(|effect| &effect.operations);
        self.reducers.iter().any(|one| one.subscribes.contains(&topic))
            || self.workflows.iter().any(|one| one.subscribes.contains(&topic))
            || operations.any(|one| one.on == On::Topic(topic))
    }
}

impl Reducer {
    /// Whether its contract names a topic.
    pub fn names(&self, topic: usize) -> bool {
        let entries = self.states.iter().flat_map(|state| &state.entry);
        let mut actions = self.transitions.iter().flat_map(|one| &one.actions).chain(entries);
        self.subscribes.contains(&topic)
            || actions
                .any(|action| matches!(action, Action::Event { topic: on, .. } if *on == topic))
    }
}

impl Workflow {
    /// Whether its contract names a topic.
    pub fn names(&self, topic: usize) -> bool {
        let publishes = |step: &Step| step.work == Work::Publish { topic };
        self.subscribes.contains(&topic)
            || self.hears.contains(&topic)
            || [self.completed, self.failed].contains(&Some(topic))
            || self.listens(topic)
            || self.steps.iter().any(publishes)
    }

    /// Whether its runs listen to a topic.
    pub fn listens(&self, topic: usize) -> bool {
        let waits =
            |step: &Step| matches!(step.work, Work::WaitFor { topic: on, .. } if on == topic);
        self.cancel_on == Some(topic) || self.steps.iter().any(waits)
    }

    /// Whether its runs listen to anything.
    pub fn listens_at_all(&self) -> bool {
        let waits = |step: &Step| matches!(step.work, Work::WaitFor { .. });
        self.cancel_on.is_some() || self.steps.iter().any(waits)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_drawn_system_passes_the_check() {
        for seed in 0..50 {
            let system = super::System::draw(&mut crate::random::Random::part(seed, "system"));
            if let Err(text) = super::graph(&system).and(super::other_graph(&system)) {
                panic!("seed {seed}: {text}");
            }
        }
    }
}
