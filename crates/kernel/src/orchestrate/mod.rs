//! A run's decisions: which steps start, end, fail, are undone, and when the run is over.
//!
//! In reading order: [`rows`] what a decision reads and writes, [`turn`] one decision in the making,
//! [`roots`] what expressions see; then [`start`] and [`items`] how steps begin, [`ends`] how they
//! end, [`hear`] which events they take, [`fail`] how a run comes to its bad end, [`undo`] what is
//! compensated before it, [`finish`] results and outcomes, [`again`] what is done anew, [`parent`]
//! what the run of a step tells it.

mod again;
mod ends;
mod fail;
mod finish;
mod hear;
mod items;
mod parent;
mod roots;
mod rows;
mod start;
mod turn;
mod undo;

use alloc::collections::BTreeMap;
use alloc::format;

use onex_contract::graph::roots::orchestrator::{COUNT, ENVELOPE, INPUT, NOW};
use onex_contract::graph::{Body, Graph, NodeIndex, Orchestrator, Step, StepWork};
use onex_expr::{Fuel, Text, Value};

use crate::decision::TimerOf;
use crate::row::{Ending, Owner, Reason, Run, RunHead, RunStatus, StepRow, StepStatus, Undoing};
use crate::{Circumstances, Decision, Draft, Fault, Id, Message, Verdict, ask};
use ends::End;
use rows::Rows;
use turn::Turn;

/// How a run begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// The run's id.
    pub run_id: Id,
    /// The value of `run_key`, as `run_key` gave it.
    pub key: Option<Text>,
    /// What it is given.
    pub input: Value,
    /// Hash of the start's content.
    pub input_hash: [u8; 32],
    /// The step of another run that began it: its id, and where its end is told.
    pub parent: Option<(Text, Owner)>,
}

/// What happens to a run.
#[derive(Clone, Debug)]
pub enum RunInput<'a> {
    /// An intent of it ended.
    Ended {
        /// The step.
        step: u16,
        /// The item.
        item: Option<u32>,
        /// The step's `visit` when the intent was sent.
        visit: u32,
        /// Whether it undoes the step.
        compensation: bool,
        /// The intent.
        intent: Id,
        /// How it ended.
        ending: &'a Ending,
    },
    /// A timer of it fired; the engine has checked the arming number.
    Timer(TimerOf),
    /// An operator cancels it.
    Cancel,
    /// An operator retries it (it is failed or cancelled and not being undone).
    Retry,
    /// The step that began it wants it done again.
    Again(Owner),
    /// The step that began it wants it undone.
    Undo(Owner),
    /// The message at hand is an event on a topic that it listens to.
    Event,
}

/// The value of `workflow_metadata.run_key` for an input: text or an integer of 1 to 512 bytes; an
/// optional none is no key.
pub fn run_key(
    graph: &Graph,
    node: NodeIndex,
    message: &Message,
    input: &Value,
    fuel: u64,
) -> Result<Option<Text>, Fault> {
    let plan = plan(graph, node)?;
    let Some(template) = &plan.run_key else {
        return Ok(None);
    };
    let mut roots: [Value; COUNT] = core::array::from_fn(|_| Value::Null);
    roots[INPUT] = input.clone();
    if template.uses(ENVELOPE) {
        roots[ENVELOPE] = message.envelope().to_value();
    }
    roots[NOW] = message.time.to_value();
    let value = template.render(&roots, &mut Fuel(fuel));
    let value = value.map_err(|error| Fault {
        reason: ask::reason(&error, Reason::ExpressionError),
        detail: Text::new(format!("run_key: {}", error.message)),
    })?;
    let Some(value) = value else {
        return Ok(None);
    };
    ask::key(&value).map(Some).ok_or_else(|| Fault {
        reason: Reason::ExpressionError,
        detail: Text::new(format!(
            "run_key: a key is text or an integer of 1 to 512 bytes, this is {}",
            value.kind_name()
        )),
    })
}

/// Decides on the beginning of a run: the input is checked, the first steps start.
pub fn begin(
    graph: &Graph,
    node: NodeIndex,
    start: Start,
    message: &Message,
    at: &Circumstances,
) -> Decision {
    let plan = match plan(graph, node) {
        Ok(plan) => plan,
        Err(fault) => return Decision::new(Verdict::Dead(fault)),
    };
    if let Some(schema) = &plan.input_schema
        && let Err(misfits) = schema.validate(&start.input)
    {
        return Decision::new(Verdict::Dead(Fault {
            reason: Reason::InvalidPayload,
            detail: ask::misfits(&misfits).into(),
        }));
    }
    let run = Run {
        head: new_head(graph, node, start, message, at),
        steps: plan.steps.iter().map(|_| StepRow::pending()).collect(),
        items: BTreeMap::new(),
        events: BTreeMap::new(),
    };
    let draft = Draft::new(message.id, graph.node(node).name.clone(), message.generation);
    let mut turn = Turn::new(graph, node, plan, Rows::of_new(&run), draft, at);
    let timer = turn.arm_ms(plan.timeout_ms);
    let head = turn.rows.head_mut();
    head.status = RunStatus::Running;
    head.timer = Some(timer);
    turn.consider_all();
    turn.proceed();
    turn.decision()
}

