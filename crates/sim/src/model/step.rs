//! Steps and their items: how they begin and end.

use onex_expr::Value;
use onex_kernel::Id;

use super::run::{Reaction, Turn};
use super::{At, Done, Ending, Owner, What};
use crate::system::{Load, Number, OnError, Work};

/// What came of the work of a step or item.
enum Came {
    Sent(Id),
    Out(Value),
    Failed(&'static str),
}

/// What the end of an intent tells.
struct Learnt {
    output: Option<Value>,
    unknown: bool,
    code: Option<String>,
    stopped: bool,
}

impl Turn<'_> {
    pub(super) fn start(&mut self, index: usize) {
        let step = self.step(index);
        let n = self.run.load.n;
        let row = self.row(index);
        let asked = row.attempts > 0 || row.done.unknown || row.items.is_some();
        if !asked && step.condition.is_some_and(|least| n < least) {
            row.done.at = At::Skipped;
            return;
        }
        row.done.at = At::Running;
        row.done.error = None;
        row.attempts += 1;
        match step.work {
            Work::Wait { ms: 0 } => return self.complete_step(index, Value::Null),
            Work::Wait { ms } => {
                let limit = step.timeout_ms.unwrap_or(u64::MAX);
                self.wait(index, Some(ms.min(limit)), limit > ms);
            }
            Work::WaitFor { topic, at_least, timeout_ms } => {
                let meant = |(on, load): &(usize, Load)| {
                    *on == topic && at_least.is_none_or(|least| load.n >= least)
                };
                if let Some(at) = self.run.kept.iter().position(meant) {
                    let (_, load) = self.run.kept.remove(at);
                    return self.complete_step(index, load.value());
                }
                let limit = [timeout_ms, step.timeout_ms].into_iter().flatten().min();
                self.wait(index, limit, false);
            }
            _ if step.items.is_some() => {
                if self.run.steps[index].items.is_none() {
                    let items = step.items.clone().unwrap_or_default();
                    let items = items.iter().map(|n| Done::pending(Value::Int(*n)));
                    self.row(index).items = Some(items.collect());
                    self.row(index).next = 0;
                }
                self.start_more(index);
            }
            _ => self.start_once(index),
        }
        let due = step.timeout_ms.map(|ms| self.model.now.plus_ms(ms));
        let goes_on = self.goes_on();
        let row = self.row(index);
        if row.done.at == At::Running && row.done.error.is_none() && goes_on && due.is_some() {
            row.timer = due;
            row.pauses = false;
        }
    }

    fn wait(&mut self, index: usize, ms: Option<u64>, pauses: bool) {
        let due = ms.map(|ms| self.model.now.plus_ms(ms));
        let row = self.row(index);
        row.done.at = At::Waiting;
        row.timer = due;
        row.pauses = pauses;
    }

    fn start_once(&mut self, index: usize) {
        let kept = &self.run.steps[index].done;
        let kept = kept.unknown.then(|| (kept.intent, kept.input.clone()));
        let (kept, input) = kept.unwrap_or_else(|| (None, self.given(index, 0)));
        let came = self.perform(index, None, &input, kept);
        self.row(index).done.input = input;
        match came {
            Came::Sent(id) => self.row(index).done.intent = Some(id),
            Came::Out(output) => self.complete_step(index, output),
            Came::Failed(code) => self.step_failed(index, code.to_owned()),
        }
    }

    /// What a step or item is given.
    fn given(&self, index: usize, item: i64) -> Value {
        let n = match self.plan.steps[index].number {
            Number::Input => self.run.load.n,
            Number::Item => item,
            Number::Of(step) => {
                let done = &self.run.steps[step].done;
                let output = if done.error.is_some() { &Value::Null } else { &done.output };
                output.get("n").and_then(Value::as_int).unwrap_or(7)
            }
        };
        Load { n, ..self.run.load.clone() }.value()
    }

