//! One run and what it has done to the world.

use std::collections::{BTreeMap, BTreeSet};

use onex_contract::graph::{Body, Graph, Orchestrator, Performer};
use onex_expr::Value;
use onex_kernel::decision::TimerOf;
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Ending, Failure, Owner, Run, RunStatus, Undoing};
use onex_kernel::{Id, Intended};

use super::random::{self, Random};
use crate::bench::{Bench, Instance};

/// What the world knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing was done under it, or it was undone.
    Nothing,
    /// It was done.
    Done,
    /// It may have been done.
    Unknown,
    /// Its undoing was given up.
    Stuck,
}

#[derive(Debug)]
pub(super) struct Deed {
    pub(super) fate: Fate,
    pub(super) step: u16,
    /// When its fate was told.
    pub(super) told: usize,
}

pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) random: Random,
    pub(super) run: Id,
    pub(super) deeds: BTreeMap<Id, Deed>,
    pub(super) sent: BTreeSet<(Id, u32)>,
    pub(super) events: BTreeSet<Id>,
    /// Intents of which no further attempt is wanted.
    pub(super) stopped: BTreeSet<Id>,
    /// Compensations that gave up.
    pub(super) stuck: Vec<Intended>,
    /// Intents that ended, to end once more.
    pub(super) past: Vec<Intended>,
    /// When what is undone now was told; later ones come first.
    pub(super) undoing: Option<usize>,
    pub(super) turns: usize,
    pub(super) was_terminal: bool,
}

/// Plays one seed; panics where a promise is broken.
pub fn play(prototypes: &Graph, seed: u64) {
    let mut random = Random::new(seed);
    let node = prototypes.find("prototypes").expect("the prototypes are there");
    let graph = random::workflow(prototypes, node, &mut random);
    let mut bench = Bench::new(graph);
    let done = bench.start("prototypes", random::input(&mut random));
    let Some(Instance::Run(run)) = done.instance else {
        panic!("a start begins a run");
    };
    let mut world = World {
        bench,
        random,
        run,
        deeds: BTreeMap::new(),
        sent: BTreeSet::new(),
        events: BTreeSet::new(),
        stopped: BTreeSet::new(),
        stuck: Vec::new(),
        past: Vec::new(),
        undoing: None,
        turns: 0,
        was_terminal: false,
    };
    world.check(&done);
    let mut retries = 2;
    while world.turns < 2000 {
        if world.run().head.ended_at.is_none() {
            world.turn();
        } else if retries > 0 && world.random.once_in(2) {
            retries -= 1;
            world.retry();
        } else {
            return world.redrive_all();
        }
    }
    panic!("the run does not end");
}

impl World {
    pub(super) fn run(&self) -> &Run {
        &self.bench.runs[&self.run]
    }

    pub(super) fn plan(&self) -> &Orchestrator {
        let node = self.bench.node(&self.run().head.node);
        match &self.bench.graph.node(node).body {
            Body::Orchestrator(plan) => plan,
            _ => panic!("a run belongs to an orchestrator"),
        }
    }

    pub(super) fn timers(&self) -> Vec<TimerOf> {
        self.bench.timers.keys().map(|(_, of)| *of).collect()
    }

    /// Something happens.
    fn turn(&mut self) {
        let timers = self.timers();
        let open = self.bench.open.clone();
        let done = match self.random.below(20) {
            0 => self.bench.advance(self.run, &RunInput::Cancel),
            1 if !self.past.is_empty() => return self.end_again(),
            2 => {
                let payload = Value::map([("n", Value::Int(self.random.one_of(&[0, 1])))]);
                self.bench.hear(self.run, "onex.evt.prototypes.woken.v1", payload)
            }
            3..6 if !timers.is_empty() => {
                let of = timers[self.random.below(timers.len())];
                self.bench.fire(&Instance::Run(self.run), of)
            }
            _ if !open.is_empty() => {
                let intent = open[self.random.below(open.len())].clone();
                return self.end(&intent);
            }
            _ if !timers.is_empty() => {
                let of = timers[self.random.below(timers.len())];
                self.bench.fire(&Instance::Run(self.run), of)
            }
            _ => panic!("nothing wakes the run: {:#?}", self.run()),
        };
        self.check(&done);
    }

    fn end(&mut self, intent: &Intended) {
        let ending = self.ending(intent);
        self.note(intent, &ending);
        self.past.push(intent.clone());
        let done = self.bench.end(intent, &ending);
        self.check(&done);
    }

