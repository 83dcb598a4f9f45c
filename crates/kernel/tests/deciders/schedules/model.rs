//! One run, what it has done to the world, and its promises.

use std::collections::{BTreeMap, BTreeSet};

use onex_contract::graph::{
    Body, Compensation, ErrorAction, ExecutionMode, Graph, Orchestrator, Recovery,
};
use onex_expr::Value;
use onex_kernel::decision::{Subject, TimerOf};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Ending, Failure, Owner, Run, RunStatus, StepStatus, Undoing};
use onex_kernel::{Id, Intended, Produced};

use super::random::{self, Random};
use crate::bench::{Bench, Done, Instance};

/// What the world knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
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
struct Deed {
    fate: Fate,
    step: u16,
    /// When its fate was told.
    told: usize,
}

struct World {
    bench: Bench,
    random: Random,
    run: Id,
    deeds: BTreeMap<Id, Deed>,
    sent: BTreeSet<(Id, u32)>,
    events: BTreeSet<Id>,
    /// Intents of which no further attempt is wanted.
    stopped: BTreeSet<Id>,
    /// Compensations that gave up.
    stuck: Vec<Intended>,
    /// Intents that ended, to end once more.
    past: Vec<Intended>,
    /// When what is undone now was told; later ones come first.
    undoing: Option<usize>,
    turns: usize,
    was_terminal: bool,
}

