//! What a run promises, checked after every decision.

use onex_contract::graph::{
    Compensation, ErrorAction, ExecutionMode, Performer, Recovery, StepWork,
};
use onex_expr::Value;
use onex_kernel::decision::Subject;
use onex_kernel::row::{Owner, RunStatus, StepStatus, Undoing};
use onex_kernel::{Id, Intended, Produced, Tidings, Told};

use super::model::{Fate, World};
use crate::bench::Done;

impl World {
    pub(super) fn check(&mut self, done: &Done) {
        self.turns += 1;
        self.check_messages(done);
        self.stopped.extend(&done.decision.stop);
        for letter in &done.decision.letters {
            assert!(matches!(letter.subject, Subject::IntentAtHand), "{letter:?}");
        }
        let run = self.run();
        let head = &run.head;
        assert_eq!(head.in_flight as usize, self.bench.open.len(), "awaited intents are counted");
        let is_terminal = head.ended_at.is_some();
        assert_eq!(done.decision.ended, is_terminal && !self.was_terminal, "it ends once");
        if is_terminal {
            assert!(self.bench.open.is_empty() && self.timers().is_empty(), "it has ended");
            self.check_end();
        } else {
            assert!(head.in_flight > 0 || !self.timers().is_empty(), "nothing wakes it");
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
                Produced::Tell(told) => {
                    self.check_told(told);
                    continue;
                }
            };
            let is_new = self.sent.insert((intent.id, intent.generation));
            assert!(is_new, "an intent is sent once");
            let Owner::Step { step, compensation, .. } = intent.owner else {
                panic!("an intent of a run belongs to a step");
            };
            if compensation {
                self.check_compensation(intent);
                continue;
            }
            if intent.generation > 0 {
                let is_run = matches!(intent.performer, Performer::Run(_));
                let unknown = self.deeds[&intent.id].fate == Fate::Unknown;
                assert!(is_run || unknown, "only what is not known is asked again");
            }
            let cancels = |produced: &Produced| matches!(produced, Produced::Tell(told) if told.run == intent.id && told.what == Tidings::Cancel);
            let stops = done.decision.stop.contains(&intent.id)
                || done.decision.messages.iter().any(cancels);
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

    fn check_told(&mut self, told: &Told) {
        match &told.what {
            Tidings::Cancel => {
                self.stopped.insert(told.run);
            }
            Tidings::Undo(_) => {
                let intent = self.bench.open.iter().find(|open| open.id == told.run);
                self.check_compensation(&intent.expect("its end is awaited").clone());
            }
            Tidings::Ended { .. } => panic!("nobody began this run: {told:?}"),
        }
    }

    fn check_compensation(&mut self, intent: &Intended) {
        let field = |name| intent.payload.get(name).and_then(Value::as_str);
        let key = field("key").and_then(Id::parse).expect("a compensation names its key");
        let deed = &self.deeds[&key];
        match field("status") {
            Some("completed") => assert_eq!(deed.fate, Fate::Done, "what is undone was done"),
            Some(_) => assert_eq!(deed.fate, Fate::Unknown, "what is undone may have been done"),
            // A run tells by itself what there is to undo.
            None => assert_ne!(deed.fate, Fate::Stuck, "what gave up is not asked again"),
        }
        assert_eq!(self.bench.open.len(), 1, "one at a time, when nothing else is awaited");
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
            let Some(items) = &row.items else {
                self.check_done(row.status, row.intent_id);
                continue;
            };
            assert!(items.running <= step.max_parallel, "at most max_parallel");
            let of = u16::try_from(index).expect("few steps");
            let rows = run.items.range((of, 0)..=(of, u32::MAX));
            for (_, item) in rows.clone() {
                self.check_done(item.status, item.intent_id);
            }
            let running = rows.filter(|(_, item)| item.status == StepStatus::Running).count();
            assert_eq!(items.running as usize, running, "running items are counted");
        }
    }

    /// What completed was done.
    fn check_done(&self, status: StepStatus, intent: Option<Id>) {
        if let (StepStatus::Completed, Some(id)) = (status, intent) {
            assert_eq!(self.deeds[&id].fate, Fate::Done, "what completed was done");
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
            assert!(fits, "{:?} in a run that is {:?}", row.status, run.head.status);
        }
        assert_eq!(run.head.error.is_some(), run.head.status != RunStatus::Completed);
        self.check_undone();
    }

    /// Where everything must be undone, everything is, or it has a letter.
    pub(super) fn check_undone(&self) {
        let (plan, head) = (self.plan(), &self.run().head);
        let Some(error) = &head.error else {
            return;
        };
        let failed = plan.steps.iter().find(|step| error.step.as_ref() == Some(&step.id));
        let must = head.status == RunStatus::Cancelled
            || plan.recovery == Recovery::Compensate
            || failed.is_some_and(|step| step.error_action == ErrorAction::Compensate);
        let stuck = self.deeds.values().any(|deed| deed.fate == Fate::Stuck);
        assert_eq!(stuck, head.compensation == Undoing::Incomplete, "letters keep it incomplete");
        for (key, deed) in &self.deeds {
            let step = &plan.steps[usize::from(deed.step)];
            let can = match step.compensation {
                Compensation::Operation { .. } => true,
                Compensation::Unsaid => matches!(step.work, StepWork::Run { .. }),
                Compensation::Nothing => false,
            };
            let open = matches!(deed.fate, Fate::Done | Fate::Unknown);
            assert!(!(must && can && open), "{key} is not undone: {deed:?}");
        }
    }
}