    /// An end that nobody awaits any more tells nothing new here: it is the same or none.
    fn end_again(&mut self) {
        let intent = self.past[self.random.below(self.past.len())].clone();
        let Owner::Step { compensation, .. } = intent.owner else {
            return;
        };
        let is_stuck = self.stuck.iter().any(|stuck| stuck.id == intent.id);
        let is_open = self.bench.open.iter().any(|open| open.id == intent.id);
        if compensation && is_stuck || is_open {
            return;
        }
        let open = self.bench.open.clone();
        let done = self.bench.end(&intent, &Ending::Withdrawn);
        assert!(done.decision.messages.is_empty(), "{:?}", done.decision);
        self.bench.open = open;
        self.check(&done);
    }

    fn ending(&mut self, intent: &Intended) -> Ending {
        let failure =
            Failure { code: "trouble".into(), message: "it went wrong".into(), step: None };
        let unknown = self.random.once_in(2);
        match intent.performer {
            Performer::Run(_) => return self.run_ending(intent, failure, unknown),
            Performer::Trigger(..) if self.random.once_in(4) => return Ending::Refused(failure),
            Performer::Trigger(..) => return Ending::Completed(Value::Int(1)),
            Performer::Operation(..) => {}
        }
        if self.stopped.contains(&intent.id) && self.random.once_in(2) {
            return match unknown {
                true => Ending::Stopped { unknown, failure },
                false => Ending::Withdrawn,
            };
        }
        match self.random.below(10) {
            0 => Ending::Refused(failure),
            1 | 2 => Ending::Exhausted { failure, unknown },
            3 => Ending::InDoubt(failure),
            4 if self.random.once_in(3) => Ending::Expired(failure),
            _ => Ending::Completed(Value::Int(1)),
        }
    }

    /// How a run that a step began ends, or its undoing.
    fn run_ending(&mut self, intent: &Intended, failure: Failure, unknown: bool) -> Ending {
        let is_undoing = matches!(intent.owner, Owner::Step { compensation: true, .. });
        let cancelled = self.stopped.contains(&intent.id) || self.random.once_in(9);
        match self.random.below(6) {
            0 => Ending::Refused(failure),
            _ if is_undoing => Ending::Completed(Value::Null),
            1 if cancelled => Ending::Stopped { unknown, failure },
            2 => Ending::Exhausted { failure, unknown: true },
            3 => Ending::Undone { failure, whole: unknown, cancelled },
            _ => Ending::Completed(Value::Int(1)),
        }
    }

    /// What an ending means to the world.
    fn note(&mut self, intent: &Intended, ending: &Ending) {
        let Owner::Step { step, compensation, .. } = intent.owner else {
            return;
        };
        if compensation {
            let key = intent.payload.get("key").and_then(Value::as_str);
            let key = key.and_then(Id::parse).expect("a compensation names its key");
            let deed = self.deeds.get_mut(&key).expect("what is undone was sent");
            let is_done = matches!(ending, Ending::Completed(_));
            deed.fate = if is_done { Fate::Nothing } else { Fate::Stuck };
            if !is_done {
                self.stuck.push(intent.clone());
            }
            return;
        }
        let before = self.deeds.get(&intent.id).map(|deed| deed.fate);
        let may = |unknown: bool| match unknown || before == Some(Fate::Unknown) {
            true => Fate::Unknown,
            false => Fate::Nothing,
        };
        let fate = match ending {
            Ending::Completed(_) => Fate::Done,
            Ending::Refused(_) | Ending::Undone { whole: true, .. } => Fate::Nothing,
            Ending::Exhausted { unknown, .. } | Ending::Stopped { unknown, .. } => may(*unknown),
            Ending::InDoubt(_) | Ending::Undone { whole: false, .. } => Fate::Unknown,
            Ending::Expired(_) | Ending::Withdrawn => may(false),
        };
        let told = self.turns;
        self.deeds.insert(intent.id, Deed { fate, step, told });
    }

    fn retry(&mut self) {
        let incomplete = self.run().head.compensation == Undoing::Incomplete;
        let completed = self.run().head.status == RunStatus::Completed;
        self.undoing = None;
        let done = self.bench.advance(self.run, &RunInput::Retry);
        if incomplete || completed {
            assert!(done.decision.writes.is_empty(), "it is not to be retried");
        } else {
            self.was_terminal = false;
        }
        self.check(&done);
    }

    /// Puts back every compensation that gave up; the last one makes the run whole.
    fn redrive_all(&mut self) {
        while let Some(intent) = self.stuck.pop() {
            self.note(&intent, &Ending::Completed(Value::Null));
            let done = self.bench.end(&intent, &Ending::Completed(Value::Null));
            assert!(!done.decision.ended, "it had ended before");
        }
        assert_ne!(self.run().head.compensation, Undoing::Incomplete);
        self.check_undone();
    }
}
