//! Compensation: what was done, or may have been, is undone, one at a time, latest first.

use alloc::vec::Vec;

use onex_contract::graph::roots::orchestrator::STEP;
use onex_contract::graph::{Compensation, ErrorAction, Performer, Recovery, StepWork};
use onex_expr::{Text, Value};

use super::ends::End;
use super::fail::CANCELLED;
use super::start::Call;
use super::turn::Turn;
use crate::decision::{Beside, Published, Subject};
use crate::row::{Ending, Owner, Reason, StepStatus, Undoing};
use crate::{Fault, Produced, Tidings, Told, ask};

/// A step or item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    /// First, so that the latest is the greatest.
    end_order: u64,
    step: u16,
    item: Option<u32>,
}

impl Turn<'_> {
    /// A run that failed undoes what it must, then it is over. Nothing happens while an end is
    /// awaited.
    pub(super) fn undo_or_end(&mut self) {
        while self.rows.in_flight() == 0 {
            let next = self.must_undo().then(|| self.latest()).flatten();
            match next {
                Some(target) => self.undo(target),
                None => {
                    self.tell_what_stands();
                    return self.end_failed_run();
                }
            }
        }
    }

    /// Whether the run was ended by request.
    pub(super) fn was_cancelled(&self) -> bool {
        let error = self.rows.head().error.as_ref();
        error.is_some_and(|error| error.step.is_none() && error.code == CANCELLED)
    }

    fn must_undo(&self) -> bool {
        let failed = self.rows.head().error.as_ref().and_then(|error| error.step.as_ref());
        let failed = failed.and_then(|id| self.plan.steps.iter().find(|step| step.id == *id));
        self.was_cancelled()
            || self.plan.recovery == Recovery::Compensate
            || failed.is_some_and(|step| step.error_action == ErrorAction::Compensate)
    }

    fn latest(&self) -> Option<Target> {
        let targets = self.indices().flat_map(|step| self.targets(step));
        targets.max()
    }

    /// What of a step is to be undone.
    fn targets(&self, step: u16) -> impl Iterator<Item = Target> {
        let can = self.is_undone_by_itself(step)
            || matches!(self.step(step).compensation, Compensation::Operation { .. });
        self.done(step).filter(move |_| can)
    }

    /// What of a step was done, or may have been, and is not undone.
    fn done(&self, step: u16) -> impl Iterator<Item = Target> {
        let row = self.rows.step(step);
        let whole = row.items.is_none().then_some((None, row.status, row.end_order));
        let items = self.rows.items(step);
        let items = items.map(|(at, item)| (Some(at), item.status, item.end_order));
        whole.into_iter().chain(items).filter_map(move |(item, status, end_order)| {
            let is_open = matches!(
                status,
                // Pending: the run ended before what may have happened was asked again.
                StepStatus::Completed
                    | StepStatus::Failed
                    | StepStatus::Cancelled
                    | StepStatus::Pending
            );
            (is_open && end_order > 0).then_some(Target { end_order, step, item })
        })
    }

    /// A sub-workflow undoes its own steps, unless the contract says how else.
    pub(super) fn is_undone_by_itself(&self, step: u16) -> bool {
        let step = self.step(step);
        matches!(step.work, StepWork::Run { .. })
            && matches!(step.compensation, Compensation::Unsaid)
    }

    fn undo(&mut self, target: Target) {
        let Target { step, item, .. } = target;
        if self.is_undone_by_itself(step) {
            return self.undo_sub_run(target);
        }
        let Compensation::Operation { node, operation, topic, input } =
            &self.step(step).compensation
        else {
            return;
        };
        if self.rows.head().compensation != Undoing::Running {
            self.rows.head_mut().compensation = Undoing::Running;
        }
        let (given, undone) = self.undone(target);
        let payload = match input {
            None => Ok(given.clone()),
            Some(template) => {
                let mut roots = self.roots([template]);
                roots[STEP] = undone;
                ask::data(template, &roots, &mut self.fuel)
            }
        };
        match payload {
            Ok(payload) => {
                self.send(Call {
                    performer: Performer::Operation(*node, *operation),
                    topic,
                    payload,
                    step,
                    item,
                    compensation: true,
                    kept: None,
                });
                self.mark(step, item, StepStatus::Compensating);
            }
            Err(error) => {
                let unsent = Published {
                    id: self.draft.next_id(),
                    topic: topic.clone(),
                    key: self.rows.head().key.clone(),
                    payload: given,
                };
                let detail = alloc::format!("compensation input: {}", error.message);
                let node = self.graph.node(*node).name.clone();
                self.gave_up(step, item, node, detail.into(), Subject::Unsent(unsent));
            }
        }
    }

    fn undo_sub_run(&mut self, Target { step, item, .. }: Target) {
        if self.rows.head().compensation != Undoing::Running {
            self.rows.head_mut().compensation = Undoing::Running;
        }
        let row = self.rows.step(step);
        let begun = match item {
            Some(item) => self.rows.item(step, item).and_then(|row| row.intent_id),
            None => row.intent_id,
        };
        let owner = Owner::Step {
            run: self.rows.head().id,
            step,
            item,
            visit: row.visit,
            compensation: true,
        };
        self.mark(step, item, StepStatus::Compensating);
        *self.rows.in_flight_mut() += 1;
        // A step that began no run did nothing: `latest` names only those that did.
        let run = begun.unwrap_or_default();
        let told = Told { run, what: Tidings::Undo(owner) };
        self.draft.decision.messages.push(Produced::Tell(told));
    }

    /// What it was given, and the root `step`.
    fn undone(&self, target: Target) -> (Value, Value) {
        let row = self.rows.step(target.step);
        let item = target.item.and_then(|item| self.rows.item(target.step, item));
        let (input, output, intent_id, unknown) = match item {
            Some(row) => (&row.input, &row.output, row.intent_id, row.unknown),
            None => (&row.input, &row.output, row.intent_id, row.unknown),
        };
        let id = intent_id.map_or(Value::Null, |id| Value::text(alloc::format!("{id}")));
        let root = Value::map([
            ("input", input.clone()),
            ("output", if unknown { Value::Null } else { output.clone() }),
            ("intent_id", id),
            ("status", Value::text(if unknown { "unknown" } else { "completed" })),
        ]);
        (input.clone(), root)
    }

    /// The end of an intent that undoes a step or item: one that is awaited, or one that was given
    /// up and put back.
    pub(super) fn compensation_ended(&mut self, end: End<'_>) {
        let row = self.rows.step(end.step);
        let item = end.item.and_then(|item| self.rows.item(end.step, item));
        let status = item.map_or(row.status, |item| item.status);
        let current = row.visit == end.visit && row.items.is_some() == end.item.is_some();
        let awaited = status == StepStatus::Compensating && !self.is_terminal();
        if !current || !(awaited || status == StepStatus::CompensationFailed) {
            return self.ignore("late");
        }
        if awaited {
            *self.rows.in_flight_mut() -= 1;
        }
        match end.ending {
            Ending::Completed(_) => {
                self.mark(end.step, end.item, StepStatus::Compensated);
                if self.is_terminal() && !self.is_incomplete() {
                    self.rows.head_mut().compensation = Undoing::Done;
                    self.tell_parent();
                }
            }
            Ending::Refused(failure)
            | Ending::Exhausted { failure, .. }
            | Ending::InDoubt(failure)
            | Ending::Expired(failure)
            | Ending::Stopped { failure, .. }
            | Ending::Undone { failure, .. } => {
                let (node, detail) = (self.performer(end.step), failure.message.clone());
                self.gave_up(end.step, end.item, node, detail, Subject::IntentAtHand);
            }
            Ending::Withdrawn => {
                let (node, detail) = (self.performer(end.step), "it was withdrawn".into());
                self.gave_up(end.step, end.item, node, detail, Subject::IntentAtHand);
            }
        }
    }

    fn performer(&self, step: u16) -> Text {
        match &self.step(step).compensation {
            Compensation::Operation { node, .. } => self.graph.node(*node).name.clone(),
            Compensation::Unsaid | Compensation::Nothing => self.node.name.clone(),
        }
    }

    /// The others go on.
    fn gave_up(
        &mut self,
        step: u16,
        item: Option<u32>,
        node: Text,
        detail: Text,
        subject: Subject,
    ) {
        self.mark(step, item, StepStatus::CompensationFailed);
        if self.is_undone_by_itself(step) {
            // Its own steps could not be undone: their dead letters say so.
            return;
        }
        self.draft.decision.letters.push(Beside {
            fault: Fault { reason: Reason::CompensationFailed, detail },
            node,
            step: Some(self.step(step).id.clone()),
            subject,
        });
    }

    /// A run that is undone for the step that began it says which of its effects stand, because
    /// its contract does not say how to undo them.
    pub(super) fn tell_what_stands(&mut self) {
        let owner = self.rows.head().answers.as_ref();
        if !matches!(owner, Some(Owner::Step { compensation: true, .. })) {
            return;
        }
        for index in self.indices() {
            let step = self.step(index);
            let is_effect = matches!(step.work, StepWork::Effect { .. });
            if !is_effect || !matches!(step.compensation, Compensation::Unsaid) {
                continue;
            }
            let standing: Vec<Target> = self.done(index).collect();
            for target in standing {
                self.mark(index, target.item, StepStatus::CompensationFailed);
                let failure =
                    self.failure(index, "not_undone", "the contract does not say how to undo it");
                self.rows.step_mut(index).error = Some(failure);
            }
        }
    }

    /// What came of undoing, once nothing more will be undone.
    pub(super) fn settle_compensation(&mut self) {
        let incomplete = self.is_incomplete();
        let before = self.rows.head().compensation;
        let after = match before {
            _ if incomplete => Undoing::Incomplete,
            Undoing::Running => Undoing::Done,
            before => before,
        };
        if after != before {
            self.rows.head_mut().compensation = after;
        }
    }

    /// Whether anything could not be undone.
    pub(super) fn is_incomplete(&self) -> bool {
        let failed = |status| status == StepStatus::CompensationFailed;
        self.indices().any(|step| {
            failed(self.rows.step(step).status)
                || self.rows.items(step).any(|(_, item)| failed(item.status))
        })
    }

    fn mark(&mut self, step: u16, item: Option<u32>, status: StepStatus) {
        let Some(item) = item else {
            self.rows.step_mut(step).status = status;
            return;
        };
        if let Some(row) = self.rows.item_mut(step, item) {
            row.status = status;
        }
        let has = |wanted| self.rows.items(step).any(|(_, item)| item.status == wanted);
        let whole = if has(StepStatus::Compensating) || self.targets(step).next().is_some() {
            StepStatus::Compensating
        } else if has(StepStatus::CompensationFailed) {
            StepStatus::CompensationFailed
        } else {
            StepStatus::Compensated
        };
        if self.rows.step(step).status != whole {
            self.rows.step_mut(step).status = whole;
        }
    }
}
