//! Runs: how they begin, go on, fail and end.

use onex_expr::Value;
use onex_kernel::Id;

use super::{
    At, Case, Done, Ending, Failure, Model, Owner, Row, Run, Status, Touched, Undoing, What,
};
use crate::promise::Violation;
use crate::system::{Load, OnError, RETRIES, Recovery, Step, Work, Workflow};

/// One decision of a run in the making.
pub(super) struct Turn<'m> {
    pub model: &'m mut Model,
    pub id: Id,
    pub run: Run,
    pub plan: Workflow,
    pub case: Case,
    /// Intents that are not wanted any more.
    pub stopped: Vec<Id>,
}

impl Model {
    /// The key of a run with this input.
    pub(super) fn key_of(
        &self,
        workflow: usize,
        load: &Load,
    ) -> Result<Option<String>, &'static str> {
        if !self.system.workflows[workflow].keyed {
            return Ok(None);
        }
        if load.k.is_empty() { Err("expression_error") } else { Ok(Some(load.k.clone())) }
    }

    /// The live run that holds a key.
    pub(super) fn holder(&self, workflow: usize, key: Option<&String>) -> Option<Id> {
        self.keys.get(&(workflow, key?.clone())).copied()
    }

    pub(super) fn begin(
        &mut self,
        workflow: usize,
        id: Id,
        load: Load,
        answers: Option<Owner>,
        case: Case,
    ) -> Result<(), Violation> {
        let plan = self.system.workflows[workflow].clone();
        let key = self.key_of(workflow, &load).unwrap_or_default();
        let row = || Row {
            done: Done::pending(Value::Null),
            attempts: 0,
            items: None,
            next: 0,
            timer: None,
            pauses: false,
            visit: 0,
        };
        if let Some(key) = &key {
            self.keys.insert((workflow, key.clone()), id);
        }
        let run = Run {
            workflow,
            load,
            story: case.story,
            key,
            answers,
            status: Status::Running,
            undoing: Undoing::None,
            error: None,
            result: Value::Null,
            steps: plan.steps.iter().map(|_| row()).collect(),
            kept: Vec::new(),
            timer: Some(self.now.plus_ms(plan.timeout_ms)),
            ended: false,
            in_flight: 0,
        };
        self.runs.insert(id, run);
        self.turn(id, case, |_| {})
    }

    /// One decision of a run, if there is such a run.
    pub(super) fn turn(
        &mut self,
        id: Id,
        case: Case,
        what: impl FnOnce(&mut Turn<'_>),
    ) -> Result<(), Violation> {
        let Some(run) = self.runs.remove(&id) else { return Ok(()) };
        self.touched.insert(Touched::Run(id));
        let plan = self.system.workflows[run.workflow].clone();
        let was_over = run.ended;
        let mut turn = Turn { model: self, id, run, plan, case, stopped: Vec::new() };
        what(&mut turn);
        turn.proceed();
        let Turn { run, stopped, .. } = turn;
        if let Some(key) = &run.key {
            let place = (run.workflow, key.clone());
            let undone = matches!(run.answers, Some(Owner::Step { undoes: true, .. }));
            if was_over && !run.ended && run.error.is_none() {
                self.keys.insert(place, id);
            } else if run.ended && !undone && self.keys.get(&place) == Some(&id) {
                self.keys.remove(&place);
            }
        }
        if run.ended {
            self.live.remove(&id);
        } else {
            self.live.insert(id);
        }
        self.runs.insert(id, run);
        for intent in stopped {
            if let Some(pending) = self.intents.get_mut(&intent) {
                pending.stopping = true;
            }
            let mut sent = self.sent.iter_mut();
            if let Some(sent) = sent.find(|sent| sent.id == intent && !sent.what.is_told()) {
                sent.stopped = true;
            }
        }
        Ok(())
    }
}

impl What {
    /// Whether the id is that of a run that is told, and not the thing's own.
    fn is_told(&self) -> bool {
        matches!(self, What::Cancel | What::Undo(_) | What::Ended { .. })
    }
}

