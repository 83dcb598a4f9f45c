//! What one run tells another: that it is not wanted any more, that it is to be undone, that it
//! ended.

use alloc::boxed::Box;
use alloc::string::ToString;

use onex_expr::{Text, Value};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Ending, Failure, Owner, Reason};
use onex_kernel::{Category, Fault, Id, Message, Origin, Tidings, Told};

use crate::codec::Corrupt;
use crate::end::payload_of;
use crate::engine::Engine;
use crate::work::{Progress, Tell, Waiting, Work};

impl Engine {
    /// A run is told something by another one.
    pub(crate) fn tell(&mut self, waiting: Box<Waiting<Tell>>) -> Result<Progress, Corrupt> {
        let run = waiting.what.told.run;
        if !self.rows.has_run(run, &self.graphs)? {
            return Ok(Progress::Missing(Work::Tell(waiting)));
        }
        let Waiting { what: Tell { told, cause, from }, row } = *waiting;
        let mut sink = self.begin_record();
        if let Some(row) = row {
            sink.delete(row);
        }
        let correlation_id = self.rows.run(run).map_or(run, |run| run.head.correlation_id);
        let (category, payload) = match &told.what {
            Tidings::Cancel => (Category::Control, control("cancel", run)),
            Tidings::Undo(_) => (Category::Control, control("undo", run)),
            Tidings::Ended { ending, .. } => (Category::Outcome, payload_of(ending)),
        };
        let message = self.own_message(category, Origin::Derived, run, payload);
        let message =
            Message { correlation_id, causation_id: Some(cause), node: Some(from), ..message };
        match &told.what {
            Tidings::Cancel => self.advance_run(run, RunInput::Cancel, &message, &mut sink),
            Tidings::Undo(owner) if self.rows.run(run).is_none() => {
                let detail = "the run that it began is not kept any more".into();
                let fault = Fault { reason: Reason::NoRoute, detail };
                self.tell_failed(owner.clone(), run, &fault, &message, &Text::default());
            }
            Tidings::Undo(owner) => {
                self.advance_run(run, RunInput::Undo(owner.clone()), &message, &mut sink);
            }
            Tidings::Ended { owner, run: begun, ending } => {
                if let Owner::Step { step, item, visit, compensation, .. } = *owner {
                    let intent = *begun;
                    let input = RunInput::Ended { step, item, visit, compensation, intent, ending };
                    self.advance_run(run, input, &message, &mut sink);
                }
            }
        }
        let graph = self.active.id;
        self.end_record(&message, graph, sink);
        Ok(Progress::Done)
    }

    /// Tells the step that wanted a run that there is none.
    pub(crate) fn tell_failed(
        &mut self,
        owner: Owner,
        run: Id,
        fault: &Fault,
        cause: &Message,
        from: &Text,
    ) {
        let Owner::Step { run: parent, .. } = owner else {
            return;
        };
        let ending = Ending::Refused(Failure {
            code: fault.reason.as_str().into(),
            message: fault.detail.clone(),
            step: None,
        });
        let told = Told { run: parent, what: Tidings::Ended { owner, run, ending } };
        let what = Tell { told, cause: cause.id, from: from.clone() };
        self.derived.push_back(Work::Tell(Box::new(Waiting { what, row: None })));
    }
}

fn control(what: &'static str, run: Id) -> Value {
    Value::map([("control", Value::text(what)), ("run_id", Value::text(run.to_string()))])
}
