//! `definitions`: JSON Schemas by name, or, in older files, under `models`, `schemas`, `responses`.

use std::collections::BTreeSet;

use onex_expr::Text;

use crate::dialect::{made::Made, schema::type_language::Types, translate::Translation};
use crate::section::fields::Fields;
use crate::yaml::{Entry, Node, Tree};

/// Translates every definition to JSON Schema.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let Some(section) = fields.get("definitions") else { return };
    let entries: Vec<&Entry> = section.entries().iter().flat_map(inner).collect();
    let names: BTreeSet<Text> = entries.iter().map(|entry| entry.key.clone()).collect();
    if entries.is_empty() {
        return;
    }
    let span = fields.key_span("definitions");
    let mut out = Made::new(&section.span);
    let types = Types { names: &names };
    for entry in entries {
        let schema = types.schema(fields.reading, &entry.value);
        out.free(entry.key.clone(), &entry.key_span, schema);
    }
    made.out.free("definitions".into(), &span, out.done());
    made.definitions = names;
}

/// Groups that are no definition themselves.
const GROUPS: [&str; 4] = ["models", "schemas", "responses", "enums"];

fn inner(entry: &Entry) -> &[Entry] {
    let is_group = GROUPS.contains(&entry.key.as_str())
        && matches!(entry.value.tree, Tree::Map(_))
        && entry.value.get("type").is_none_or(|node| !matches!(node.tree, Tree::String(_)));
    if is_group { entry.value.entries() } else { std::slice::from_ref(entry) }
}

/// Whether a node is a schema or the name of one.
pub(in crate::dialect) fn is_schema(node: &Node) -> bool {
    matches!(node.tree, Tree::Map(_) | Tree::String(_))
}
