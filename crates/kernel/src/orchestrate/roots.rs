//! What the expressions of a run see. Only roots that are read are built.

use alloc::format;

use onex_contract::graph::roots::orchestrator::{COUNT, ENVELOPE, INPUT, NOW, RUN, STEPS};
use onex_contract::graph::{Step, StepWork};
use onex_expr::{Key, Template, Text, Value};

use super::turn::Turn;
use crate::row::{Failure, StepRow};

pub(super) type Roots = [Value; COUNT];

impl Turn<'_> {
    /// The roots that every place has, as far as these templates read them.
    pub(super) fn roots<'t, I>(&self, templates: I) -> Roots
    where
        I: IntoIterator<Item = &'t Template>,
        I::IntoIter: Clone,
    {
        let templates = templates.into_iter();
        let mut roots: Roots = core::array::from_fn(|_| Value::Null);
        let head = self.rows.head();
        roots[INPUT] = head.input.clone();
        roots[NOW] = self.at.now.to_value();
        for template in templates.clone() {
            if roots[STEPS].is_null() && template.uses(STEPS) {
                roots[STEPS] = self.steps_root(templates.clone());
            }
            if roots[ENVELOPE].is_null() && template.uses(ENVELOPE) {
                roots[ENVELOPE] = head.envelope.to_value();
            }
            if roots[RUN].is_null() && template.uses(RUN) {
                roots[RUN] = Value::map([
                    ("id", Value::text(format!("{}", head.id))),
                    ("key", head.key.clone().map_or(Value::Null, Value::String)),
                    ("started_at", head.started_at.to_value()),
                ]);
            }
        }
        roots
    }

    /// The steps that are read.
    fn steps_root<'t>(&self, templates: impl Iterator<Item = &'t Template> + Clone) -> Value {
        let steps = self.indices().filter_map(|index| {
            let id = &self.step(index).id;
            let read = templates.clone().any(|template| template.reads(STEPS, id));
            read.then(|| (Key::String(id.clone()), step_root(self.rows.step(index))))
        });
        Value::Map(steps.collect::<onex_expr::Map>().into())
    }
}

fn step_root(row: &StepRow) -> Value {
    let errors = row.errors.iter().map(|(index, failure)| {
        Value::map([
            ("index", Value::Int((*index).into())),
            ("code", Value::String(failure.code.clone())),
            ("message", Value::String(failure.message.clone())),
        ])
    });
    Value::map([
        // What a failed step is known to have done after all is kept for its compensation only.
        ("output", if row.error.is_some() { Value::Null } else { row.output.clone() }),
        ("status", Value::text(row.status.as_str())),
        ("error", row.error.as_ref().map_or(Value::Null, failure_root)),
        ("errors", Value::list(errors.collect())),
    ])
}

/// `error` as expressions see it.
pub(super) fn failure_root(failure: &Failure) -> Value {
    let text = |text: &Text| Value::String(text.clone());
    Value::map([
        ("code", text(&failure.code)),
        ("message", text(&failure.message)),
        ("step", failure.step.as_ref().map_or(Value::Null, text)),
    ])
}

/// Every template that is rendered when a step or an item of it starts.
pub(super) fn templates(step: &Step) -> impl Iterator<Item = &Template> + Clone {
    let work = match &step.work {
        StepWork::Publish { payload, .. } => [payload.as_ref(), None],
        StepWork::Wait { wait_ms } => [Some(wait_ms), None],
        StepWork::WaitFor { event, timeout_ms } => [event.when.as_ref(), timeout_ms.as_ref()],
        StepWork::Fail { code, message } => [Some(code), Some(message)],
        StepWork::Effect { .. }
        | StepWork::Compute { .. }
        | StepWork::Reduce { .. }
        | StepWork::Run { .. } => [None, None],
    };
    let places = [&step.condition, &step.for_each, &step.input];
    places.into_iter().flatten().chain(work.into_iter().flatten())
}
