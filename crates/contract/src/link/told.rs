//! What others are told, by the types of what makes it: the messages of each topic, the results of
//! runs and the data of entities. Running needs none of it; it is for comparing two systems.

use onex_expr::{Text, Type};

use super::Linker;
use super::types;
use crate::model::{At, Contract, Word, Workflow};

/// One place that tells others something.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// What it tells.
    pub subject: Subject,
    /// Where.
    pub at: At,
    /// What is known of it.
    pub ty: Type,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// A message on this topic.
    Message(Text),
    /// The result of runs of this node.
    Result(Text),
    /// What entities of this node are left with in this field: told to who handles them next.
    Data(Text, Text),
}

impl Linker<'_, '_, '_> {
    /// Notes a message.
    pub(super) fn tell(&mut self, topic: &Word, ty: Type) {
        self.note(Subject::Message(topic.value.clone()), topic.at, ty);
    }

    /// What is linked with something given is a trial and tells nobody.
    fn note(&mut self, subject: Subject, at: At, ty: Type) {
        if self.given.is_none() {
            self.told.push(Told { subject, at, ty });
        }
    }

    /// Notes what a field of an entity is set to.
    pub(super) fn tell_data(&mut self, contract: &Contract<'_>, field: &Text, at: At, ty: Type) {
        self.note(Subject::Data(contract.name.value.clone(), field.clone()), at, ty);
    }

    /// Notes what runs yield.
    pub(super) fn tell_result(
        &mut self,
        contract: &Contract<'_>,
        workflow: &Workflow<'_>,
        ty: Type,
    ) {
        let at = workflow.result.map_or(workflow.at, |result| result.at);
        let subject = Subject::Result(contract.name.value.clone());
        self.note(subject, at, ty);
    }
}

/// How what is told now is not what was told before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Missed {
    /// The field, `a.b[]`; empty for the whole.
    pub path: String,
    /// What of it.
    pub how: How,
}

/// What readers miss.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// It is not there any more, or need not be.
    Gone,
    /// It was of the first type and may be of the second.
    Other(&'static str, &'static str),
}

/// What readers of any of the old ones miss in the new one: nothing when it is as one of them was.
/// Of what nothing was known nothing is missed.
pub(crate) fn missed(old: &[&Type], new: &Type) -> Vec<Missed> {
    let each = old.iter().map(|old| {
        let mut found = Vec::new();
        compare(old, new, "", &mut found);
        found
    });
    let mut fewest = each.min_by_key(Vec::len).unwrap_or_default();
    fewest.sort();
    fewest.dedup();
    fewest
}

fn compare(old: &Type, new: &Type, path: &str, found: &mut Vec<Missed>) {
    match (old, new) {
        (Type::Dyn, _) => {}
        (old, Type::Optional(new)) => compare(old, new, path, found),
        (old, Type::Union(members)) => {
            members.iter().for_each(|new| compare(old, new, path, found));
        }
        (Type::Union(members), new) => {
            let trials = members.iter().map(|old| {
                let mut found = Vec::new();
                compare(old, new, path, &mut found);
                found
            });
            found.extend(trials.min_by_key(Vec::len).unwrap_or_default());
        }
        (Type::Object(old), new) => {
            let fields = match new {
                Type::Object(new) => Some(new),
                Type::Dyn | Type::Map(..) => None,
                new => return found.push(other(&Type::Object(old.clone()), new, path)),
            };
            for (name, was) in &old.fields {
                let path =
                    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                match fields.and_then(|fields| fields.fields.get(name)) {
                    Some(is) if was.required && !is.required => {
                        found.push(Missed { path, how: How::Gone });
                    }
                    Some(is) => compare(&was.ty, &is.ty, &path, found),
                    None if was.required => found.push(Missed { path, how: How::Gone }),
                    None => {}
                }
            }
        }
        (_, Type::Dyn) | (Type::Map(..), Type::Map(..) | Type::Object(_)) => {}
        (Type::Double, Type::Int) => {}
        (Type::List(old), Type::List(new)) => compare(old, new, &format!("{path}[]"), found),
        (old, new) if old == new => {}
        (old, new) => found.push(other(old, new, path)),
    }
}

fn other(old: &Type, new: &Type, path: &str) -> Missed {
    Missed { path: path.to_owned(), how: How::Other(types::name(old), types::name(new)) }
}
