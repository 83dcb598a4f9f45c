//! The fields of entities: those that exist keep the data they have.

use std::collections::BTreeMap;

use onex_expr::Text;

use super::needs::reads;
use super::verdict::{Touches, Verdict, What};
use super::{Both, Change};
use crate::model::{ActionWork, At, Contract, Data, StateMachine};

/// What becomes of data that entities have, or lack.
pub(super) fn changes(both: &Both<'_>, old: &Contract<'_>, new: &Contract<'_>) -> Vec<Change> {
    let (Some(old_machine), Some(new_machine)) = (&old.state_machine, &new.state_machine) else {
        return Vec::new();
    };
    let (before, after) = (fields(old_machine), fields(new_machine));
    let mut names: Vec<&Text> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut changes = Vec::new();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        let Some((what, verdict, reason)) = judged(name, was, is, new) else {
            continue;
        };
        let path = format!("state_machine.initial_data.{name}");
        let change = Change::new(new.name.as_str(), path, what, verdict, reason.to_owned());
        let node = old.name.as_str().to_owned();
        changes.push(Change {
            old: was.and_then(|field| both.old.place(field.at)),
            new: is.and_then(|field| both.new.place(field.at)),
            touches: Touches::Entities { node, state: None },
            ..change
        });
    }
    changes
}

/// A field that entities may have.
struct Field<'m> {
    at: At,
    /// What a new entity begins with; `None`: null until it is set.
    initial: Option<&'m Data<'m>>,
}

/// Every field that new entities begin with or that an action sets.
fn fields<'m>(machine: &'m StateMachine<'m>) -> BTreeMap<&'m Text, Field<'m>> {
    let initial = machine.initial_data.iter();
    let mut fields: BTreeMap<&Text, Field<'_>> = initial
        .map(|(name, data)| (&name.value, Field { at: name.at, initial: Some(data) }))
        .collect();
    for action in machine.actions() {
        if let ActionWork::Update(set) = &action.work {
            for (name, _) in set {
                fields.entry(&name.value).or_insert(Field { at: name.at, initial: None });
            }
        }
    }
    fields
}

fn judged(
    name: &str,
    was: Option<&Field<'_>>,
    is: Option<&Field<'_>>,
    new: &Contract<'_>,
) -> Option<(What, Verdict, &'static str)> {
    let what = What::of(was, is)?;
    Some(match (what, was.and_then(|f| f.initial), is.and_then(|f| f.initial)) {
        (What::Added, ..) if reads(new.root, "state", name) => (
            what,
            Verdict::NeedsMigration,
            "entities that exist do not have the field that is read",
        ),
        (What::Added, ..) => {
            (what, Verdict::Compatible, "nothing reads it of entities that lack it")
        }
        (What::Removed, ..) => (
            what,
            Verdict::Compatible,
            "entities that exist keep the field; nothing knows it any more",
        ),
        (What::Changed, Some(old), Some(new)) if old.node.kind() != new.node.kind() => {
            (what, Verdict::NeedsMigration, "entities that exist hold a value of another type")
        }
        (What::Changed, Some(old), Some(new)) if !super::walk::same(old.node, new.node) => (
            what,
            Verdict::Compatible,
            "entities that exist keep their value; new ones begin with the other",
        ),
        (What::Changed, None, Some(_)) | (What::Changed, Some(_), None) => {
            (what, Verdict::Compatible, "entities that exist keep their value")
        }
        (What::Changed, ..) => return None,
    })
}