    fn perform(
        &mut self,
        index: usize,
        item: Option<usize>,
        input: &Value,
        kept: Option<Id>,
    ) -> Came {
        let visit = self.run.steps[index].visit;
        let owner = Owner::Step { run: self.id, step: index, item, visit, undoes: false };
        let load = Load::of(input);
        let what = match (self.plan.steps[index].work, load) {
            (Work::Effect { effect, operation }, _) => {
                let (operation, payload) = (Some(operation), input.clone());
                What::Intent { effect, operation, payload, owner }
            }
            (Work::Run { workflow }, Some(load)) => {
                What::Begin { workflow, load, owner: Some(owner) }
            }
            (Work::Poke { reducer }, Some(load)) => What::Poke { reducer, load, owner },
            (Work::Compute, Some(load)) if load.n == 13 => return Came::Failed("expression_error"),
            (Work::Compute, Some(load)) => {
                let out = [("n", load.n * 2), ("q", 100 / (load.n - 13))];
                return Came::Out(Value::map(out.map(|(name, n)| (name, Value::Int(n)))));
            }
            (Work::Publish { topic }, Some(load)) => {
                let load = Load { d: load.d - 1, ..load };
                let id = self.case.next_id();
                let output = load.value();
                self.model.send(id, 0, self.case.story, What::Event { topic, load });
                return Came::Out(output);
            }
            _ => return Came::Failed("asked"),
        };
        let (id, generation) = match kept {
            Some(id) => (id, visit),
            None => (self.case.next_id(), 0),
        };
        self.model.send(id, generation, self.case.story, what);
        self.run.in_flight += 1;
        Came::Sent(id)
    }

    pub(super) fn complete_step(&mut self, index: usize, output: Value) {
        let order = self.next_end();
        let row = self.row(index);
        row.done.at = At::Completed;
        row.done.output = output;
        row.done.order = order;
        row.timer = None;
    }

    pub(super) fn step_failed(&mut self, index: usize, code: String) {
        let reaction = self.goes_on().then(|| self.reaction(index));
        let row = self.row(index);
        row.done.error = Some(code.clone());
        row.done.at = At::Failed;
        row.timer = None;
        match reaction {
            None | Some(Reaction::GoOn) => {}
            Some(Reaction::Again(ms)) => self.wait(index, Some(ms), true),
            Some(Reaction::Fail) => self.fail(&code, Some(index)),
        }
    }

    /// Starts items in order, at most so many at a time.
    fn start_more(&mut self, index: usize) {
        let step = self.step(index);
        loop {
            let failing = !self.goes_on() || self.run.steps[index].done.error.is_some();
            let row = self.row(index);
            let next = row.next;
            let Some(items) = &mut row.items else { return };
            let running = items.iter().filter(|item| item.at == At::Running).count();
            if failing || running >= step.max_parallel || next >= items.len() {
                break;
            }
            let item = items[next].clone();
            row.next += 1;
            if item.at == At::Pending {
                self.start_item(index, next, &item);
            }
        }
        self.end_items(index);
    }

    fn start_item(&mut self, index: usize, at: usize, item: &Done) {
        // Once it has had an intent, its input is what it was given.
        let input = match item.intent {
            Some(_) => item.input.clone(),
            None => self.given(index, item.input.as_int().unwrap_or_default()),
        };
        let kept = item.intent.filter(|_| item.unknown);
        let came = self.perform(index, Some(at), &input, kept);
        let order = self.next_end();
        let Some(row) = self.item(index, at) else { return };
        match came {
            Came::Sent(id) => {
                row.at = At::Running;
                row.input = input;
                row.intent = Some(id);
            }
            Came::Out(output) => {
                row.at = At::Completed;
                row.input = input;
                row.output = output;
                row.order = order;
            }
            Came::Failed(code) => self.item_failed(index, at, code.to_owned()),
        }
    }

    pub(super) fn item(&mut self, index: usize, at: usize) -> Option<&mut Done> {
        self.row(index).items.as_mut()?.get_mut(at)
    }

    fn item_failed(&mut self, index: usize, at: usize, code: String) {
        if let Some(row) = self.item(index, at) {
            row.at = At::Failed;
            row.error = Some(code.clone());
        }
        if self.step(index).on_error == OnError::Continue {
            return;
        }
        let row = self.row(index);
        row.done.error.get_or_insert(code.clone());
        let others = row.items.iter().flatten().any(|item| item.at == At::Running);
        if others && self.goes_on() && self.reaction(index) == Reaction::Fail {
            self.fail(&code, Some(index));
        }
    }

    /// The step ends when no item of it is under way and none will be.
    fn end_items(&mut self, index: usize) {
        let row = self.row(index);
        let Some(items) = row.items.clone() else { return };
        if row.done.at != At::Running || items.iter().any(|item| item.at == At::Running) {
            return;
        }
        row.done.unknown = items.iter().any(|item| item.unknown);
        let all = items.iter().all(|item| matches!(item.at, At::Completed | At::Failed));
        match row.done.error.clone() {
            Some(code) => self.step_failed(index, code),
            None if all => {
                let outputs = items.into_iter().map(|item| item.output).collect();
                self.complete_step(index, Value::list(outputs));
            }
            None => self.cut_short(index, None),
        }
    }

