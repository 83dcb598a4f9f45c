//! What a schema says of the value at a path.

use onex_expr::Value;

use super::fit::conjuncts;

/// Every part of a document that holds of the value below these fields; none where it says nothing.
pub(crate) fn parts_at<'v, 'p>(
    document: &'v Value,
    path: impl IntoIterator<Item = &'p str>,
) -> Vec<&'v Value> {
    path.into_iter().fold(conjuncts(document, document), |parts, field| {
        let schemas = parts.iter().filter_map(|part| part.get("properties")?.get(field));
        schemas.flat_map(|schema| conjuncts(document, schema)).collect()
    })
}
