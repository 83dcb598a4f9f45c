//! What is done anew: a step after its pause, a run by request.
//!
//! What stands stays: completed steps and items keep their output. What was undone does not stand, nor
//! what depends on it, directly or not. What is not known to have happened is asked again under the
//! same key, everything else under a new one.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use onex_contract::graph::StepWork;
use onex_expr::Value;

use super::turn::Turn;
use crate::row::{ItemRow, Owner, RunStatus, StepStatus, Undoing};

impl Turn<'_> {
    /// Makes a failed run start again.
    pub(super) fn retry(&mut self) {
        let head = self.rows.head();
        let can = matches!(head.status, RunStatus::Failed | RunStatus::Cancelled)
            && matches!(head.compensation, Undoing::None | Undoing::Done);
        if !can {
            return self.ignore("not_retriable");
        }
        let fallen = self.fallen();
        let anew = self.anew(&fallen);
        let timer = self.arm_ms(self.plan.timeout_ms);
        let head = self.rows.head_mut();
        head.status = RunStatus::Running;
        head.compensation = Undoing::None;
        head.error = None;
        head.ended_at = None;
        head.timer = Some(timer);
        head.visit += 1;
        for index in anew {
            self.rows.step_mut(index).attempts = 0;
            self.renew(index, fallen.contains(&index));
        }
        self.consider_all();
    }

    /// The step that began this run wants it done again.
    pub(super) fn again(&mut self, owner: Owner) {
        self.rows.head_mut().answers = Some(owner);
        self.retry();
        if self.is_terminal() {
            self.tell_parent();
        }
    }

    /// The steps that were undone, and those that depend on them.
    fn fallen(&self) -> BTreeSet<u16> {
        let undone =
            self.indices().filter(|at| self.rows.step(*at).status == StepStatus::Compensated);
        self.with_dependents(undone.collect(), |_| true)
    }

    /// The steps that do not stand, and with them whatever merely follows from their outputs.
    fn anew(&self, fallen: &BTreeSet<u16>) -> BTreeSet<u16> {
        let failed = self.indices().filter(|index| {
            matches!(self.rows.step(*index).status, StepStatus::Failed | StepStatus::Cancelled)
        });
        self.with_dependents(failed.chain(fallen.iter().copied()).collect(), |index| {
            match self.rows.step(index).status {
                StepStatus::Skipped => true,
                StepStatus::Completed => {
                    matches!(self.step(index).work, StepWork::Compute { .. })
                }
                _ => false,
            }
        })
    }

    /// These steps, and those of their dependents that go with them.
    fn with_dependents(
        &self,
        mut steps: BTreeSet<u16>,
        goes_with: impl Fn(u16) -> bool,
    ) -> BTreeSet<u16> {
        let mut ahead: Vec<u16> = steps.iter().copied().collect();
        while let Some(index) = ahead.pop() {
            for dependent in &self.step(index).dependents {
                if goes_with(*dependent) && steps.insert(*dependent) {
                    ahead.push(*dependent);
                }
            }
        }
        steps
    }

    /// Puts a step back to where it can start; one that is known to have been done after all has
    /// its output, unless what it depends on has `fallen`.
    pub(super) fn renew(&mut self, index: u16, fallen: bool) {
        let is_compute = matches!(self.step(index).work, StepWork::Compute { .. });
        let row = self.rows.step_mut(index);
        let all = is_compute || (fallen && !row.unknown);
        let undone = row.status == StepStatus::Compensated;
        row.error = None;
        row.errors = Vec::new();
        row.timer = None;
        if row.items.is_none() && row.end_order > 0 && !row.unknown && !undone && !all {
            let output = core::mem::replace(&mut row.output, Value::Null);
            let end_order = row.end_order;
            self.complete_step(index, output);
            self.rows.step_mut(index).end_order = end_order;
            return;
        }
        row.visit += 1;
        row.status = StepStatus::Pending;
        row.output = Value::Null;
        row.ended_at = None;
        row.unknown &= !undone;
        if row.items.is_some() {
            self.renew_items(index, all);
        } else if !row.unknown {
            row.intent_id = None;
            row.end_order = 0;
            row.input = Value::Null;
        }
        self.consider(index);
    }

    /// Items that stand stay; when none does, the list itself is made anew.
    fn renew_items(&mut self, index: u16, all: bool) {
        let stands = |item: &ItemRow| item.end_order > 0 && item.status != StepStatus::Compensated;
        if all || !self.rows.items(index).any(|(_, item)| stands(item)) {
            self.rows.clear_items(index);
            let row = self.rows.step_mut(index);
            row.items = None;
            row.unknown = false;
            row.end_order = 0;
            return;
        }
        let open = self.rows.items(index).filter(|(_, item)| {
            !matches!(item.status, StepStatus::Completed | StepStatus::Pending)
        });
        let open: Vec<u32> = open.map(|(at, _)| at).collect();
        for at in open {
            let Some(item) = self.rows.item_mut(index, at) else {
                continue;
            };
            item.error = None;
            if stands(item) && !item.unknown {
                item.status = StepStatus::Completed;
                continue;
            }
            if !stands(item) {
                item.unknown = false;
                item.end_order = 0;
            }
            item.status = StepStatus::Pending;
            item.output = Value::Null;
        }
        let completed = self.rows.items(index).map(|(_, item)| item.status);
        let completed = completed.filter(|status| *status == StepStatus::Completed);
        let completed = completed.fold(0, |count, _| count + 1);
        self.counts(index, |items| {
            items.next = 0;
            items.completed = completed;
            items.failed = 0;
        });
    }
}
