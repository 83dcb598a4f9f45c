//! Projectors (`projector_kind: materialized_view`): read models with columns and keys.
//!
//! Topics, names and versions are read; columns and behaviour are kept for readers.

use crate::diagnostic::code;
use crate::dialect::{
    identity,
    made::text,
    recognise::PROJECTOR,
    topic,
    translate::{Translated, Translation, Verdict},
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::{Reading, did_you_mean};
use crate::suggest;
use crate::yaml::{Node, Tree};

/// Translates a projector.
pub(in crate::dialect) fn translate(
    reading: &mut Reading<'_, '_>,
    root: &Node,
    stem: &str,
) -> Translated {
    let mut made = Translation::new(root);
    let Some(mut fields) = Fields::open(reading, root, "the projector") else {
        return Translated { root: None, verdict: Verdict::Inert };
    };
    made.kind = Some(Kind::Reducer);
    // A read model follows messages and keeps a row for each key, as a reducer does.
    identity::translate_named(&mut fields, &mut made, PROJECTOR, stem);
    let head = made.head.clone();
    made.out.put("node_type", text("reducer", &head));
    topic::collect(&mut fields, &mut made);
    if let Some(kind) = fields.word("projector_kind")
        && kind.as_str() != "materialized_view"
    {
        let message = format!("unknown projector_kind `{}`", kind.as_str());
        let help = suggest::nearest(kind.as_str(), ["materialized_view"]).map(did_you_mean);
        fields.reading.findings.warning(code::BAD_VALUE, kind.at, message).help_if(help);
    }
    fields.acts(&["projector_kind"]);
    if let Some(schema) = fields.get("projection_schema") {
        projection(fields.reading, schema);
    }
    if let Some(behavior) = fields.get("behavior") {
        behaviour(fields.reading, behavior);
    }
    fields.descriptive(&["projector_id", "snapshot_topic", "description", "metadata"]);
    fields.not_enforced(&["aggregate_type", "metadata", "snapshot_topic", "tags"]);
    fields.close();
    made.tell_inert(reading);
    made.finish(Verdict::Inert)
}

fn projection(reading: &mut Reading<'_, '_>, schema: &Node) {
    let Some(mut fields) = Fields::open(reading, schema, "`projection_schema`") else { return };
    let columns = fields.items("columns");
    let names: Vec<&str> =
        columns.iter().filter_map(|column| column.get("name")?.as_str()).collect();
    for column in columns {
        let Some(mut column) = Fields::open(fields.reading, column, "the column") else { continue };
        column.required_word("name");
        let source = column.get("source").is_some() || column.get("on_event").is_some();
        if !source && column.get("default").is_none() {
            column.missing("source");
        }
        column.descriptive(&[
            "type",
            "description",
            "default",
            "on_event",
            "nullable",
            "constraints",
        ]);
        column.close();
    }
    for word in keys(&mut fields, "primary_key") {
        if !names.contains(&word.as_str()) {
            let message = format!("no column is called `{}`", word.as_str());
            let help = suggest::nearest(word.as_str(), names.iter().copied()).map(did_you_mean);
            fields.reading.findings.warning(code::BAD_VALUE, word.at, message).help_if(help);
        }
    }
    fields.descriptive(&["version", "description"]);
    fields.not_enforced(&["table", "columns", "primary_key", "indexes", "partitioning"]);
    fields.close();
}

fn keys(fields: &mut Fields<'_, '_, '_, '_>, key: &'static str) -> Vec<crate::model::Word> {
    match fields.get(key).map(|node| &node.tree) {
        Some(Tree::String(_) | Tree::List(_)) => fields.words(key),
        _ => Vec::new(),
    }
}

fn behaviour(reading: &mut Reading<'_, '_>, behavior: &Node) {
    let Some(mut fields) = Fields::open(reading, behavior, "`behavior`") else { return };
    fields.not_enforced(&["mode", "upsert_key", "idempotency", "on_conflict", "ordering"]);
    fields.descriptive(&["description"]);
    fields.close();
}
