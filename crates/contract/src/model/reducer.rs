//! `state_machine`: states, transitions, guards and actions.

use std::collections::BTreeMap;

use onex_expr::Text;

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
    /// Made of states and transitions once both are read.
    pub table: Table,
}

/// States by name, and the transitions of each, so that nobody searches for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Of several states with one name the first.
    states: BTreeMap<Text, usize>,
    /// By state: transitions that name it in `from_state`, in the order written.
    leaving: Vec<Vec<usize>>,
    /// By state: transitions that name it in `to_state`, in the order written.
    entering: Vec<Vec<usize>>,
    /// Transitions from every state, in the order written.
    wild: Vec<usize>,
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

impl Table {
    /// The table of these states and transitions.
    pub(crate) fn of(states: &[State<'_>], transitions: &[Transition<'_>]) -> Table {
        let mut table = Table::default();
        for (at, state) in states.iter().enumerate() {
            table.states.entry(state.name.value.clone()).or_insert(at);
        }
        table.leaving.resize(states.len(), Vec::new());
        table.entering.resize(states.len(), Vec::new());
        let named = &table.states;
        let note = |lists: &mut Vec<Vec<usize>>, name: &Word, at: usize| {
            let list = named.get(name.as_str()).and_then(|state| lists.get_mut(*state));
            // A list may name a state twice.
            list.into_iter().filter(|list| list.last() != Some(&at)).for_each(|list| list.push(at));
        };
        for (at, transition) in transitions.iter().enumerate() {
            match &transition.from {
                From::Any(_) => table.wild.push(at),
                From::States(names) => {
                    names.iter().for_each(|name| note(&mut table.leaving, name, at));
                }
            }
            transition.to.iter().for_each(|name| note(&mut table.entering, name, at));
        }
        table
    }
}

impl<'a> StateMachine<'a> {
    /// Index of a state by name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.table.states.get(name).copied()
    }

    /// The transitions that may start from a state, in the order written.
    pub(crate) fn leaving(&self, state: usize) -> impl Iterator<Item = &Transition<'a>> {
        self.leaving_at(state).map(|(_, transition)| transition)
    }

    /// The same with their indices.
    pub(crate) fn leaving_at(
        &self,
        state: usize,
    ) -> impl Iterator<Item = (usize, &Transition<'a>)> {
        let mut exact = self.of(&self.table.leaving, state).iter().peekable();
        let mut wild = self.table.wild.iter().peekable();
        let merged = std::iter::from_fn(move || match (exact.peek(), wild.peek()) {
            (Some(one), Some(other)) if other < one => wild.next(),
            (Some(_), _) => exact.next(),
            (None, _) => wild.next(),
        });
        merged.map(|at| (*at, &self.transitions[*at]))
    }

    /// Whether any state has a timer.
    pub(crate) fn has_timers(&self) -> bool {
        self.states.iter().any(|state| state.timeout_ms.is_some())
    }

    /// The transitions that lead to a state, in the order written.
    pub(crate) fn entering(&self, state: usize) -> impl Iterator<Item = &Transition<'a>> {
        self.of(&self.table.entering, state).iter().map(|at| &self.transitions[*at])
    }

    /// What a list has for a state; a second state of one name has what the first has.
    fn of<'l>(&self, lists: &'l [Vec<usize>], state: usize) -> &'l [usize] {
        let first = self.states.get(state).and_then(|state| self.find(state.name.as_str()));
        first.and_then(|state| lists.get(state)).map_or(&[], Vec::as_slice)
    }

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
