//! Slots of the roots, by place (contract-language section 3). The linker builds scopes in this
//! order and the kernel gives values in this order.

/// Roots of a reducer's expressions.
pub mod reducer {
    /// The message.
    pub const PAYLOAD: usize = 0;
    /// Its ids, topic and time.
    pub const ENVELOPE: usize = 1;
    /// The machine's data.
    pub const STATE: usize = 2;
    /// `{key, state, previous_state, version, since, timer}`.
    pub const ENTITY: usize = 3;
    /// Record time.
    pub const NOW: usize = 4;
    /// Item of an action's `for_each`.
    pub const ITEM: usize = 5;
    /// Its index.
    pub const INDEX: usize = 6;
    /// How many slots.
    pub const COUNT: usize = 7;
    /// Names in slot order.
    pub const NAMES: [&str; COUNT] =
        ["payload", "envelope", "state", "entity", "now", "item", "index"];
}

/// Roots of an orchestrator's expressions.
pub mod orchestrator {
    /// The run's input.
    pub const INPUT: usize = 0;
    /// `steps.<id> {output, status, error, errors}`.
    pub const STEPS: usize = 1;
    /// `{id, key, started_at}`.
    pub const RUN: usize = 2;
    /// The envelope of the message that began the run.
    pub const ENVELOPE: usize = 3;
    /// Record time.
    pub const NOW: usize = 4;
    /// Item of `for_each`.
    pub const ITEM: usize = 5;
    /// Its index.
    pub const INDEX: usize = 6;
    /// In `compensation`: `{input, output, intent_id, status}` of what is undone.
    pub const STEP: usize = 7;
    /// In `wait_for_event`: the event.
    pub const PAYLOAD: usize = 8;
    /// In `outcomes`: `{code, message, step}`.
    pub const ERROR: usize = 9;
    /// In `outcomes`: the run's result.
    pub const RESULT: usize = 10;
    /// How many slots.
    pub const COUNT: usize = 11;
    /// Names in slot order.
    pub const NAMES: [&str; COUNT] = [
        "input", "steps", "run", "envelope", "now", "item", "index", "step", "payload", "error",
        "result",
    ];
}

/// Roots of an effect's expressions.
pub mod effect {
    /// What the operation was given.
    pub const INPUT: usize = 0;
    /// The same.
    pub const PAYLOAD: usize = 1;
    /// The intent's ids, topic and time.
    pub const ENVELOPE: usize = 2;
    /// Record time of the intent.
    pub const NOW: usize = 3;
    /// In `io_config` only: secrets by name.
    pub const SECRET: usize = 4;
    /// In `response_handling`: the answer.
    pub const RESPONSE: usize = 5;
    /// In refusals and `on_exhausted`: `{code, message, attempts}`.
    pub const ERROR: usize = 6;
    /// How many slots.
    pub const COUNT: usize = 7;
    /// Names in slot order.
    pub const NAMES: [&str; COUNT] =
        ["input", "payload", "envelope", "now", "secret", "response", "error"];
}

/// Roots of a compute's expressions.
pub mod compute {
    /// What the compute was given.
    pub const INPUT: usize = 0;
    /// The previous step's output.
    pub const VALUE: usize = 1;
    /// `steps.<name> {output}`.
    pub const STEPS: usize = 2;
    /// How many slots.
    pub const COUNT: usize = 3;
    /// Names in slot order.
    pub const NAMES: [&str; COUNT] = ["input", "value", "steps"];
}
