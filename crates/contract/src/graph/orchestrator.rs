//! A linked workflow.

use onex_expr::{Template, Text};

use super::NodeIndex;
use crate::schema::Schema;

/// An execution graph.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    /// `workflow_metadata.workflow_name`.
    pub workflow_name: Text,
    /// Bounds the whole run, waits included.
    pub timeout_ms: u64,
    /// At most one live run a key.
    pub run_key: Option<Template>,
    /// What the input must satisfy.
    pub input_schema: Option<Schema>,
    /// What the result must satisfy.
    pub output_schema: Option<Schema>,
    /// Steps in the order written.
    pub steps: Vec<Step>,
    /// Whether the graph decides or one step runs at a time.
    pub execution_mode: ExecutionMode,
    /// How many steps are under way at a time.
    pub max_steps: Option<u32>,
    /// Events that cancel a run.
    pub cancel_on: Vec<Listening>,
    /// What happens when a step fails.
    pub recovery: Recovery,
    /// How a step with `error_action: retry` is done again under any strategy.
    pub step_retry: StepRetry,
    /// The result's fields; `None`: outputs of the last steps by id.
    pub result: Option<Template>,
    /// Messages that end a run.
    pub outcomes: Outcomes,
}

impl Orchestrator {
    /// The topics that its runs listen to.
    pub fn listens(&self) -> impl Iterator<Item = &Text> {
        let waits = self.steps.iter().filter_map(|step| match &step.work {
            StepWork::WaitFor { event, .. } => Some(&event.topic),
            _ => None,
        });
        waits.chain(self.cancel_on.iter().map(|event| &event.topic))
    }
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// `node_id`.
    pub id: Text,
    /// Indices of the steps it waits for.
    pub depends_on: Vec<u16>,
    /// Indices of the steps that wait for it.
    pub dependents: Vec<u16>,
    /// False: skipped, counts as satisfied, output null.
    pub condition: Option<Template>,
    /// Bounds the step from its start.
    pub timeout_ms: Option<u64>,
    /// What its failure does.
    pub error_action: ErrorAction,
    /// How it is undone.
    pub compensation: Compensation,
    /// What it does.
    pub work: StepWork,
    /// What it gives; `None`: the run's input.
    pub input: Option<Template>,
    /// Yields a list; the step is done once an item.
    pub for_each: Option<Template>,
    /// How many items at a time, at least 1.
    pub max_parallel: u32,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepWork {
    /// An operation of an effect.
    Effect {
        /// The effect.
        node: NodeIndex,
        /// Index of the operation.
        operation: u16,
        /// `onex.intent.<this node>.<operation>.v1`.
        topic: Text,
    },
    /// A compute, evaluated in the same commit.
    Compute {
        /// The compute.
        node: NodeIndex,
    },
    /// A message to a topic.
    Publish {
        /// Where.
        topic: Text,
        /// What; `None`: the step's input.
        payload: Option<Template>,
    },
    /// A trigger of a reducer's entity.
    Reduce {
        /// The reducer.
        node: NodeIndex,
        /// Index of the trigger.
        trigger: u16,
        /// `onex.intent.<this node>.<trigger>.v1`.
        topic: Text,
        /// What the reducer wants of a payload under this trigger.
        schema: Option<Schema>,
    },
    /// A run of another workflow.
    Run {
        /// The orchestrator.
        node: NodeIndex,
        /// `onex.intent.<this node>.<its name>.v1`.
        topic: Text,
    },
    /// A pause in milliseconds.
    Wait {
        /// How long.
        wait_ms: Template,
    },
    /// An event of the run's story.
    WaitFor {
        /// What must happen.
        event: Listening,
        /// How long at most, in milliseconds.
        timeout_ms: Option<Template>,
    },
    /// A failure.
    Fail {
        /// Its code.
        code: Template,
        /// For people.
        message: Template,
    },
}

/// An event that a run listens for.
#[derive(Clone, Debug)]
pub struct Listening {
    /// On this topic.
    pub topic: Text,
    /// With this being true of it (`payload`).
    pub when: Option<Template>,
}

/// How a step is undone.
#[derive(Clone, Debug)]
pub enum Compensation {
    /// Not said.
    Unsaid,
    /// `none`: there is nothing to undo.
    Nothing,
    /// An operation of an effect.
    Operation {
        /// The effect.
        node: NodeIndex,
        /// Index of the operation.
        operation: u16,
        /// `onex.intent.<this node>.<operation>.v1`.
        topic: Text,
        /// `None`: what the step was given.
        input: Option<Template>,
    },
}

/// See `error_action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorAction {
    /// The run fails.
    Stop,
    /// Ends failed, counts as satisfied.
    Continue,
    /// The run fails and compensates under any strategy.
    Compensate,
    /// Done again, as under the strategy `retry`.
    Retry,
}

/// See `execution_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionMode {
    /// The graph decides.
    Parallel,
    /// One at a time, in order.
    Sequential,
}

/// See `failure_recovery_strategy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// Stop, mark failed.
    FailFast,
    /// Undo what was done.
    Compensate,
    /// Do a failed step again.
    Retry {
        /// How often.
        max_retries: u32,
        /// First pause.
        backoff_ms: u64,
        /// Growth of the pause.
        multiplier: f64,
    },
}

/// How often and how slowly a failed step is done again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRetry {
    /// How often.
    pub max_retries: u32,
    /// First pause.
    pub backoff_ms: u64,
    /// Growth of the pause.
    pub multiplier: f64,
}

/// Messages that end a run.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// When it completed.
    pub completed: Option<(Text, Option<Template>)>,
    /// When it failed.
    pub failed: Option<(Text, Option<Template>)>,
    /// When it was cancelled; the linker puts `failed` here when it is not said.
    pub cancelled: Option<(Text, Option<Template>)>,
}
