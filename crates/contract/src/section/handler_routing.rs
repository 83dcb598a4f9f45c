//! `handler_routing`: handlers of another system do the work of the node, so it is external. What the
//! table says is theirs; here it is kept and shown.

use super::fields::Fields;
use crate::diagnostic::code;
use crate::model::At;

/// Where foreign handlers are named, if they are.
pub(super) fn read(fields: &mut Fields<'_, '_, '_, '_>) -> Option<At> {
    fields.get("handler_routing")?;
    let at = fields.key_at("handler_routing");
    let file = at.file;
    // Of a file of an old dialect its translation has told.
    if !fields.reading.findings.is_translated(file) {
        let message = "the node needs the foreign handlers of `handler_routing`";
        fields.reading.findings.warning(code::FOREIGN_HANDLER, at, message).help(
            "the node is left out of the running system, the others run; say in a section what it does",
        );
    }
    Some(at)
}
