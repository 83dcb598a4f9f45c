//! What others are told: the fields of messages and results, by the types of what makes them. Where
//! a schema says what readers may expect, that schema is what is compared.

use onex_expr::Type;

use super::needs::reads;
use super::verdict::{Verdict, What};
use super::{Both, Change, canonical, walk};
use crate::Checked;
use crate::link::told::{How, Missed, Subject, Told, missed};
use crate::model::Contract;

/// What readers and callers miss.
pub(super) fn changes(both: &Both<'_>, old: &Checked, new: &Checked) -> Vec<Change> {
    let mut changes = Vec::new();
    for told in &new.told {
        let before: Vec<&Told> =
            old.told.iter().filter(|before| before.subject == told.subject).collect();
        let types: Vec<_> = before.iter().map(|before| &before.ty).collect();
        let (Some(first), Some(contract)) = (before.first(), both.new.contract_of(told.at)) else {
            continue;
        };
        if is_judged_whole(both, &told.subject) {
            continue;
        }
        let place = place(contract, told);
        for missed in missed(&types, &told.ty) {
            let what = match missed.how {
                How::Gone => What::Removed,
                How::Other(..) => What::Changed,
            };
            let (verdict, reason) = match (&told.subject, &missed.how) {
                (Subject::Data(_, field), How::Other(was, is)) => of_data(contract, field, was, is),
                // What is in an entity stays there.
                (Subject::Data(..), How::Gone) => continue,
                _ => judged(both, &told.subject, &missed),
            };
            let dot = if missed.path.is_empty() { "" } else { "." };
            let path = format!("{place}{dot}{}", missed.path);
            let change = Change::new(contract.name.as_str(), path, what, verdict, reason);
            let (old, new) = (both.old.place(first.at), both.new.place(told.at));
            changes.push(Change { old, new, ..change });
        }
    }
    changes
}

/// A field of an entity that is set to another type: those that exist hold what they were given.
fn of_data(contract: &Contract<'_>, field: &str, was: &str, is: &str) -> (Verdict, String) {
    if reads(contract.root, "state", field) {
        let reason = format!("entities that exist may hold {was} where {is} is expected now");
        return (Verdict::NeedsMigration, reason);
    }
    (Verdict::Compatible, "nothing reads what entities that exist hold".to_owned())
}

fn judged(both: &Both<'_>, subject: &Subject, missed: &Missed) -> (Verdict, String) {
    let field = match missed.path.as_str() {
        "" => "the whole".to_owned(),
        path => format!("`{path}`"),
    };
    if is_declared(both, subject, &missed.path) {
        let reason = "a schema says what readers may expect of it".to_owned();
        return (Verdict::Compatible, reason);
    }
    let reason = match (subject, &missed.how) {
        (Subject::Message(_), How::Gone) => {
            format!("no schema says that readers can do without {field}")
        }
        (Subject::Message(_), How::Other(was, is)) => {
            format!("no schema says that readers of {field}, which was {was}, can take {is}")
        }
        (Subject::Result(_), How::Gone) => "callers that read the field miss it".to_owned(),
        (Subject::Result(_), How::Other(was, is)) => {
            format!("callers may get {is} where they had {was}")
        }
        (Subject::Data(..), _) => "entities keep it".to_owned(),
    };
    (Verdict::Breaking, reason)
}

/// Whether the new system's schema speaks of a field; a change of it is told where it stands.
fn is_declared(both: &Both<'_>, subject: &Subject, path: &str) -> bool {
    let system = &both.new.system;
    let schema = match subject {
        Subject::Message(topic) => system.producer_schema(topic),
        Subject::Result(node) => {
            let contract = both.new.contract(node);
            system.schema_of(contract.and_then(|contract| contract.output_model.as_ref()))
        }
        Subject::Data(..) => None,
    };
    let mut ty = schema.map(|schema| schema.ty().clone());
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        ty = match ty {
            Some(Type::List(item)) if part == "]" => Some(*item),
            Some(Type::Object(object)) => object.fields.get(part).map(|field| field.ty.clone()),
            _ => None,
        };
    }
    ty.is_some()
}

/// Whether a result is judged as a whole: it was said and is not any more, or the reverse, or is
/// made of other steps.
fn is_judged_whole(both: &Both<'_>, subject: &Subject) -> bool {
    let Subject::Result(node) = subject else {
        return false;
    };
    let of = |contract: Option<&Contract<'_>>| {
        let workflow = contract?.workflow.as_ref()?;
        let last = workflow.last_steps().into_iter().map(|id| id.value.clone());
        Some(workflow.result.is_none().then(|| last.collect::<Vec<_>>()))
    };
    of(both.old.contract(node)) != of(both.new.contract(node))
}

/// The place of what is told: beside the topic of a message.
fn place(contract: &Contract<'_>, told: &Told) -> String {
    if matches!(told.subject, Subject::Result(_)) {
        return "workflow_coordination.workflow_definition.result".to_owned();
    }
    let span = told.at.span();
    let root = canonical::canonical(contract.root);
    let path = walk::path_of(&root, span.start, span.end).unwrap_or_default();
    if matches!(told.subject, Subject::Data(..)) {
        return walk::shown(&path);
    }
    let beside = path.split_last().map_or(&[][..], |(_, beside)| beside);
    format!("{}.payload", walk::shown(beside))
}
