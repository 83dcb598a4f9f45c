//! The schemas of a contract where they stand: what it takes may only get wider, what it gives
//! only narrower.

use super::schema::{self, Difference};
use super::verdict::{Verdict, What};
use super::{Both, Change, Side};
use crate::model::{At, Contract, Data};
use crate::schema::Schema;
use onex_expr::Value;

/// Who suffers when a schema changes for the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It judges what comes in; from senders outside.
    Takes,
    /// It judges what other nodes of the system send.
    TakesInside,
    /// It promises what goes out; to readers outside.
    Gives,
    /// It promises what other nodes of the system take, which check compares.
    GivesInside,
}

/// A place where a schema may stand.
struct Spot<'c> {
    path: String,
    role: Role,
    reference: Option<&'c Data<'c>>,
    otherwise: At,
}

/// How payloads, inputs and results changed.
pub(super) fn changes<'a>(both: &Both<'a>, old: &Contract<'a>, new: &Contract<'a>) -> Vec<Change> {
    let before = spots(&both.old, old);
    let after = spots(&both.new, new);
    let mut changes = Vec::new();
    for spot in &after {
        let Some(was) = before.iter().find(|was| was.path == spot.path) else {
            continue;
        };
        let (old_schema, new_schema) =
            (both.old.system.schema_of(was.reference), both.new.system.schema_of(spot.reference));
        let Some(what) = What::of(was.reference, spot.reference) else {
            continue;
        };
        for difference in differences(old_schema, new_schema) {
            let (verdict, reason) = judged(spot.role, &difference);
            let path = spot.path.clone() + &difference.at;
            let change = Change::new(new.name.as_str(), path, what, verdict, reason);
            changes.push(Change {
                old: both.old.place(was.reference.map_or(was.otherwise, |data| data.at)),
                new: both.new.place(spot.reference.map_or(spot.otherwise, |data| data.at)),
                ..change
            });
        }
    }
    changes
}

/// How what a schema takes differs; none takes anything.
pub(super) fn differences(old: Option<&Schema>, new: Option<&Schema>) -> Vec<Difference> {
    let anything = Value::Bool(true);
    let of = |schema: Option<&'_ Schema>| schema.map_or(anything.clone(), |s| s.document().clone());
    schema::differences(&of(old), &of(new))
}

fn judged(role: Role, difference: &Difference) -> (Verdict, String) {
    let Difference { narrows, widens, message, .. } = difference;
    let (harm, verdict, why, fine) = match role {
        Role::Takes => (
            *narrows,
            Verdict::Breaking,
            "what is sent today may be refused",
            "it takes what is sent today",
        ),
        Role::TakesInside => (
            *narrows,
            Verdict::NeedsDrain,
            "what was sent before the activation is judged by it, and may become a dead letter",
            "it takes what was sent before",
        ),
        Role::Gives => (
            *widens,
            Verdict::Breaking,
            "its readers may get what they do not expect",
            "its readers get nothing that they did not expect before",
        ),
        Role::GivesInside => (
            false,
            Verdict::Compatible,
            "",
            "its readers are nodes of the new system, against which check compares it",
        ),
    };
    match harm {
        true => (verdict, format!("{message}: {why}")),
        false => (Verdict::Compatible, format!("{message}: {fine}")),
    }
}

fn spots<'c>(side: &Side<'_>, contract: &'c Contract<'c>) -> Vec<Spot<'c>> {
    let mut spots = Vec::new();
    let here = contract.name.at;
    for entry in &contract.event_bus.subscribe {
        let topic = entry.topic.as_str();
        let inside = side.system.topics.get(topic).is_some_and(|uses| !uses.producers.is_empty());
        spots.push(Spot {
            path: format!("event_bus.subscribe_topics[{topic}].payload"),
            role: if inside { Role::TakesInside } else { Role::Takes },
            reference: entry.payload.as_ref(),
            otherwise: entry.topic.at,
        });
    }
    for entry in &contract.event_bus.publish {
        let topic = entry.topic.as_str();
        let inside = side.system.topics.get(topic).is_some_and(|uses| !uses.consumers.is_empty());
        spots.push(Spot {
            path: format!("event_bus.publish_topics[{topic}].payload"),
            role: if inside { Role::GivesInside } else { Role::Gives },
            reference: entry.payload.as_ref(),
            otherwise: entry.topic.at,
        });
    }
    let compute = contract.compute.as_ref();
    for (path, role, reference) in [
        ("input_model", Role::Takes, contract.input_model.as_ref()),
        ("output_model", Role::Gives, contract.output_model.as_ref()),
        ("compute_operations.input", Role::Takes, compute.and_then(|c| c.input.as_ref())),
        ("compute_operations.output", Role::Gives, compute.and_then(|c| c.output.as_ref())),
    ] {
        spots.push(Spot { path: path.to_owned(), role, reference, otherwise: here });
    }
    spots
}
