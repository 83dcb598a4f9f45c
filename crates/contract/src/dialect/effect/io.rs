//! `io_config`: the request of an operation, by its kind.

use crate::dialect::{
    effect::body,
    made::{Made, text},
};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// Translates a request; `lists` when what is read is a folder.
pub(in crate::dialect) fn translate(
    reading: &mut Reading<'_, '_>,
    request: &Node,
    lists: bool,
) -> Option<Node> {
    match request.get("handler_type").and_then(Node::as_str) {
        Some("http") => http(reading, request),
        Some("filesystem") => filesystem(reading, request, lists),
        // A kind that the host may or may not have: it is judged where the host is known.
        _ => Some(request.clone()),
    }
}

fn http(reading: &mut Reading<'_, '_>, request: &Node) -> Option<Node> {
    let mut fields = Fields::open(reading, request, "`io_config`")?;
    let mut out = Made::new(&request.span);
    out.keep(&mut fields, &["handler_type", "timeout_ms", "method", "url_template", "headers"]);
    out.keep(&mut fields, &["query_params", "body"]);
    if let Some(template) = fields.get("body_template") {
        out.put("body", body::read(template));
    }
    fields.not_enforced(&["follow_redirects", "verify_ssl"]);
    fields.close();
    Some(out.done())
}

fn filesystem(reading: &mut Reading<'_, '_>, request: &Node, lists: bool) -> Option<Node> {
    let mut fields = Fields::open(reading, request, "`io_config`")?;
    let mut out = Made::new(&request.span);
    out.keep(&mut fields, &["handler_type", "timeout_ms"]);
    let operation = fields.get("operation");
    let verb = operation.and_then(Node::as_str).unwrap_or("");
    if let Some(operation) = operation {
        match (verb, lists) {
            ("read", true) => out.text("operation", "list", &operation.span),
            _ => out.put("operation", operation.clone()),
        }
    }
    out.keep(&mut fields, &["file_path_template"]);
    if ["move", "copy"].contains(&verb) {
        out.keep(&mut fields, &["destination_path_template"]);
    }
    out.keep(&mut fields, &["content"]);
    if verb == "write" && !out.has("content") {
        // Older files never named what is written: it is the input's `content`.
        out.put("content", text("${input.content}", &request.span));
    }
    if ["write", "move", "copy"].contains(&verb) {
        out.keep(&mut fields, &["create_dirs"]);
    }
    fields.descriptive(&["create_dirs", "destination_path_template"]);
    fields.not_enforced(&["atomic", "encoding", "mode", "security"]);
    fields.close();
    Some(out.done())
}

/// Whether an operation may be tried again, as it says or as its kind has it.
pub(in crate::dialect) fn is_idempotent(operation: &Node, request: &Node) -> bool {
    if let Some(Node { tree: Tree::Bool(said), .. }) = operation.get("idempotent") {
        return *said;
    }
    let word = |key: &str| request.get(key).and_then(Node::as_str).unwrap_or("");
    match word("handler_type") {
        "http" => !["POST", "PATCH"].contains(&word("method")),
        "db" => !["insert", "raw"].contains(&word("operation")),
        "filesystem" => ["read", "delete", "list"].contains(&word("operation")),
        _ => false,
    }
}
