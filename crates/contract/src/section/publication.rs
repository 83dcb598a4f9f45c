//! `{event, payload}`: a message that ends an operation or a run.

use super::fields::Fields;
use super::reading::Reading;
use crate::model::Publication;
use crate::yaml::Node;

/// Reads a publication.
pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Publication<'a>> {
    if matches!(node.tree, crate::yaml::Tree::List(_)) {
        let at = reading.at(&node.span);
        reading.findings.not_built(at, "outcome as a list");
        return None;
    }
    let mut fields = Fields::open(reading, node, "the outcome")?;
    let topic = fields.required_word("event");
    let payload = fields.data("payload");
    fields.not_built(&["when", "for_each", "id"]);
    fields.close();
    Some(Publication { topic: topic?, payload })
}
