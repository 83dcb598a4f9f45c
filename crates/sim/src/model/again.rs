//! Again: a run that an operator or the step that began it wants retried, a step that is renewed.

use onex_expr::Value;

use super::run::Turn;
use super::{At, Done, Owner, Status, Undoing};
use crate::system::Work;

impl Turn<'_> {
    /// An operator wants it tried again.
    pub(super) fn retry(&mut self) {
        let failed = matches!(self.run.status, Status::Failed | Status::Cancelled);
        if !failed || !matches!(self.run.undoing, Undoing::None | Undoing::Done) {
            return;
        }
        let again = |at| matches!(at, At::Failed | At::Cancelled | At::Compensated);
        let steps = 0..self.run.steps.len();
        // What depends on a step that was undone falls with it.
        let mut fallen: Vec<usize> = steps
            .clone()
            .filter(|index| self.run.steps[*index].done.at == At::Compensated)
            .collect();
        let mut at = 0;
        while let Some(index) = fallen.get(at).copied() {
            at += 1;
            let depends = |next: &usize| self.plan.steps[*next].depends_on.contains(&index);
            let more: Vec<usize> =
                steps.clone().filter(|next| depends(next) && !fallen.contains(next)).collect();
            fallen.extend(more);
        }
        let mut anew: Vec<usize> = steps
            .clone()
            .filter(|index| again(self.run.steps[*index].done.at) || fallen.contains(index))
            .collect();
        // With them goes what merely follows from their outputs.
        let mut at = 0;
        while let Some(index) = anew.get(at).copied() {
            at += 1;
            for next in steps.clone() {
                let (step, row) = (&self.plan.steps[next], &self.run.steps[next]);
                let follows = row.done.at == At::Skipped
                    || (row.done.at == At::Completed && step.work == Work::Compute);
                if step.depends_on.contains(&index) && follows && !anew.contains(&next) {
                    anew.push(next);
                }
            }
        }
        self.run.status = Status::Running;
        self.run.undoing = Undoing::None;
        self.run.error = None;
        self.run.ended = false;
        self.run.timer = Some(self.model.now.plus_ms(self.plan.timeout_ms));
        anew.sort_unstable();
        for index in anew {
            self.row(index).attempts = 0;
            self.renew(index, fallen.contains(&index));
        }
    }

    /// The step that began it wants it done again.
    pub(super) fn again(&mut self, owner: Owner) {
        self.run.answers = Some(owner);
        self.retry();
        if self.run.ended {
            self.tell_parent();
        }
    }

    /// Puts a step back to where it can start.
    pub(super) fn renew(&mut self, index: usize, fallen: bool) {
        let computes = self.step(index).work == Work::Compute;
        let row = self.row(index);
        let computes = computes || (fallen && !row.done.unknown);
        let undone = row.done.at == At::Compensated;
        row.done.error = None;
        row.timer = None;
        let stands = row.done.order > 0 && !row.done.unknown && !undone;
        if row.items.is_none() && stands && !computes {
            // It is known to have been done after all.
            row.done.at = At::Completed;
            return;
        }
        row.visit += 1;
        row.done.at = At::Pending;
        row.done.output = Value::Null;
        row.done.unknown &= !undone;
        if let Some(items) = &mut row.items {
            let stands = |item: &Done| item.order > 0 && item.at != At::Compensated;
            row.next = 0;
            if computes || !items.iter().any(stands) {
                row.items = None;
                row.done.unknown = false;
                row.done.order = 0;
                return;
            }
            for item in items.iter_mut() {
                if matches!(item.at, At::Completed | At::Pending) {
                    continue;
                }
                item.error = None;
                if stands(item) && !item.unknown {
                    item.at = At::Completed;
                    continue;
                }
                if !stands(item) {
                    item.unknown = false;
                    item.order = 0;
                }
                item.at = At::Pending;
                item.output = Value::Null;
            }
        } else if !row.done.unknown {
            row.done.intent = None;
            row.done.order = 0;
            row.done.input = Value::Null;
        }
    }
}
