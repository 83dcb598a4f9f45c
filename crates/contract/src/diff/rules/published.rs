//! The fields of a message that something publishes.

use super::super::rule::{Case, Judged};
use super::super::verdict::Verdict::{Breaking, Compatible};
use super::super::verdict::What;
use super::super::walk::Step;
use crate::yaml::Node;

/// A field of a payload: without a schema nobody else can tell what its readers miss.
pub(super) fn payload(case: &Case<'_, '_>) -> Judged {
    let field = case.difference.last();
    match case.difference.what() {
        What::Added => Judged::new(Compatible, "readers get a field more"),
        What::Changed => Judged::new(Compatible, "the field is made differently"),
        What::Removed if topic(case).is_some_and(|topic| has_schema(case, &topic)) => {
            Judged::new(Compatible, "the topic's schema says what readers may expect")
        }
        What::Removed => {
            Judged::new(Breaking, format!("no schema says that readers can do without `{field}`"))
        }
    }
}

/// The topic of the publication that the payload belongs to.
fn topic(case: &Case<'_, '_>) -> Option<String> {
    let path = &case.difference.path;
    let payload = path.iter().rposition(|step| *step == Step::Key("payload".into()))?;
    let new = super::super::canonical::canonical(case.new.root);
    let node = super::super::walk::at(&new, &path[..payload])?;
    node.get("event").and_then(Node::as_str).map(str::to_owned)
}

fn has_schema(case: &Case<'_, '_>, topic: &str) -> bool {
    case.both.new.system.producer_schema(topic).is_some()
}
