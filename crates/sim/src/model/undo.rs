//! Compensation: what was done, or may have been, is undone, one at a time, latest first.

use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::row::LetterStatus;

use super::run::Turn;
use super::{At, Done, Ending, Intent, Letter, Owner, Status, Undoing, What};
use crate::system::{OnError, Recovery, Work};

impl Turn<'_> {
    pub(super) fn undo_or_end(&mut self) {
        while self.run.in_flight == 0 {
            let latest = if self.must_undo() { self.targets().max() } else { None };
            match latest {
                Some((_, step, item)) => self.undo(step, item),
                None => return self.end_badly(),
            }
        }
    }

    fn must_undo(&self) -> bool {
        let step = self.run.error.as_ref().and_then(|error| error.step);
        let asked = step.is_some_and(|step| self.plan.steps[step].on_error == OnError::Compensate);
        self.was_cancelled() || self.plan.recovery == Recovery::Compensate || asked
    }

    /// What is to be undone: when it ended, step, item.
    fn targets(&self) -> impl Iterator<Item = (u64, usize, Option<usize>)> {
        let open = |done: &Done| {
            let at = matches!(done.at, At::Completed | At::Failed | At::Cancelled | At::Pending);
            at && done.order > 0
        };
        let mut all = Vec::new();
        for (index, row) in self.run.steps.iter().enumerate() {
            if !self.can_be_undone(index) {
                continue;
            }
            match &row.items {
                None if open(&row.done) => all.push((row.done.order, index, None)),
                None => {}
                Some(items) => {
                    let items = items.iter().enumerate().filter(|(_, item)| open(item));
                    all.extend(items.map(|(at, item)| (item.order, index, Some(at))));
                }
            }
        }
        all.into_iter()
    }

    fn is_run(&self, step: usize) -> bool {
        matches!(self.plan.steps[step].work, Work::Run { .. })
    }

    fn can_be_undone(&self, step: usize) -> bool {
        self.plan.steps[step].undone || self.is_run(step)
    }

    fn undo(&mut self, step: usize, item: Option<usize>) {
        self.run.undoing = Undoing::Running;
        self.run.in_flight += 1;
        let row = &self.run.steps[step];
        let done = item.and_then(|at| row.items.as_ref()?.get(at)).unwrap_or(&row.done);
        let intent = done.intent;
        let owner = Owner::Step { run: self.id, step, item, visit: row.visit, undoes: true };
        if self.is_run(step) {
            self.mark(step, item, At::Compensating);
            let run = intent.unwrap_or_default();
            self.model.send(run, 0, self.case.story, What::Undo(owner));
            return;
        }
        let id = self.case.next_id();
        let done = intent.map_or(Value::Null, |id: Id| Value::text(id.to_string()));
        let payload = Value::map([("done", done)]);
        let what = What::Intent { effect: 0, operation: None, payload, owner };
        self.model.send(id, 0, self.case.story, what);
        self.mark(step, item, At::Compensating);
    }

    fn mark(&mut self, step: usize, item: Option<usize>, at: At) {
        let Some(item) = item else {
            self.row(step).done.at = at;
            return;
        };
        if let Some(row) = self.item(step, item) {
            row.at = at;
        }
        let more = self.targets().any(|(_, of, _)| of == step);
        let row = self.row(step);
        let has = |wanted| row.items.iter().flatten().any(|item| item.at == wanted);
        row.done.at = if has(At::Compensating) || more {
            At::Compensating
        } else if has(At::CompensationFailed) {
            At::CompensationFailed
        } else {
            At::Compensated
        };
    }

    /// The end of what undoes a step or item: awaited, or given up once and put back.
    pub(super) fn undone(&mut self, step: usize, item: Option<usize>, visit: u32, ending: &Ending) {
        let row = &self.run.steps[step];
        let current = row.visit == visit && row.items.is_some() == item.is_some();
        let at = item.and_then(|at| row.items.as_ref()?.get(at)).unwrap_or(&row.done).at;
        let awaited = at == At::Compensating && !self.run.ended;
        if !current || !(awaited || at == At::CompensationFailed) {
            return;
        }
        if awaited {
            self.run.in_flight -= 1;
        }
        if !matches!(ending, Ending::Done(_)) {
            self.mark(step, item, At::CompensationFailed);
            // A run could not be undone: its own letters say so.
            if let Some((id, intent)) = self.model.at_hand.clone() {
                self.gave_up(id, intent);
            }
            return;
        }
        self.mark(step, item, At::Compensated);
        if self.run.ended && !self.is_incomplete() {
            self.run.undoing = Undoing::Done;
            self.tell_parent();
        }
    }

    fn gave_up(&mut self, id: Id, intent: Intent) {
        self.model.letters.push(Letter {
            reason: "compensation_failed",
            node: format!("e{}", intent.effect),
            message: id,
            generation: intent.generation,
            run: Some(self.id),
            status: LetterStatus::Open,
            again: intent.again(),
        });
    }

    fn is_incomplete(&self) -> bool {
        self.run.steps.iter().any(|row| {
            row.done.at == At::CompensationFailed
                || row.items.iter().flatten().any(|item| item.at == At::CompensationFailed)
        })
    }

    fn end_badly(&mut self) {
        if self.run.undoing == Undoing::Running {
            let incomplete = self.is_incomplete();
            self.run.undoing = if incomplete { Undoing::Incomplete } else { Undoing::Done };
        }
        let cancelled = self.was_cancelled();
        self.end(if cancelled { Status::Cancelled } else { Status::Failed });
        self.tell(self.plan.failed);
    }

    /// The step that began it undoes it: it is cancelled, also where it has completed.
    pub(super) fn undo_all(&mut self, owner: Owner) {
        self.run.answers = Some(owner);
        if !self.run.ended {
            if self.goes_on() {
                self.cancel();
            }
            return;
        }
        if self.run.undoing != Undoing::None || self.run.status == Status::Cancelled {
            return self.tell_parent();
        }
        self.run.status = Status::Running;
        self.run.ended = false;
        self.fail("cancelled", None);
    }
}
