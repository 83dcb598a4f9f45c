//! `io_config`: the request of an operation, by its kind.

use crate::dialect::{
    effect::{body, sandbox::Sandbox},
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
    promise(&mut fields, "follow_redirects", false, "a redirect is an answer, as any other status");
    promise(&mut fields, "verify_ssl", true, "certificates are always verified");
    fields.close();
    Some(out.done())
}

/// A key with which the author asks for what the host does anyway, or does not do.
fn promise(fields: &mut Fields<'_, '_, '_, '_>, key: &'static str, done: bool, what: &str) {
    match fields.get(key) {
        Some(Node { tree: Tree::Bool(asked), .. }) if *asked == done => fields.acts(&[key]),
        Some(_) => fields.idle(&[key], what),
        None => {}
    }
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
    let security = fields.get("security");
    let sandbox = security.and_then(|security| Sandbox::read(fields.reading, security));
    let mut guards = false;
    let mut is_kept = security.is_none() || sandbox.is_some();
    for (key, has) in [
        ("file_path_template", true),
        ("destination_path_template", ["move", "copy"].contains(&verb)),
    ] {
        let path = if has { fields.get(key) } else { None };
        let Some(path) = path else { continue };
        let limited = match &sandbox {
            Some(sandbox) => sandbox.limit(fields.reading, path),
            None => Some(path.clone()),
        };
        is_kept &= limited.is_some();
        guards |= limited.as_ref().is_some_and(|limited| limited.as_str() != path.as_str());
        out.put(key, limited.unwrap_or_else(|| path.clone()));
    }
    // Limits that cannot be kept stay as they are written, and the normal form refuses them.
    match security {
        Some(security) if !is_kept => out.put("security", security.clone()),
        Some(_) if !guards => fields.idle(&["security"], "the path is known, and within it"),
        _ => {}
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
    fields.not_enforced(&["atomic", "encoding", "mode"]);
    fields.close();
    Some(out.done())
}

/// An operation with the words that say one of few things in their one spelling.
pub(in crate::dialect) fn spelled(node: &Node) -> Node {
    let Tree::Map(entries) = &node.tree else { return node.clone() };
    let mut entries = entries.clone();
    for entry in &mut entries {
        match (entry.key.as_str(), &entry.value.tree) {
            ("io_config" | "retry_policy", _) => entry.value = spelled(&entry.value),
            ("handler_type" | "operation" | "backoff_strategy", Tree::String(word))
                if !word.contains("${") =>
            {
                entry.value.tree = Tree::String(word.to_ascii_lowercase().into());
            }
            ("method", Tree::String(word)) if !word.contains("${") => {
                entry.value.tree = Tree::String(word.to_ascii_uppercase().into());
            }
            _ => {}
        }
    }
    Node { tree: Tree::Map(entries), ..node.clone() }
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