    /// An intent, poke or run of a step ended.
    pub(super) fn ended(&mut self, owner: &Owner, intent: Id, ending: &Ending) {
        let Owner::Step { step, item, visit, undoes, .. } = *owner else { return };
        let known =
            step < self.run.steps.len() && item.is_none_or(|at| self.item(step, at).is_some());
        if !known {
            return;
        }
        if undoes {
            return self.undone(step, item, visit, ending);
        }
        let row = &self.run.steps[step];
        let done = item.and_then(|at| row.items.as_ref()?.get(at)).unwrap_or(&row.done).clone();
        let current = done.intent == Some(intent)
            && row.visit == visit
            && row.items.is_some() == item.is_some()
            && !self.run.ended;
        if !current || done.at != At::Running {
            return self.ended_late(step, item, current, &done, ending);
        }
        self.run.in_flight -= 1;
        let learnt = learn(ending, done.unknown);
        let order = if learnt.output.is_some() || learnt.unknown { self.next_end() } else { 0 };
        match item {
            None => self.step_learns(step, learnt, order),
            Some(at) => self.item_learns(step, at, learnt, order),
        }
    }

    fn step_learns(&mut self, index: usize, learnt: Learnt, order: u64) {
        let goes_on = self.goes_on();
        let row = self.row(index);
        row.done.unknown = learnt.unknown;
        row.done.order = order;
        match (row.done.error.clone(), learnt.output) {
            (None, Some(output)) => self.complete_step(index, output),
            (Some(code), output) => {
                row.done.output = output.unwrap_or(Value::Null);
                self.step_failed(index, code);
            }
            (None, None) if learnt.stopped && !goes_on => self.cut_short(index, learnt.code),
            (None, None) => {
                self.step_failed(index, learnt.code.unwrap_or_else(|| "cancelled".to_owned()));
            }
        }
    }

    fn item_learns(&mut self, index: usize, at: usize, learnt: Learnt, order: u64) {
        let done = learnt.output.is_some();
        if let Some(row) = self.item(index, at) {
            row.unknown = learnt.unknown;
            row.order = order;
            row.at = if done { At::Completed } else { At::Cancelled };
            row.output = learnt.output.unwrap_or(Value::Null);
            row.error = None;
        }
        let alone = self.goes_on() && self.run.steps[index].done.error.is_none();
        if !done && (!learnt.stopped || alone) {
            let code = learnt.code.unwrap_or_else(|| "cancelled".to_owned());
            self.item_failed(index, at, code);
        }
        self.start_more(index);
    }

    /// An end that nobody awaits any more still tells whether there is something to undo.
    fn ended_late(
        &mut self,
        step: usize,
        item: Option<usize>,
        current: bool,
        done: &Done,
        ending: &Ending,
    ) {
        let has_ended = matches!(done.at, At::Failed | At::Cancelled | At::Waiting);
        let (order, output) = match ending {
            Ending::Done(output) => (self.next_end(), output.clone()),
            Ending::Refused(_) if done.unknown => (0, Value::Null),
            _ => return,
        };
        if !current || !has_ended {
            return;
        }
        let place = match item {
            None => Some(&mut self.row(step).done),
            Some(at) => self.item(step, at),
        };
        if let Some(place) = place {
            if order == 0 || place.order == 0 {
                place.order = order;
            }
            place.unknown = false;
            place.output = output;
        }
    }

    /// The limit of a step, or its pause.
    pub(super) fn step_timer(&mut self, index: usize) {
        let step = self.step(index);
        let row = self.row(index);
        row.timer = None;
        if !row.pauses {
            if row.done.at == At::Running {
                row.done.error = Some("timeout".to_owned());
                self.stop_intents(index);
            } else {
                self.step_failed(index, "timeout".to_owned());
            }
        } else if matches!(step.work, Work::Wait { .. }) && row.done.error.is_none() {
            self.complete_step(index, Value::Null);
        } else {
            self.renew(index, false);
        }
    }
}

fn learn(ending: &Ending, before: bool) -> Learnt {
    let learnt = |unknown, code: Option<&str>, stopped| Learnt {
        output: None,
        unknown,
        code: code.map(str::to_owned),
        stopped,
    };
    match ending {
        Ending::Done(output) => {
            Learnt { output: Some(output.clone()), ..learnt(false, None, false) }
        }
        Ending::Refused(code) => learnt(false, Some(code), false),
        Ending::Exhausted { code, unknown } => learnt(before || *unknown, Some(code), false),
        Ending::InDoubt => learnt(true, Some("in_doubt"), false),
        Ending::Expired => learnt(before, Some("expired"), false),
        Ending::Withdrawn => learnt(before, None, true),
        Ending::Stopped { code, unknown } => learnt(before || *unknown, Some(code), true),
        // Asked to be undone, it tells that it was.
        Ending::Undone { code, cancelled } => learnt(true, Some(code), *cancelled),
    }
}
