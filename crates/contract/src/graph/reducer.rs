//! A linked reducer.

use onex_expr::{Template, Text, Value};

use super::Performer;

/// A keyed state machine.
#[derive(Clone, Debug)]
pub struct Reducer {
    /// Index of the initial state.
    pub initial_state: u16,
    /// The data of a new entity: `initial_data`, and null for every other field that a `set` writes.
    pub initial_data: Value,
    /// States in the order written.
    pub states: Vec<State>,
    /// Triggers that transitions name, and `timeout`.
    pub triggers: Vec<Trigger>,
    /// Transitions in the order written.
    pub transitions: Vec<Transition>,
    /// By state, then trigger: transitions to try, in order (exact ones if there is any, else
    /// wildcards; highest priority first, then as written).
    pub candidates: Vec<Vec<Vec<u16>>>,
    /// Index of the trigger `timeout`, if a transition names it.
    pub timeout_trigger: Option<u16>,
    /// What becomes of a message that no transition mentions.
    pub on_unhandled: OnUnhandled,
}

/// One state.
#[derive(Clone, Debug)]
pub struct State {
    /// Its name.
    pub name: Text,
    /// Nothing leaves it.
    pub terminal: bool,
    /// No timer is meant to be there.
    pub waits_forever: bool,
    /// Milliseconds until the trigger `timeout`: a literal, or an expression over state and payload.
    pub timeout_ms: Option<Template>,
    /// Actions on entry.
    pub entry_actions: Vec<Action>,
    /// Actions on exit.
    pub exit_actions: Vec<Action>,
}

/// What makes a transition possible.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The event segment of the topic, or `timeout`.
    pub name: Text,
    /// The one topic it stands for; `None` for `timeout` and for `reducer_node` steps.
    pub topic: Option<Text>,
    /// How the entity's key is found in a message: the topic's `entity_key`, else the machine's;
    /// `None`: the first present of entity_id, node_id, session_id, else the correlation id.
    pub entity_key: Option<Template>,
}

/// One transition.
#[derive(Clone, Debug)]
pub struct Transition {
    /// `transition_name`, else `from__trigger__to`.
    pub name: Text,
    /// Where it leads; `None`: the entity stays and only the actions run.
    pub to_state: Option<u16>,
    /// All required ones must hold. `when` of the trigger is the first.
    pub guards: Vec<Guard>,
    /// In execution order.
    pub actions: Vec<Action>,
}

/// One condition.
#[derive(Clone, Debug)]
pub struct Guard {
    /// `condition_name`, else the expression's text.
    pub name: Text,
    /// Yields a bool.
    pub condition: Template,
}

/// One action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Yields a list; the action is done once an item.
    pub for_each: Option<Template>,
    /// What is done.
    pub work: ActionWork,
}

/// What an action does.
#[derive(Clone, Debug)]
pub enum ActionWork {
    /// Sets fields of the data; every expression sees the data before this action.
    StateUpdate(Vec<(Text, Template)>),
    /// Emits an intent.
    Intent {
        /// Its type.
        intent_type: Text,
        /// `onex.intent.<node>.<type>.v1`, under which it is recorded.
        topic: Text,
        /// Who performs it.
        performer: Performer,
        /// Its payload.
        payload: Template,
    },
    /// Publishes an event in the same commit.
    Event {
        /// Where.
        topic: Text,
        /// Its payload.
        payload: Template,
    },
}

/// See `state_machine.on_unhandled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnhandled {
    /// A dead letter `unhandled`.
    DeadLetter,
    /// Ignored and counted.
    Ignore,
}
