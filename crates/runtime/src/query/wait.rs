//! What an instance waits for: the messages, timers, retries and people that can wake it.

use onex_contract::graph::{self, Body, Reducer, StepWork};
use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::{Intent, Owner, RunStatus, StepStatus};
use onex_kernel::{Id, Micros};

use super::entity::Entity;
use super::run::Run;
use super::{QueryError, Reader, Visit};

/// Items of one step that are named; the others are counted by the step.
const ITEMS_NAMED_MAX: usize = 32;

/// One thing that can wake an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// `message`, `timer`, `retry`, `breaker`, `lease` or `approval`.
    pub kind: &'static str,
    /// When it comes by itself, or is given up.
    pub until: Option<Micros>,
    /// The topic it comes on.
    pub topic: Option<Text>,
    /// For people.
    pub detail: String,
}

impl Wait {
    fn timer(due: Micros, detail: impl Into<String>) -> Wait {
        Wait { kind: "timer", until: Some(due), topic: None, detail: detail.into() }
    }

    /// A move that only a person can make.
    pub(super) fn person(detail: String) -> Wait {
        Wait { kind: "approval", until: None, topic: None, detail }
    }
}

/// What a pending intent waits for.
pub(super) fn of_intent(intent: &Intent) -> Wait {
    let what = format!("{}.{}", intent.node, intent.operation);
    let failed = intent.attempts.last();
    let (kind, detail) = match (failed, intent.next_at, intent.turn_at) {
        (Some(last), Some(_), _) => (
            "retry",
            format!(
                "attempt {} of {what}; the last one failed: {}",
                intent.attempts.len() + 1,
                last.error
            ),
        ),
        (None, Some(_), _) => ("breaker", format!("the breaker of {what} is open")),
        (_, None, None) if matches!(intent.owner, Owner::Entity { .. }) => {
            ("message", format!("its turn at {what}, behind earlier intents of the same entity"))
        }
        _ => ("message", format!("the outcome of {what}")),
    };
    Wait { kind, until: intent.next_at, topic: Some(intent.message.topic.clone()), detail }
}

impl Reader {
    /// A pending intent, if it is one.
    pub(super) fn find_intent(&self, id: Id) -> Result<Option<Intent>, QueryError> {
        match self.row(key::intent(id))? {
            Some(row) => Ok(Some(codec::row::read_intent(&row)?)),
            None => Ok(None),
        }
    }

    /// Adds what a live run waits for, and how often the intents of its steps were attempted.
    pub(super) fn add_waits(&self, run: &mut Run, plan: &[graph::Step]) -> Result<(), QueryError> {
        let mut waits = Vec::new();
        for (index, step) in run.steps.iter_mut().enumerate() {
            let active = matches!(
                step.row.status,
                StepStatus::Running | StepStatus::Waiting | StepStatus::Compensating
            );
            if !active {
                continue;
            }
            let work = plan.get(index).map(|step| &step.work);
            if let Some(StepWork::WaitFor { event, .. }) = work
                && step.row.error.is_none()
            {
                waits.push(Wait {
                    kind: "message",
                    until: step.row.timer.map(|timer| timer.due),
                    topic: Some(event.topic.clone()),
                    detail: format!("step {} waits for an event of its story", step.id),
                });
                continue;
            }
            if let (Some(StepWork::Run { .. }), Some(begun)) = (work, step.row.intent_id) {
                let detail = format!("step {} waits for the run {begun}", step.id);
                waits.push(Wait { kind: "message", until: None, topic: None, detail });
            }
            if let Some(timer) = step.row.timer {
                waits.push(Wait::timer(timer.due, format!("timer of step {}", step.id)));
            }
            let intent = match step.row.intent_id {
                Some(id) => self.find_intent(id)?,
                None => None,
            };
            if let Some(intent) = intent {
                let begun = u32::try_from(intent.attempts.len()).unwrap_or(u32::MAX);
                let under_way = u32::from(intent.next_at.is_none());
                step.attempts = step.attempts.max(begun.saturating_add(under_way));
                waits.push(of_intent(&intent));
            }
            if step.row.items.is_some() {
                self.add_item_waits(run.head.id, index, &mut waits)?;
            }
        }
        if let Some(timer) = run.head.timer {
            waits.push(Wait::timer(timer.due, "timeout of the run"));
        }
        if run.head.status == RunStatus::Paused {
            waits.push(Wait::person("the run is paused".into()));
        }
        run.waits_for = waits;
        Ok(())
    }

    fn add_item_waits(
        &self,
        run: Id,
        step: usize,
        waits: &mut Vec<Wait>,
    ) -> Result<(), QueryError> {
        let Ok(step) = u16::try_from(step) else {
            return Ok(());
        };
        let first = key::item(run, step, 0);
        let mut intents = Vec::new();
        self.each(&first[..first.len() - 4], None, |_, row| {
            let item = codec::row::read_item(row)?;
            let active = matches!(
                item.status,
                StepStatus::Running | StepStatus::Waiting | StepStatus::Compensating
            );
            if active && let Some(intent) = item.intent_id {
                intents.push(intent);
            }
            Ok(if intents.len() < ITEMS_NAMED_MAX { Visit::Next } else { Visit::Stop })
        })?;
        for intent in intents {
            if let Some(intent) = self.find_intent(intent)? {
                waits.push(of_intent(&intent));
            }
        }
        Ok(())
    }

    /// What an entity waits for: its timer, intents of its own, and the topics that can move it.
    pub(super) fn waits_of_entity(&self, entity: &Entity) -> Result<Vec<Wait>, QueryError> {
        let mut waits = Vec::new();
        if let Some(timer) = entity.row.timer {
            let detail = format!("timeout of state {}", entity.row.state);
            waits.push(Wait::timer(timer.due, detail));
        }
        self.each(key::INTENTS, None, |_, row| {
            let intent = codec::row::read_intent(row)?;
            if let Owner::Entity { node, key } = &intent.owner
                && *node == entity.node
                && *key == entity.key
            {
                waits.push(of_intent(&intent));
            }
            Ok(Visit::Next)
        })?;
        if entity.terminal {
            return Ok(waits);
        }
        let graph = self.graphs.active();
        if let Some(Body::Reducer(reducer)) =
            graph.find(&entity.node).map(|at| &graph.node(at).body)
        {
            waits.extend(messages(reducer, &entity.row.state));
        }
        Ok(waits)
    }
}

/// The messages that a state's transitions take.
fn messages(reducer: &Reducer, state: &str) -> Vec<Wait> {
    let Some(at) = reducer.states.iter().position(|found| found.name == state) else {
        return Vec::new();
    };
    let Some(by_trigger) = reducer.candidates.get(at) else {
        return Vec::new();
    };
    let taken = by_trigger.iter().zip(&reducer.triggers);
    taken
        .filter(|(candidates, _)| !candidates.is_empty())
        .filter_map(|(_, trigger)| trigger.topic.as_ref().map(|topic| (trigger, topic)))
        .map(|(trigger, topic)| Wait {
            kind: "message",
            until: None,
            topic: Some(topic.clone()),
            detail: format!("{} takes it from state {state}", trigger.name),
        })
        .collect()
}