impl Turn<'_> {
    pub(super) fn step(&self, index: usize) -> Step {
        self.plan.steps[index].clone()
    }

    pub(super) fn row(&mut self, index: usize) -> &mut Row {
        &mut self.run.steps[index]
    }

    pub(super) fn goes_on(&self) -> bool {
        self.run.error.is_none() && !self.run.ended
    }

    pub(super) fn next_end(&mut self) -> u64 {
        self.model.ends += 1;
        self.model.ends
    }

    fn is_under_way(&self, index: usize) -> bool {
        matches!(self.run.steps[index].done.at, At::Running | At::Waiting)
    }

    /// Starts whatever is ready, until nothing is; then sees whether the run is over.
    fn proceed(&mut self) {
        while self.goes_on() {
            let steps = 0..self.run.steps.len();
            let limit = if self.plan.sequential { Some(1) } else { self.plan.max_steps };
            let under_way = steps.clone().filter(|index| self.is_under_way(*index)).count();
            if limit.is_some_and(|limit| under_way >= limit) {
                break;
            }
            let satisfied = |on: &usize| {
                matches!(self.run.steps[*on].done.at, At::Completed | At::Skipped | At::Failed)
            };
            let mut ready = steps.filter(|index| {
                self.run.steps[*index].done.at == At::Pending
                    && self.plan.steps[*index].depends_on.iter().all(satisfied)
            });
            let Some(index) = ready.next() else { break };
            self.start(index);
        }
        if self.run.ended {
            return;
        }
        let mut steps = 0..self.run.steps.len();
        let over = |at: usize| !self.is_under_way(at) && self.run.steps[at].done.at != At::Pending;
        if self.goes_on() && steps.all(over) {
            self.complete();
        }
        if self.run.error.is_some() {
            self.undo_or_end();
        }
    }

    fn complete(&mut self) {
        self.run.result = if self.plan.has_result {
            Value::map([("n", Value::Int(self.run.load.n + 1))])
        } else {
            let is_last =
                |index: &usize| !self.plan.steps.iter().any(|step| step.depends_on.contains(index));
            let last = (0..self.run.steps.len()).filter(is_last);
            let outputs = last.map(|index| {
                let done = &self.run.steps[index].done;
                let output = if done.error.is_some() { Value::Null } else { done.output.clone() };
                (onex_expr::Key::String(format!("p{index}").into()), output)
            });
            Value::Map(outputs.collect::<onex_expr::Map>().into())
        };
        self.run.kept.clear();
        self.end(Status::Completed);
        self.tell(self.plan.completed);
    }

    /// The run is over; a step that began it is told.
    pub(super) fn end(&mut self, status: Status) {
        self.run.status = status;
        self.run.ended = true;
        self.run.timer = None;
        self.tell_parent();
    }

    /// The message that ends the run.
    pub(super) fn tell(&mut self, topic: Option<usize>) {
        if let Some(topic) = topic {
            let load = Load { d: self.run.load.d - 1, ..self.run.load.clone() };
            let id = self.case.next_id();
            self.model.send(id, 0, self.case.story, What::Event { topic, load });
        }
    }

    pub(super) fn tell_parent(&mut self) {
        let Some(owner @ Owner::Step { run: parent, undoes, .. }) = self.run.answers.clone() else {
            return;
        };
        let ending = match (undoes, self.run.undoing) {
            (true, Undoing::None | Undoing::Done) => Ending::Done(Value::Null),
            (true, _) => Ending::Refused("incomplete".to_owned()),
            (false, undoing) => self.ending(undoing),
        };
        let what = What::Ended { owner, of: self.id, ending };
        self.model.send(parent, 0, self.case.story, what);
    }

    fn ending(&self, undoing: Undoing) -> Ending {
        if self.run.status == Status::Completed {
            return Ending::Done(self.run.result.clone());
        }
        let code = self.run.error.as_ref().map_or("failed".to_owned(), |error| error.code.clone());
        let did =
            |row: &Row| row.done.order > 0 || row.items.iter().flatten().any(|item| item.order > 0);
        let unknown = self.run.steps.iter().any(did);
        match (undoing, self.was_cancelled()) {
            (Undoing::None, true) => Ending::Stopped { code, unknown },
            (Undoing::None, false) if unknown => Ending::Exhausted { code, unknown },
            (Undoing::None, false) => Ending::Refused(code),
            (_, cancelled) => Ending::Undone { code, cancelled },
        }
    }

    /// It is certain that the run will not complete.
    pub(super) fn fail(&mut self, code: &str, step: Option<usize>) {
        self.run.error = Some(Failure { code: code.to_owned(), step });
        self.run.timer = None;
        for index in 0..self.run.steps.len() {
            match self.run.steps[index].done.at {
                At::Waiting => self.cut_short(index, None),
                At::Running => {
                    self.row(index).timer = None;
                    self.stop_intents(index);
                }
                _ => {}
            }
        }
    }

    /// The run's bad end cut a step short.
    pub(super) fn cut_short(&mut self, index: usize, code: Option<String>) {
        let row = self.row(index);
        row.done.at = At::Cancelled;
        row.done.error = code.or(row.done.error.take());
        row.timer = None;
    }

    pub(super) fn stop_intents(&mut self, index: usize) {
        let row = self.row(index);
        let awaited: Vec<Id> = match &row.items {
            None => row.done.intent.into_iter().collect(),
            Some(items) => {
                let running = items.iter().filter(|item| item.at == At::Running);
                running.filter_map(|item| item.intent).collect()
            }
        };
        if matches!(self.step(index).work, Work::Run { .. }) {
            for run in awaited {
                self.model.send(run, 0, self.case.story, What::Cancel);
            }
        } else {
            self.stopped.extend(awaited);
        }
    }

    pub(super) fn timed_out(&mut self) {
        self.fail("timeout", None);
    }

    pub(super) fn was_cancelled(&self) -> bool {
        let error = self.run.error.as_ref();
        error.is_some_and(|error| error.step.is_none() && error.code == "cancelled")
    }

    pub(super) fn cancel(&mut self) {
        if self.run.ended {
            return;
        }
        if self.goes_on() {
            self.fail("cancelled", None);
        } else if !self.was_cancelled() {
            // It is ending already; now it also undoes what it did.
            self.run.error = Some(Failure { code: "cancelled".to_owned(), step: None });
        }
    }

    /// An event of the run's story on a topic that it listens to.
    pub(super) fn hear(&mut self, topic: usize, load: &Load) {
        if !self.goes_on() {
            return;
        }
        if self.plan.cancel_on == Some(topic) {
            return self.cancel();
        }
        let mut to_come = false;
        for index in 0..self.run.steps.len() {
            let Work::WaitFor { topic: awaited, at_least, .. } = self.plan.steps[index].work else {
                continue;
            };
            if awaited != topic {
                continue;
            }
            let done = &self.run.steps[index].done;
            let meant = at_least.is_none_or(|least| load.n >= least);
            match (done.at, done.error.is_some()) {
                (At::Waiting, false) if meant => return self.complete_step(index, load.value()),
                (At::Waiting, false) => {}
                (At::Waiting | At::Pending, _) => to_come = true,
                _ => {}
            }
        }
        if to_come {
            self.run.kept.push((topic, load.clone()));
        }
    }

    /// What the failure of a step leads to: none goes on, an error of the run, or a pause.
    pub(super) fn reaction(&self, index: usize) -> Reaction {
        let (step, row) = (&self.plan.steps[index], &self.run.steps[index]);
        match (step.on_error, self.plan.recovery) {
            (OnError::Continue, _) => return Reaction::GoOn,
            (OnError::Compensate, _) => return Reaction::Fail,
            (OnError::Stop, Recovery::FailFast | Recovery::Compensate) => return Reaction::Fail,
            (OnError::Stop, Recovery::Retry) | (OnError::Retry, _) => {}
        }
        let unknown = match &row.items {
            None => row.done.unknown,
            Some(items) => items.iter().any(|item| item.unknown),
        };
        let once = match step.work {
            Work::Effect { effect, operation } => {
                !self.model.system.effects[effect].operations[operation].idempotent
            }
            _ => false,
        };
        let retries = row.attempts - 1;
        if retries >= RETRIES.0 || (unknown && once) {
            return Reaction::Fail;
        }
        Reaction::Again(RETRIES.1 << retries)
    }
}

/// What the failure of a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    GoOn,
    /// After a pause in milliseconds.
    Again(u64),
    Fail,
}
