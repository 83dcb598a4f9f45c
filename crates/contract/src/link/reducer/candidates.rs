//! Which transitions are tried in each state under each trigger, and in which order (D2, D9).

use super::types::{Heard, means};
use crate::model::{From, StateMachine};

/// By state, then trigger. Exact transitions pre-empt wildcards; the highest priority comes first,
/// then what is written first; nothing leaves a terminal state.
pub(super) fn table(machine: &StateMachine<'_>, heard: &[Heard<'_>]) -> Option<Vec<Vec<Vec<u16>>>> {
    machine
        .states
        .iter()
        .map(|state| {
            heard
                .iter()
                .map(|trigger| of(machine, state.name.as_str(), state.terminal, trigger))
                .collect()
        })
        .collect()
}

fn of(
    machine: &StateMachine<'_>,
    state: &str,
    terminal: bool,
    trigger: &Heard<'_>,
) -> Option<Vec<u16>> {
    let mut exact = Vec::new();
    let mut wild = Vec::new();
    for (index, transition) in machine.transitions.iter().enumerate() {
        let may_leave = !terminal || transition.to.is_none();
        if !may_leave || !means(&transition.trigger, trigger) || !transition.starts_from(state) {
            continue;
        }
        match transition.from {
            From::Any(_) => wild.push(index),
            From::States(_) => exact.push(index),
        }
    }
    let mut tried = if exact.is_empty() { wild } else { exact };
    tried.sort_by_key(|index| std::cmp::Reverse(machine.transitions[*index].priority));
    tried.into_iter().map(|index| u16::try_from(index).ok()).collect()
}
