//! A run that a step of another run began: what it tells that step, and how it is undone for it.

use onex_expr::Value;

use super::fail::CANCELLED;
use super::turn::Turn;
use crate::row::{Ending, Failure, Owner, RunStatus, Undoing};
use crate::{Produced, Tidings, Told};

impl Turn<'_> {
    /// Tells the step that awaits it how this run ended, or that it was undone.
    pub(super) fn tell_parent(&mut self) {
        let head = self.rows.head();
        let Some(owner) = head.answers.clone() else {
            return;
        };
        let Owner::Step { run: parent, compensation, .. } = owner else {
            return;
        };
        let ending = if compensation { self.undone_for_parent() } else { self.ended_for_parent() };
        let what = Tidings::Ended { owner, run: self.rows.head().id, ending };
        self.draft.decision.messages.push(Produced::Tell(Told { run: parent, what }));
    }

    fn ended_for_parent(&self) -> Ending {
        let head = self.rows.head();
        if head.status == RunStatus::Completed {
            return Ending::Completed(head.result.clone());
        }
        let failure = head.error.clone().unwrap_or_else(|| Failure {
            code: "failed".into(),
            message: "the run failed".into(),
            step: None,
        });
        let cancelled = self.was_cancelled();
        let whole = match head.compensation {
            Undoing::None => {
                // What it did and did not undo is left to whoever undoes the step.
                let unknown = self.did_something();
                return match (cancelled, unknown) {
                    (true, unknown) => Ending::Stopped { unknown, failure },
                    (false, true) => Ending::Exhausted { failure, unknown },
                    (false, false) => Ending::Refused(failure),
                };
            }
            compensation => compensation == Undoing::Done,
        };
        Ending::Undone { failure, whole, cancelled }
    }

    fn did_something(&self) -> bool {
        self.indices().any(|step| {
            self.rows.step(step).end_order > 0
                || self.rows.items(step).any(|(_, item)| item.end_order > 0)
        })
    }

    fn undone_for_parent(&self) -> Ending {
        match self.rows.head().compensation {
            Undoing::None | Undoing::Done => Ending::Completed(Value::Null),
            Undoing::Running | Undoing::Incomplete => Ending::Refused(Failure {
                code: "incomplete".into(),
                message: "not every step of the run could be undone".into(),
                step: None,
            }),
        }
    }

    /// The step that began this run undoes it: it is cancelled, also where it has completed.
    pub(super) fn undo_all(&mut self, owner: Owner) {
        let head = self.rows.head_mut();
        head.answers = Some(owner);
        let is_open = head.ended_at.is_none();
        let stands = head.compensation == Undoing::None && head.status != RunStatus::Cancelled;
        if is_open {
            if self.goes_on() {
                self.cancel();
            }
            return;
        }
        if !stands {
            self.tell_what_stands();
            self.settle_compensation();
            return self.tell_parent();
        }
        let head = self.rows.head_mut();
        head.status = RunStatus::Running;
        head.ended_at = None;
        head.error = None;
        self.fail_run(Failure {
            code: CANCELLED.into(),
            message: "the run that began it was undone".into(),
            step: None,
        });
    }
}