/// Decides on what happens to a run. `message` is the outcome, timer or control message at hand.
pub fn advance(
    graph: &Graph,
    node: NodeIndex,
    run: &Run,
    input: RunInput<'_>,
    message: &Message,
    at: &Circumstances,
) -> Decision {
    let plan = match plan(graph, node) {
        Ok(plan) if plan.steps.len() == run.steps.len() => plan,
        Ok(_) => {
            return Decision::new(Verdict::Dead(Fault {
                reason: Reason::NoRoute,
                detail: "the run's rows are not those of its graph".into(),
            }));
        }
        Err(fault) => return Decision::new(Verdict::Dead(fault)),
    };
    // Several runs of one orchestrator may hear one event: what each sends has ids of its own.
    let consumed = match input {
        RunInput::Event => Id::heard(message.id, run.head.id),
        _ => message.id,
    };
    let draft = Draft::new(consumed, graph.node(node).name.clone(), message.generation);
    let mut turn = Turn::new(graph, node, plan, Rows::of(run), draft, at);
    match input {
        RunInput::Ended { step, item, visit, compensation, intent, ending } => {
            let end = End { step, item, visit, intent, ending };
            if !turn.knows(step, item) {
                turn.ignore("unknown_step");
            } else if compensation {
                turn.compensation_ended(end);
            } else {
                turn.intent_ended(end);
            }
        }
        RunInput::Timer(TimerOf::Instance) => turn.run_timed_out(),
        RunInput::Timer(TimerOf::Step(step)) => turn.step_timed_out(step),
        RunInput::Timer(TimerOf::Pause(step)) => turn.pause_is_over(step),
        RunInput::Cancel => turn.cancel(),
        RunInput::Retry => turn.retry(),
        RunInput::Again(owner) => turn.again(owner),
        RunInput::Undo(owner) => turn.undo_all(owner),
        RunInput::Event => turn.hear(message),
    }
    turn.proceed();
    turn.decision()
}

fn plan(graph: &Graph, node: NodeIndex) -> Result<&Orchestrator, Fault> {
    match &graph.node(node).body {
        Body::Orchestrator(plan) => Ok(plan),
        _ => Err(Fault {
            reason: Reason::NoRoute,
            detail: Text::new(format!("{} is no orchestrator", graph.node(node).name)),
        }),
    }
}

fn new_head(
    graph: &Graph,
    node: NodeIndex,
    start: Start,
    message: &Message,
    at: &Circumstances,
) -> RunHead {
    RunHead {
        id: start.run_id,
        node: graph.node(node).name.clone(),
        key: start.key,
        parent: start.parent.as_ref().and_then(|(step, owner)| match owner {
            Owner::Step { run, .. } => Some((*run, step.clone())),
            _ => None,
        }),
        status: RunStatus::Pending,
        compensation: Undoing::None,
        input: start.input,
        envelope: message.envelope(),
        input_hash: start.input_hash,
        correlation_id: message.correlation_id,
        graph: graph.id,
        started_at: at.now,
        ended_at: None,
        error: None,
        result: Value::Null,
        armings: 0,
        timer: None,
        events: 0,
        visit: 0,
        in_flight: 0,
        answers: start.parent.map(|(_, owner)| owner),
    }
}

/// Which timer a step's row holds: it has one at a time.
fn timer_of(step: &Step, index: u16, row: &StepRow) -> TimerOf {
    let limit = step.timeout_ms.and_then(|ms| Some(row.started_at?.plus_ms(ms)));
    let times_out = row.error.is_none() && limit == row.timer.map(|armed| armed.due);
    match row.status {
        StepStatus::Waiting if row.error.is_none() && waits_for_event(step) => TimerOf::Step(index),
        // A pause that is longer than the step may take ends at the limit.
        StepStatus::Waiting if !(times_out && limit.is_some()) => TimerOf::Pause(index),
        _ => TimerOf::Step(index),
    }
}

fn waits_for_event(step: &Step) -> bool {
    matches!(step.work, StepWork::WaitFor { .. })
}

/// Whether what a step does may be done twice under one key.
fn is_idempotent(graph: &Graph, step: &Step) -> bool {
    let StepWork::Effect { node, operation, .. } = &step.work else {
        return true;
    };
    match &graph.node(*node).body {
        Body::Effect(effect) => effect
            .operations
            .get(usize::from(*operation))
            .is_some_and(|operation| operation.idempotent),
        _ => false,
    }
}
