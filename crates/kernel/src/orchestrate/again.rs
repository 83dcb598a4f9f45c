//! What is done anew: a step after its pause, a run by request.
//!
//! What stands stays: completed steps and items keep their output. What is not known to have happened
//! is asked again under the same key, everything else under a new one.

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
        let anew = self.anew();
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
            self.renew(index);
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

    /// The steps that do not stand, and with them whatever merely follows from their outputs.
    fn anew(&self) -> BTreeSet<u16> {
        let mut anew: BTreeSet<u16> = self
            .indices()
            .filter(|index| {
                matches!(
                    self.rows.step(*index).status,
                    StepStatus::Failed | StepStatus::Cancelled | StepStatus::Compensated
                )
            })
            .collect();
        let mut ahead: Vec<u16> = anew.iter().copied().collect();
        while let Some(index) = ahead.pop() {
            for dependent in &self.step(index).dependents {
                let status = self.rows.step(*dependent).status;
                let follows = status == StepStatus::Skipped
                    || (status == StepStatus::Completed
                        && matches!(self.step(*dependent).work, StepWork::Compute { .. }));
                if follows && anew.insert(*dependent) {
                    ahead.push(*dependent);
                }
            }
        }
        anew
    }

    /// Puts a step back to where it can start; one that is known to have been done after all has
    /// its output.
    pub(super) fn renew(&mut self, index: u16) {
        let is_compute = matches!(self.step(index).work, StepWork::Compute { .. });
        let row = self.rows.step_mut(index);
        let undone = row.status == StepStatus::Compensated;
        row.error = None;
        row.errors = Vec::new();
        row.timer = None;
        if row.items.is_none() && row.end_order > 0 && !row.unknown && !undone && !is_compute {
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
            self.renew_items(index, is_compute);
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
