//! `capabilities`: what a node says that it offers; a list of names, or of mappings with a `name`.

use super::reading::Reading;
use crate::model::Contract;
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    for item in reading.items(node, "`capabilities`") {
        let name = match &item.tree {
            Tree::Map(_) => item.get("name"),
            _ => Some(item),
        };
        if let Some(name) = name {
            contract.capabilities.extend(reading.word(name, "a capability"));
        }
    }
}
