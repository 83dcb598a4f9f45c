//! Whether an operation may be attempted twice.

use onex_expr::Text;

use crate::catalog::EffectKind;
use crate::model::{Data, EffectOperation};
use crate::yaml::{Node, Tree};

/// As the contract says; else by its verb; else true when its target takes a key, which is a
/// header that holds `${envelope.id}` or the operation's `idempotency_key`.
pub(crate) fn idempotent(operation: &EffectOperation<'_>, kind: &EffectKind) -> bool {
    if let Some(said) = &operation.idempotent {
        return said.value;
    }
    let Some(verbs) = kind.idempotent_verbs else {
        return true;
    };
    let by_verb = verb(operation, kind)
        .is_some_and(|verb| verbs.iter().any(|known| known.eq_ignore_ascii_case(&verb)));
    by_verb || operation.idempotency_key.is_some() || sends_key(operation)
}

/// The literal value of the field that selects what a kind does.
pub(crate) fn verb(operation: &EffectOperation<'_>, kind: &EffectKind) -> Option<Text> {
    let field = kind.verb_field?;
    match &operation.io.fields.iter().find(|(name, _)| name.as_str() == field)?.1.node.tree {
        Tree::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn sends_key(operation: &EffectOperation<'_>) -> bool {
    let headers = operation.io.fields.iter().find(|(name, _)| name.as_str() == "headers");
    headers.is_some_and(|(_, Data { node, .. })| {
        node.entries().iter().any(|entry| holds_key(&entry.value))
    })
}

fn holds_key(node: &Node) -> bool {
    let Tree::String(text) = &node.tree else {
        return false;
    };
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    packed.contains("${envelope.id}")
}
