//! What stands where a schema may stand: a name, a `$ref`, or the schema itself.

use crate::yaml::{Node, Tree};

use super::Definitions;

/// Where a schema stands: whose names it sees, and into what its `#/...` points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'n> {
    /// The node whose definitions are meant by a bare name.
    pub(super) owner: &'n str,
    /// The definition, or the schema itself, in which it stands.
    pub(super) root: &'n Node,
}

/// What a reference leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'n> {
    /// What it may be called.
    pub(super) name: &'n str,
    /// Whether that is a definition's name.
    pub(super) is_definition: bool,
    /// Where it stands.
    pub(super) scope: Scope<'n>,
    /// The schema.
    pub(super) node: &'n Node,
}

/// Why a reference leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lost<'n> {
    /// The node has no such definition.
    Name {
        /// The node.
        owner: &'n str,
        /// The name.
        name: &'n str,
    },
    /// The pointer leads to nothing in this schema.
    Pointer(&'n str),
    /// It leads out of this file.
    Remote(&'n str),
}

impl<'n> Target<'n> {
    /// What tells one target from another: its place in memory, which no other has as long as the
    /// trees are borrowed.
    pub(super) fn address(&self) -> usize {
        std::ptr::from_ref(self.node) as usize
    }
}

/// The node and name of `{from: node, name: X}`.
pub(super) fn of_other_node(node: &Node) -> Option<(&str, &str)> {
    match node.entries() {
        [_, _] => Some((node.get("from")?.as_str()?, node.get("name")?.as_str()?)),
        _ => None,
    }
}

/// What a name, a reference to another node or a schema with nothing but `$ref` leads to; `None`
/// when the schema itself stands here.
pub(super) fn follow<'n>(
    scope: Scope<'n>,
    node: &'n Node,
    definitions: &Definitions<'n>,
) -> Option<Result<Target<'n>, Lost<'n>>> {
    if let Tree::String(name) = &node.tree {
        return Some(definition(scope.owner, name, definitions));
    }
    if let Some((owner, name)) = of_other_node(node) {
        return Some(definition(owner, name, definitions));
    }
    match node.entries() {
        [only] if only.key == "$ref" => {
            only.value.as_str().map(|pointer| follow_ref(scope, pointer, definitions))
        }
        _ => None,
    }
}

/// What the text of a `$ref` leads to: a place in the same definition, or, as `#/definitions/X`
/// and `#/$defs/X`, a definition of the contract.
pub(super) fn follow_ref<'n>(
    scope: Scope<'n>,
    reference: &'n str,
    definitions: &Definitions<'n>,
) -> Result<Target<'n>, Lost<'n>> {
    let Some(pointer) = reference.strip_prefix('#') else {
        return Err(Lost::Remote(reference));
    };
    let found = pointer.split('/').skip(1).try_fold(scope.root, |node, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match &node.tree {
            Tree::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(&step),
        }
    });
    let is_pointer = pointer.is_empty() || pointer.starts_with('/');
    if let Some(node) = found.filter(|_| is_pointer) {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        return Ok(Target { name, is_definition: false, scope, node });
    }
    let name = pointer.strip_prefix("/definitions/").or_else(|| pointer.strip_prefix("/$defs/"));
    name.filter(|name| !name.contains('/'))
        .and_then(|name| definition(scope.owner, name, definitions).ok())
        .ok_or(Lost::Pointer(reference))
}

fn definition<'n>(
    owner: &'n str,
    name: &'n str,
    definitions: &Definitions<'n>,
) -> Result<Target<'n>, Lost<'n>> {
    let found = definitions.get(owner, name).ok_or(Lost::Name { owner, name })?;
    let (owner, name, node) = found;
    Ok(Target { name, is_definition: true, scope: Scope { owner, root: node }, node })
}
