//! `state_machine`: states, transitions, guards and actions.

use super::{At, Data, Located, Word};
use crate::graph::OnUnhandled;

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct StateMachine<'a> {
    /// The state of a new entity.
    pub initial_state: Option<Word>,
    /// The data of a new entity.
    pub initial_data: Vec<(Word, Data<'a>)>,
    /// The entity's key in a message.
    pub entity_key: Option<Data<'a>>,
    /// What becomes of a message that no transition mentions.
    pub on_unhandled: OnUnhandled,
    /// States in the order written.
    pub states: Vec<State<'a>>,
    /// Transitions in the order written.
    pub transitions: Vec<Transition<'a>>,
}

/// One state.
#[derive(Clone, Debug)]
pub(crate) struct State<'a> {
    /// Its name.
    pub name: Word,
    /// Nothing leaves it.
    pub terminal: bool,
    /// `waits: forever`
    pub waits_forever: bool,
    /// When the trigger `timeout` fires.
    pub timeout_ms: Option<Data<'a>>,
    /// Actions on entry.
    pub entry_actions: Vec<Action<'a>>,
    /// Actions on exit.
    pub exit_actions: Vec<Action<'a>>,
}

/// One transition.
#[derive(Clone, Debug)]
pub(crate) struct Transition<'a> {
    /// `transition_name`, if given.
    pub name: Option<Word>,
    /// The states it may start from.
    pub from: From,
    /// Where it leads; `None`: the entity stays.
    pub to: Option<Word>,
    /// What begins it.
    pub trigger: TriggerRef<'a>,
    /// Higher is tried first.
    pub priority: i64,
    /// Guards.
    pub conditions: Vec<Condition<'a>>,
    /// What it does.
    pub actions: Vec<Action<'a>>,
}

/// `from_state`
#[derive(Clone, Debug)]
pub(crate) enum From {
    /// `"*"`
    Any(At),
    /// One name or a list.
    States(Vec<Word>),
}

/// `trigger`
#[derive(Clone, Debug)]
pub(crate) enum TriggerRef<'a> {
    /// The event segment of a topic, or `timeout`.
    Name(Word),
    /// `{topic, when}`
    Topic {
        /// The topic.
        topic: Word,
        /// The first guard.
        when: Option<Data<'a>>,
    },
}

/// One guard.
#[derive(Clone, Debug)]
pub(crate) struct Condition<'a> {
    /// `condition_name`
    pub name: Option<Word>,
    /// Yields a bool.
    pub expression: Data<'a>,
}

/// One action.
#[derive(Clone, Debug)]
pub(crate) struct Action<'a> {
    /// Done once an item.
    pub for_each: Option<Data<'a>>,
    /// Rank among the actions of one list.
    pub execution_order: Option<Located<i64>>,
    /// What is done.
    pub work: ActionWork<'a>,
}

/// What an action does.
#[derive(Clone, Debug)]
pub(crate) enum ActionWork<'a> {
    /// `state_update`
    Update(Vec<(Word, Data<'a>)>),
    /// `intent_emission`
    Intent {
        /// `intent_type`
        intent_type: Word,
        /// Its payload.
        payload: Option<Data<'a>>,
    },
    /// `event`
    Event {
        /// Where.
        topic: Word,
        /// Its payload.
        payload: Option<Data<'a>>,
    },
}

impl StateMachine<'_> {
    /// Index of a state by name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|state| state.name.as_str() == name)
    }
}

impl<'a> StateMachine<'a> {
    /// Every action with the list it stands in: of transitions, then of states.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &Action<'a>> {
        let transitions = self.transitions.iter().flat_map(|transition| &transition.actions);
        let states = self
            .states
            .iter()
            .flat_map(|state| state.entry_actions.iter().chain(&state.exit_actions));
        transitions.chain(states)
    }
}

impl Transition<'_> {
    /// Whether it may start from this state.
    pub(crate) fn starts_from(&self, state: &str) -> bool {
        match &self.from {
            From::Any(_) => true,
            From::States(names) => names.iter().any(|name| name.as_str() == state),
        }
    }
}

impl TriggerRef<'_> {
    /// Whether this is the timer's trigger.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, TriggerRef::Name(name) if name.as_str() == TIMEOUT)
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> At {
        match self {
            TriggerRef::Name(name) => name.at,
            TriggerRef::Topic { topic, .. } => topic.at,
        }
    }
}

/// The trigger that a state's timer fires.
pub(crate) const TIMEOUT: &str = "timeout";
