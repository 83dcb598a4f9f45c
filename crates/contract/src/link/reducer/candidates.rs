//! Which transitions are tried in each state under each trigger, and in which order (D2, D9).

use super::types::{Heard, means};
use crate::model::{From, StateMachine};

/// By state, then trigger. Exact transitions pre-empt wildcards; the highest priority comes first,
/// then what is written first; nothing leaves a terminal state.
pub(super) fn table(machine: &StateMachine<'_>, heard: &[Heard<'_>]) -> Option<Vec<Vec<Vec<u16>>>> {
    (0..machine.states.len())
        .map(|state| heard.iter().map(|trigger| of(machine, state, trigger)).collect())
        .collect()
}

fn of(machine: &StateMachine<'_>, state: usize, trigger: &Heard<'_>) -> Option<Vec<u16>> {
    let terminal = machine.states[state].terminal;
    let (mut exact, mut wild) = (Vec::new(), Vec::new());
    for (index, transition) in machine.leaving_at(state) {
        let may_leave = !terminal || transition.to.is_none();
        if !may_leave || !means(&transition.trigger, trigger) {
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
