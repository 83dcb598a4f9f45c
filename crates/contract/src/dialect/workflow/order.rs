//! What comes before what: `depends_on`, `dependencies`, and the `edges` of a graph.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    unguarded,
};
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
    /// Every step in the order in which they run one at a time.
    line: Vec<Text>,
}

impl Order {
    /// Reads the nodes and edges of a graph.
    /// What an edge hangs on besides stays in the graph being made, which the normal form refuses.
    pub(in crate::dialect) fn read(graph: &mut Fields<'_, '_, '_, '_>, out: &mut Made) -> Order {
        let mut order = Order::default();
        let mut listed: Vec<Text> = Vec::new();
        for item in graph.node().get("nodes").map_or(&[][..], Node::items) {
            let Some(id) = ["node_id", "step_id"].iter().find_map(|key| item.get(key)?.as_str())
            else {
                continue;
            };
            let written = ["depends_on", "dependencies"].iter().filter_map(|key| item.get(key));
            let words = written.flat_map(items).filter_map(Node::as_str).map(Text::from);
            order.after.entry(id.into()).or_default().extend(words);
            listed.push(id.into());
        }
        for item in graph.items("edges") {
            let Some(mut edge) = Fields::open(graph.reading, item, "the edge") else { continue };
            let from = edge.required_word("from_node");
            let to = edge.required_word("to_node");
            edge.acts(&["from_node", "to_node"]);
            edge.descriptive(&["edge_type", "description", "version"]);
            unguarded::keep(&mut edge, "`execution_graph`", out);
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
        order.line = order.lined_up(&listed);
        order
    }

    /// Steps one after the other: of those that wait for nothing any more, the first listed.
    fn lined_up(&self, listed: &[Text]) -> Vec<Text> {
        let places: BTreeMap<&Text, usize> = listed.iter().zip(0..).collect();
        let mut waits: Vec<usize> = vec![0; listed.len()];
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); listed.len()];
        for (step, place) in &places {
            for before in self.after.get(*step).into_iter().flatten() {
                if let Some(before) = places.get(before) {
                    waits[*place] += 1;
                    followers[*before].push(*place);
                }
            }
        }
        let mut ready: BTreeSet<usize> =
            places.into_values().filter(|place| waits[*place] == 0).collect();
        let mut line = Vec::new();
        while let Some(next) = ready.pop_first() {
            line.push(listed[next].clone());
            for follower in std::mem::take(&mut followers[next]) {
                waits[follower] -= 1;
                if waits[follower] == 0 {
                    ready.insert(follower);
                }
            }
        }
        line
    }

    /// What a step waits for, with what edges add and, for one that is skipped when an earlier one
    /// failed, every earlier one.
    pub(in crate::dialect) fn depends_on(
        &self,
        id: &str,
        written: Option<&Node>,
        earlier: &[Text],
        at: &Range<usize>,
    ) -> Option<Node> {
        let edges = self.edges.get(id).map_or(&[][..], Vec::as_slice);
        let mut all: Vec<Node> = written.map_or(&[][..], items).to_vec();
        let listed = all.len();
        all.extend(edges.iter().map(|word| text(word.value.clone(), &word.at.span())));
        all.extend(self.adds(id, earlier).into_iter().map(|step| text(step, at)));
        if all.len() == listed {
            return written.cloned();
        }
        let at = written.map_or_else(|| all[0].span.clone(), |written| written.span.clone());
        Some(node(Tree::List(all), &at))
    }

    /// Those of the earlier steps that this one does not wait for as it is written.
    pub(in crate::dialect) fn adds<'e>(&self, id: &str, earlier: &'e [Text]) -> Vec<&'e str> {
        let known = if earlier.is_empty() { BTreeSet::new() } else { self.ancestors(id) };
        earlier.iter().filter(|step| !known.contains(*step)).map(Text::as_str).collect()
    }

    /// Every step that this one waits for, directly or not.
    fn ancestors<'o>(&'o self, id: &'o str) -> BTreeSet<&'o Text> {
        let mut before = BTreeSet::new();
        let mut open: Vec<&str> = vec![id];
        while let Some(next) = open.pop() {
            for step in self.after.get(next).into_iter().flatten() {
                if step != id && before.insert(step) {
                    open.push(step);
                }
            }
        }
        before
    }

    /// Every step that runs before this one when they run one at a time. To wait for all of them
    /// makes no cycle. None for a step that is in a cycle already.
    pub(in crate::dialect) fn before(&self, id: &str) -> &[Text] {
        let place = self.line.iter().position(|step| step == id);
        place.map_or(&[], |place| &self.line[..place])
    }
}

/// A list, or one alone.
fn items(node: &Node) -> &[Node] {
    match &node.tree {
        Tree::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}