/// Plays one seed; panics where a promise is broken.
pub fn play(prototypes: &Graph, seed: u64) {
    let mut random = Random::new(seed);
    let node = prototypes
        .find("prototypes")
        .expect("the prototypes are there");
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
    fn run(&self) -> &Run {
        &self.bench.runs[&self.run]
    }

    fn plan(&self) -> &Orchestrator {
        let node = self.bench.node(&self.run().head.node);
        match &self.bench.graph.node(node).body {
            Body::Orchestrator(plan) => plan,
            _ => panic!("a run belongs to an orchestrator"),
        }
    }

    fn timers(&self) -> Vec<TimerOf> {
        self.bench.timers.keys().map(|(_, of)| *of).collect()
    }

    /// Something happens.
    fn turn(&mut self) {
        let timers = self.timers();
        let open = self.bench.open.clone();
        let done = match self.random.below(20) {
            0 => self.bench.advance(self.run, &RunInput::Cancel),
            1 if !self.past.is_empty() => return self.end_again(),
            2..6 if !timers.is_empty() => {
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
        let failure = Failure {
            code: "trouble".into(),
            message: "it went wrong".into(),
            step: None,
        };
        let unknown = self.random.once_in(2);
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

    /// What an ending means to the world.
    fn note(&mut self, intent: &Intended, ending: &Ending) {
        let Owner::Step {
            step, compensation, ..
        } = intent.owner
        else {
            return;
        };
        if compensation {
            let key = intent.payload.get("key").and_then(Value::as_str);
            let key = key
                .and_then(Id::parse)
                .expect("a compensation names its key");
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
            Ending::Refused(_) => Fate::Nothing,
            Ending::Exhausted { unknown, .. } | Ending::Stopped { unknown, .. } => may(*unknown),
            Ending::InDoubt(_) => Fate::Unknown,
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

    fn check(&mut self, done: &Done) {
        self.turns += 1;
        self.check_messages(done);
        self.stopped.extend(&done.decision.stop);
        for letter in &done.decision.letters {
            assert!(
                matches!(letter.subject, Subject::IntentAtHand),
                "{letter:?}"
            );
        }
        let run = self.run();
        let head = &run.head;
        assert_eq!(
            head.in_flight as usize,
            self.bench.open.len(),
            "awaited intents are counted"
        );
        let is_terminal = head.ended_at.is_some();
        assert_eq!(
            done.decision.ended,
            is_terminal && !self.was_terminal,
            "it ends once"
        );
        if is_terminal {
            assert!(
                self.bench.open.is_empty() && self.timers().is_empty(),
                "it has ended"
            );
            self.check_end();
        } else {
            assert!(
                head.in_flight > 0 || !self.timers().is_empty(),
                "nothing wakes it"
            );
        }
        self.was_terminal = is_terminal;
        self.check_steps();
    }

    fn check_messages(&mut self, done: &Done) {
        let failing = self.bench.runs[&self.run].head.error.is_some();
        for produced in &done.decision.messages {
            let intent = match produced {
                Produced::Event(event) => {
                    assert!(self.events.insert(event.id), "an event's id is new");
                    continue;
                }
                Produced::Intent(intent) => intent,
            };
            let is_new = self.sent.insert((intent.id, intent.generation));
            assert!(is_new, "an intent is sent once");
            let Owner::Step {
                step, compensation, ..
            } = intent.owner
            else {
                panic!("an intent of a run belongs to a step");
            };
            if compensation {
                self.check_compensation(intent);
                continue;
            }
            if intent.generation > 0 {
                assert_eq!(
                    self.deeds[&intent.id].fate,
                    Fate::Unknown,
                    "only what is not known is asked again"
                );
            }
            let stops = done.decision.stop.contains(&intent.id);
            assert!(!failing || stops, "a failing run starts nothing");
            for on in &self.plan().steps[usize::from(step)].depends_on {
                let status = self.run().steps[usize::from(*on)].status;
                let satisfied = matches!(
                    status,
                    StepStatus::Completed | StepStatus::Skipped | StepStatus::Failed
                );
                assert!(satisfied, "a step waits for what it depends on");
            }
        }
    }

    fn check_compensation(&mut self, intent: &Intended) {
        let field = |name| intent.payload.get(name).and_then(Value::as_str);
        let key = field("key")
            .and_then(Id::parse)
            .expect("a compensation names its key");
        let deed = &self.deeds[&key];
        let known = match field("status") {
            Some("completed") => Fate::Done,
            _ => Fate::Unknown,
        };
        assert_eq!(deed.fate, known, "what is undone was or may have been done");
        assert_eq!(
            self.bench.open.len(),
            1,
            "one at a time, when nothing else is awaited"
        );
        let later = self.undoing.is_none_or(|last| deed.told <= last);
        assert!(later, "the latest is undone first");
        self.undoing = Some(deed.told);
    }

    fn check_steps(&self) {
        let (plan, run) = (self.plan(), self.run());
        let active = |status| matches!(status, StepStatus::Running | StepStatus::Waiting);
        let count = run.steps.iter().filter(|row| active(row.status)).count();
        if plan.execution_mode == ExecutionMode::Sequential {
            assert!(count <= 1, "one step at a time");
        }
        for (index, (step, row)) in plan.steps.iter().zip(&run.steps).enumerate() {
            let Some(items) = &row.items else { continue };
            assert!(items.running <= step.max_parallel, "at most max_parallel");
            let of = u16::try_from(index).expect("few steps");
            let rows = run.items.range((of, 0)..=(of, u32::MAX));
            let running = rows
                .filter(|(_, item)| item.status == StepStatus::Running)
                .count();
            assert_eq!(items.running as usize, running, "running items are counted");
        }
    }

    fn check_end(&self) {
        let (plan, run) = (self.plan(), self.run());
        for (step, row) in plan.steps.iter().zip(&run.steps) {
            let fits = match row.status {
                StepStatus::Running | StepStatus::Waiting | StepStatus::Compensating => false,
                StepStatus::Pending | StepStatus::Cancelled => {
                    run.head.status != RunStatus::Completed
                }
                StepStatus::Failed => {
                    run.head.status != RunStatus::Completed
                        || step.error_action == ErrorAction::Continue
                }
                StepStatus::Completed | StepStatus::Skipped => true,
                StepStatus::Compensated | StepStatus::CompensationFailed => {
                    run.head.status != RunStatus::Completed
                }
            };
            assert!(
                fits,
                "{:?} in a run that is {:?}",
                row.status, run.head.status
            );
        }
        assert_eq!(
            run.head.error.is_some(),
            run.head.status != RunStatus::Completed
        );
        self.check_undone();
    }

    /// Where everything must be undone, everything is, or it has a letter.
    fn check_undone(&self) {
        let (plan, head) = (self.plan(), &self.run().head);
        let Some(error) = &head.error else {
            return;
        };
        let failed = plan
            .steps
            .iter()
            .find(|step| error.step.as_ref() == Some(&step.id));
        let must = head.status == RunStatus::Cancelled
            || plan.recovery == Recovery::Compensate
            || failed.is_some_and(|step| step.error_action == ErrorAction::Compensate);
        let stuck = self.deeds.values().any(|deed| deed.fate == Fate::Stuck);
        assert_eq!(
            stuck,
            head.compensation == Undoing::Incomplete,
            "letters keep it incomplete"
        );
        for (key, deed) in &self.deeds {
            let step = &plan.steps[usize::from(deed.step)];
            let can = matches!(step.compensation, Compensation::Operation { .. });
            let open = matches!(deed.fate, Fate::Done | Fate::Unknown);
            assert!(!(must && can && open), "{key} is not undone: {deed:?}");
        }
    }
}
