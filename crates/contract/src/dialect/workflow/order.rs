//! What comes before what: `depends_on`, `dependencies`, and the `edges` of a graph.

use std::collections::{BTreeMap, BTreeSet};

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::made::{node, text};
use crate::model::Word;
use crate::section::fields::Fields;
use crate::suggest;
use crate::yaml::{Node, Tree};

/// The order of a graph.
#[derive(Default)]
pub(in crate::dialect) struct Order {
    /// What each step waits for, in the order said.
    after: BTreeMap<Text, Vec<Text>>,
    /// What edges say beside that.
    edges: BTreeMap<Text, Vec<Word>>,
}

impl Order {
    /// Reads the nodes and edges of a graph.
    pub(in crate::dialect) fn read(graph: &mut Fields<'_, '_, '_, '_>) -> Order {
        let mut order = Order::default();
        for item in graph.node().get("nodes").map_or(&[][..], Node::items) {
            let Some(id) = ["node_id", "step_id"].iter().find_map(|key| item.get(key)?.as_str())
            else {
                continue;
            };
            let listed = ["depends_on", "dependencies"].iter().filter_map(|key| item.get(key));
            let words = listed.flat_map(items).filter_map(Node::as_str).map(Text::from);
            order.after.entry(id.into()).or_default().extend(words);
        }
        for item in graph.items("edges") {
            let Some(mut edge) = Fields::open(graph.reading, item, "the edge") else { continue };
            let from = edge.required_word("from_node");
            let to = edge.required_word("to_node");
            edge.acts(&["from_node", "to_node"]);
            edge.descriptive(&["edge_type", "description", "version"]);
            edge.close();
            let (Some(from), Some(to)) = (from, to) else { continue };
            let Some(after) = order.after.get_mut(&to.value) else {
                let message = format!("an edge leads to `{}`, which is no step", to.as_str());
                let steps = order.after.keys().map(Text::as_str);
                let help = suggest::did_you_mean(to.as_str(), steps);
                let findings = &mut graph.reading.findings;
                findings.error(code::UNKNOWN_DEPENDENCY, to.at, message).help_if(help);
                continue;
            };
            if !after.contains(&from.value) {
                after.push(from.value.clone());
                order.edges.entry(to.value).or_default().push(from);
            }
        }
        order
    }

    /// What a step waits for, with what edges add.
    pub(in crate::dialect) fn depends_on(&self, id: &str, written: Option<&Node>) -> Option<Node> {
        let Some(edges) = self.edges.get(id) else { return written.cloned() };
        let mut all: Vec<Node> = written.map_or(&[][..], items).to_vec();
        all.extend(edges.iter().map(|word| text(word.value.clone(), &word.at.span())));
        let at = written.map_or_else(|| edges[0].at.span(), |written| written.span.clone());
        Some(node(Tree::List(all), &at))
    }

    /// Every step that comes before this one, directly or not.
    pub(in crate::dialect) fn before(&self, id: &str) -> BTreeSet<Text> {
        let mut before = BTreeSet::new();
        let mut open: Vec<&str> = vec![id];
        while let Some(next) = open.pop() {
            for step in self.after.get(next).into_iter().flatten() {
                if step != id && before.insert(step.clone()) {
                    open.push(step);
                }
            }
        }
        before
    }
}

/// A list, or one alone.
fn items(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}
