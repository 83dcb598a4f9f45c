//! Contracts that are new, gone, or of another kind.

use super::verdict::{Touches, Verdict, What};
use super::{Both, Change};
use crate::graph::Kind;
use crate::model::Contract;

/// The changes of whole contracts.
pub(super) fn changes(both: &Both<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in &both.old.system.contracts {
        match both.new.contract(old.name.as_str()) {
            None => changes.push(removed(both, old)),
            Some(new) if new.kind.value != old.kind.value => changes.push(Change {
                old: both.old.place(old.kind.at),
                new: both.new.place(new.kind.at),
                path: "node_type".to_owned(),
                what: What::Changed,
                reason:
                    "it is another kind of node: what it kept and what others ask of it is gone"
                        .to_owned(),
                verdict: Verdict::Breaking,
                ..removed(both, old)
            }),
            Some(_) => {}
        }
    }
    let added = both.new.system.contracts.iter();
    changes.extend(added.filter(|new| both.old.contract(new.name.as_str()).is_none()).map(|new| {
        let name = new.name.as_str();
        let reason = "nothing of it is alive yet".to_owned();
        Change {
            new: both.new.place(new.name.at),
            ..Change::new(name, String::new(), What::Added, Verdict::Compatible, reason)
        }
    }));
    changes
}

fn removed(both: &Both<'_>, old: &Contract<'_>) -> Change {
    let node = old.name.as_str().to_owned();
    let (verdict, reason, touches) = match old.kind.value {
        Kind::Reducer => (
            Verdict::NeedsMigration,
            "its entities stay behind without a machine, and nobody answers for them",
            Touches::Entities { node, state: None },
        ),
        Kind::Orchestrator => (
            Verdict::Breaking,
            "no run can be started any more; those that have begun keep their graph",
            Touches::Runs { node },
        ),
        Kind::Effect => (
            Verdict::NeedsDrain,
            "dead letters of its operations can no longer be redriven",
            Touches::Nothing,
        ),
        Kind::Compute => (
            Verdict::Compatible,
            "runs that have begun keep it; nothing is kept for it",
            Touches::Nothing,
        ),
    };
    let change =
        Change::new(old.name.as_str(), String::new(), What::Removed, verdict, reason.to_owned());
    Change { old: both.old.place(old.name.at), touches, ..change }
}
