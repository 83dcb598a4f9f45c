//! The end of a run: its result, and the message that tells of it.

use alloc::format;

use onex_contract::graph::roots::orchestrator::{ERROR, RESULT};
use onex_expr::{Key, Map, Template, Text, Value};

use super::roots::failure_root;
use super::turn::Turn;
use crate::decision::{Beside, Published, Subject};
use crate::effect::given_plus_error;
use crate::row::{Failure, Reason, RunStatus};
use crate::{Fault, ask};

/// Why the message that ends a run cannot be sent, and what was rendered of it.
struct Unsendable {
    fault: Fault,
    payload: Value,
}

impl Turn<'_> {
    /// Every step has ended well: the run completes, unless what it yields is not what it promises.
    pub(super) fn complete_run(&mut self) {
        let plan = self.plan;
        let told = self.result().and_then(|result| {
            let Some((topic, template)) = &plan.outcomes.completed else {
                return Ok((result, None));
            };
            let roots = (Value::Null, result.clone());
            match self.last_word(topic, template.as_ref(), roots, &result) {
                Ok(payload) => Ok((result, Some((topic, payload)))),
                Err(unsendable) => Err(unsendable.fault.detail),
            }
        });
        match told {
            Ok((result, message)) => {
                self.rows.head_mut().result = result;
                self.end_run(RunStatus::Completed);
                if let Some((topic, payload)) = message {
                    let key = self.rows.head().key.clone();
                    self.draft.publish(topic.clone(), key, payload);
                }
            }
            Err(message) => {
                self.fail_run(Failure { code: "invalid_result".into(), message, step: None })
            }
        }
    }

    /// The result, if it is one; else why not.
    fn result(&mut self) -> Result<Value, Text> {
        let result = match &self.plan.result {
            Some(template) => {
                let roots = self.roots([template]);
                ask::data(template, &roots, &mut self.fuel)
                    .map_err(|error| Text::new(format!("result: {}", error.message)))?
            }
            None => {
                let last = self.indices().filter(|index| self.step(*index).dependents.is_empty());
                let outputs = last.map(|index| {
                    let row = self.rows.step(index);
                    let output = if row.error.is_some() { Value::Null } else { row.output.clone() };
                    (Key::String(self.step(index).id.clone()), output)
                });
                Value::Map(outputs.collect::<Map>().into())
            }
        };
        match &self.plan.output_schema {
            Some(schema) => schema
                .validate(&result)
                .map_err(|misfits| Text::new(format!("result: {}", ask::misfits(&misfits))))
                .map(|()| result),
            None => Ok(result),
        }
    }

    /// Everything that must be undone is: the run is over.
    pub(super) fn end_failed_run(&mut self) {
        self.settle_compensation();
        let (status, outcome) = if self.was_cancelled() {
            (RunStatus::Cancelled, &self.plan.outcomes.cancelled)
        } else {
            (RunStatus::Failed, &self.plan.outcomes.failed)
        };
        self.end_run(status);
        let Some((topic, template)) = outcome else {
            return;
        };
        let error = self.rows.head().error.as_ref().map_or(Value::Null, failure_root);
        let default = given_plus_error(&self.rows.head().input, error.clone());
        let key = self.rows.head().key.clone();
        match self.last_word(topic, template.as_ref(), (error, Value::Null), &default) {
            Ok(payload) => {
                self.draft.publish(topic.clone(), key, payload);
            }
            Err(Unsendable { fault, payload }) => {
                let unsent =
                    Published { id: self.draft.next_id(), topic: topic.clone(), key, payload };
                self.draft.decision.letters.push(Beside {
                    fault,
                    node: self.node.name.clone(),
                    step: None,
                    subject: Subject::Unsent(unsent),
                });
            }
        }
    }

    /// Renders and checks the message that ends the run.
    fn last_word(
        &mut self,
        topic: &Text,
        template: Option<&Template>,
        (error, result): (Value, Value),
        default: &Value,
    ) -> Result<Value, Unsendable> {
        let payload = match template {
            None => default.clone(),
            Some(template) => {
                let mut roots = self.roots([template]);
                roots[ERROR] = error;
                roots[RESULT] = result;
                match ask::data(template, &roots, &mut self.fuel) {
                    Ok(payload) => payload,
                    Err(error) => {
                        let reason = ask::reason(&error, Reason::ExpressionError);
                        let detail = Text::new(format!("{topic}: {}", error.message));
                        return Err(Unsendable {
                            fault: Fault { reason, detail },
                            payload: Value::Null,
                        });
                    }
                }
            }
        };
        match ask::promised(self.graph, topic, &payload) {
            Ok(()) => Ok(payload),
            Err(detail) => {
                Err(Unsendable { fault: Fault { reason: Reason::InvalidPayload, detail }, payload })
            }
        }
    }
}
