//! What a `reducer_node` step of a run learns of the delivery it asked for.

use onex_contract::graph::Reducer;
use onex_expr::{Text, Value};

use crate::row::{Ending, Entity, Failure};
use crate::{Fault, Verdict};

/// How the step ends: the entity as it is now, and whether a transition was taken. A fault fails it.
pub fn ending(reducer: &Reducer, key: &Text, entity: Option<&Entity>, verdict: &Verdict) -> Ending {
    if let Verdict::Dead(fault) = verdict {
        return failed(fault);
    }
    let initial = &reducer.states[usize::from(reducer.initial_state)].name;
    let (state, data, version) = match entity {
        Some(entity) => (&entity.state, &entity.data, entity.version),
        None => (initial, &reducer.initial_data, 0),
    };
    Ending::Completed(Value::map([
        ("key", Value::String(key.clone())),
        ("state", Value::String(state.clone())),
        ("data", data.clone()),
        ("version", Value::Int(i64::try_from(version).unwrap_or(i64::MAX))),
        ("applied", Value::Bool(*verdict == Verdict::Applied)),
    ]))
}

/// How the step ends when the delivery could not be made: it fails.
pub fn failed(fault: &Fault) -> Ending {
    Ending::Refused(Failure {
        code: fault.reason.as_str().into(),
        message: fault.detail.clone(),
        step: None,
    })
}
