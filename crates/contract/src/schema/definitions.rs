//! Every named schema of every node.

use std::collections::BTreeMap;

use crate::yaml::Node;

/// Named schemas, by the node in whose contract they stand. Names of one contract are not seen by
/// another, which says `{from: node, name: X}`.
#[derive(Clone, Debug, Default)]
pub struct Definitions<'n> {
    by_node: BTreeMap<&'n str, BTreeMap<&'n str, &'n Node>>,
}

impl<'n> Definitions<'n> {
    /// Adds a definition; of two of one name the later counts.
    pub fn add(&mut self, node: &'n str, name: &'n str, schema: &'n Node) {
        self.by_node.entry(node).or_default().insert(name, schema);
    }

    /// The definition of a name.
    pub fn get(&self, node: &str, name: &str) -> Option<(&'n str, &'n str, &'n Node)> {
        let (node, names) = self.by_node.get_key_value(node)?;
        names.get_key_value(name).map(|(name, schema)| (*node, *name, *schema))
    }

    /// The names that a node defines.
    pub fn names(&self, node: &str) -> impl Iterator<Item = &'n str> {
        self.by_node.get(node).into_iter().flat_map(|names| names.keys().copied())
    }

    /// The nodes that define something.
    pub fn nodes(&self) -> impl Iterator<Item = &'n str> {
        self.by_node.keys().copied()
    }
}
