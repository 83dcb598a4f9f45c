//! The items of a `for_each` step: laid out once, started in order, at most `max_parallel` at a time.
//!
//! An item's row holds the item itself until it is started and what it was given from then on; it
//! has been given something as soon as it has had an intent.

use alloc::vec::Vec;

use onex_contract::graph::ErrorAction;
use onex_contract::graph::roots::orchestrator::{INDEX, ITEM};
use onex_expr::{Template, Value};

use super::fail::Reaction;
use super::roots::{Roots, templates};
use super::start::Work;
use super::turn::Turn;
use crate::ask;
use crate::row::{Failure, ItemRow, Items, StepStatus};

impl Turn<'_> {
    pub(super) fn start_items(&mut self, index: u16, for_each: &Template, mut roots: Roots) {
        if self.rows.step(index).items.is_none() {
            match ask::items(for_each, &roots, &mut self.fuel) {
                Ok(list) => self.lay_out(index, list),
                Err(error) => {
                    let failure = self.failed(index, "for_each", &error);
                    return self.step_failed(index, failure);
                }
            }
        }
        self.start_more(index, &mut roots);
    }

    fn lay_out(&mut self, index: u16, list: Vec<Value>) {
        let mut total = 0;
        for item in list {
            self.rows.put_item(index, total, new_item(item));
            total += 1;
        }
        self.rows.step_mut(index).items =
            Some(Items { total, next: 0, running: 0, completed: 0, failed: 0 });
    }

    /// Goes on after an item ended.
    pub(super) fn continue_items(&mut self, index: u16) {
        let mut roots = self.roots(templates(self.step(index)));
        self.start_more(index, &mut roots);
    }

    fn start_more(&mut self, index: u16, roots: &mut Roots) {
        let parallel = self.step(index).max_parallel.max(1);
        while self.goes_on() && self.rows.step(index).error.is_none() {
            let Some(items) = &self.rows.step(index).items else {
                return;
            };
            if items.running >= parallel || items.next >= items.total {
                break;
            }
            let item = items.next;
            self.counts(index, |items| items.next += 1);
            match self.rows.item(index, item).map(|row| row.status) {
                Some(StepStatus::Pending) => self.start_item(index, item, roots),
                Some(_) => {}
                None => {
                    let failure = self.failure(index, "missing_row", "an item has no row");
                    self.rows.step_mut(index).error = Some(failure);
                }
            }
        }
        self.end_items(index);
    }

    fn start_item(&mut self, index: u16, item: u32, roots: &mut Roots) {
        let Some(row) = self.rows.item(index, item) else {
            return;
        };
        let given = row.input.clone();
        let kept = row.intent_id.filter(|_| row.unknown);
        roots[INDEX] = Value::Int(item.into());
        let input = if row.intent_id.is_some() {
            Ok(given)
        } else {
            roots[ITEM] = given;
            self.input(index, roots)
        };
        let work = match input {
            Ok(input) => (self.perform(index, Some(item), &input, kept, roots), input),
            Err(failure) => (Work::Failed(failure), Value::Null),
        };
        match work {
            (Work::Sent(id), input) => {
                self.counts(index, |items| items.running += 1);
                if let Some(row) = self.rows.item_mut(index, item) {
                    row.status = StepStatus::Running;
                    row.input = input;
                    row.intent_id = Some(id);
                }
            }
            (Work::Done(output), input) => {
                let end_order = self.next_end();
                self.counts(index, |items| items.completed += 1);
                if let Some(row) = self.rows.item_mut(index, item) {
                    row.status = StepStatus::Completed;
                    row.input = input;
                    row.output = output;
                    row.end_order = end_order;
                }
            }
            (Work::Failed(failure), _) => self.item_failed(index, item, failure),
        }
    }

    /// An item failed. Unless the others are to be tried all the same, the step fails with it, and
    /// where that fails the run, nothing waits for the siblings to notice.
    pub(super) fn item_failed(&mut self, index: u16, item: u32, failure: Failure) {
        self.counts(index, |items| items.failed += 1);
        if let Some(row) = self.rows.item_mut(index, item) {
            row.status = StepStatus::Failed;
            row.error = Some(failure.clone());
        }
        if self.step(index).error_action == ErrorAction::Continue {
            return;
        }
        let row = self.rows.step_mut(index);
        row.error.get_or_insert(failure.clone());
        let others = row.items.as_ref().is_some_and(|items| items.running > 0);
        if others && self.goes_on() && self.reaction(index) == Reaction::Fail {
            self.fail_run(failure);
        }
    }

    /// Ends the step when no item of it is under way and none will be.
    fn end_items(&mut self, index: u16) {
        let row = self.rows.step(index);
        let Some(items) = &row.items else {
            return;
        };
        if row.status != StepStatus::Running || items.running > 0 {
            return;
        }
        let all = items.completed + items.failed == items.total;
        let error = row.error.clone();
        let unknown = self.rows.items(index).any(|(_, item)| item.unknown);
        self.rows.step_mut(index).unknown = unknown;
        match error {
            Some(error) => self.step_failed(index, error),
            None if all => {
                let rows = self.rows.items(index);
                let (outputs, errors): (Vec<_>, Vec<_>) = rows
                    .map(|(at, item)| {
                        let error = item.error.clone().map(|failure| (at, failure));
                        (item.output.clone(), error)
                    })
                    .unzip();
                self.rows.step_mut(index).errors = errors.into_iter().flatten().collect();
                self.complete_step(index, Value::list(outputs));
            }
            None => self.step_cancelled(index, None),
        }
    }

    pub(super) fn counts(&mut self, index: u16, change: impl FnOnce(&mut Items)) {
        if let Some(items) = &mut self.rows.step_mut(index).items {
            change(items);
        }
    }
}

fn new_item(item: Value) -> ItemRow {
    ItemRow {
        status: StepStatus::Pending,
        input: item,
        output: Value::Null,
        error: None,
        intent_id: None,
        unknown: false,
        end_order: 0,
    }
}
