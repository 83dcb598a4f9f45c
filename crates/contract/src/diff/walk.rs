//! Where two contracts differ: both trees are walked together, down to the smallest part that is
//! only on one side or is another value. Items of a list are the same item when they have the same
//! name, wherever they stand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use onex_expr::Text;

use super::rule;
use super::verdict::What;
use crate::yaml::{Node, Tree};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A key of a mapping.
    Key(Text),
    /// An item of a list, by its name.
    Item(String),
}

/// One place where they differ.
#[derive(Clone, Debug)]
pub(super) struct Difference<'n> {
    /// The way to it.
    pub path: Vec<Step>,
    /// What stood there.
    pub old: Option<&'n Node>,
    /// What stands there.
    pub new: Option<&'n Node>,
}

impl Difference<'_> {
    /// Added, removed or changed.
    pub(super) fn what(&self) -> What {
        What::of(self.old, self.new).unwrap_or(What::Changed)
    }

    /// The name of the item of the list under this key on the way.
    pub(super) fn item(&self, list: &str) -> Option<&str> {
        let at = self.path.iter().position(|step| *step == Step::Key(list.into()))?;
        match self.path.get(at + 1) {
            Some(Step::Item(name)) => Some(name),
            _ => None,
        }
    }

    /// The last step's key or name.
    pub(super) fn last(&self) -> &str {
        match self.path.last() {
            Some(Step::Key(key)) => key,
            Some(Step::Item(name)) => name,
            None => "",
        }
    }
}

/// A path as people read it: `a.b[c].d`.
pub(super) fn shown(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Key(key) if out.is_empty() => write!(out, "{key}"),
            Step::Key(key) => write!(out, ".{key}"),
            Step::Item(name) => write!(out, "[{name}]"),
        };
    }
    out
}

/// Every place where they differ.
pub(super) fn differences<'n>(old: &'n Node, new: &'n Node) -> Vec<Difference<'n>> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.both(Some(old), Some(new));
    walk.found
}

/// Whether two trees hold the same, wherever they stand.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.tree, &b.tree) {
        (Tree::Map(a), Tree::Map(b)) => {
            let has = |entry: &crate::yaml::Entry| {
                b.iter().any(|other| other.key == entry.key && same(&entry.value, &other.value))
            };
            a.len() == b.len() && a.iter().all(has)
        }
        (Tree::List(a), Tree::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Tree::String(a), Tree::String(b)) => a == b,
        (Tree::Null, Tree::Null) => true,
        (Tree::Bool(a), Tree::Bool(b)) => a == b,
        (Tree::Int(a), Tree::Int(b)) => a == b,
        (Tree::Double(a), Tree::Double(b)) => a == b,
        _ => false,
    }
}

struct Walk<'n> {
    path: Vec<Step>,
    found: Vec<Difference<'n>>,
}

impl<'n> Walk<'n> {
    fn both(&mut self, old: Option<&'n Node>, new: Option<&'n Node>) {
        match (old, new) {
            (None, None) => return,
            (Some(old), Some(new)) if same(old, new) => return,
            _ => {}
        }
        let is = |kind: fn(&Tree) -> bool| {
            let fits = |node: Option<&Node>| node.map(|node| kind(&node.tree));
            match (fits(old), fits(new)) {
                (Some(old), Some(new)) => old && new,
                (Some(one), None) | (None, Some(one)) => one && rule::parts_count(&self.path),
                (None, None) => false,
            }
        };
        if rule::is_whole(&self.path) {
            self.tell(old, new);
        } else if is(|tree| matches!(tree, Tree::Map(_))) {
            self.entries(old, new);
        } else if is(|tree| matches!(tree, Tree::List(_))) {
            self.items(old, new);
        } else {
            self.tell(old, new);
        }
    }

    fn tell(&mut self, old: Option<&'n Node>, new: Option<&'n Node>) {
        self.found.push(Difference { path: self.path.clone(), old, new });
    }

    fn entries(&mut self, old: Option<&'n Node>, new: Option<&'n Node>) {
        let all = old.iter().chain(&new).flat_map(|node| node.entries());
        let mut seen = BTreeSet::new();
        let keys: Vec<Text> =
            all.map(|entry| entry.key.clone()).filter(|key| seen.insert(key.clone())).collect();
        for key in keys {
            let side = |node: Option<&'n Node>| node.and_then(|node| node.get(&key));
            let (old, new) = (side(old), side(new));
            self.path.push(Step::Key(key));
            self.both(old, new);
            self.path.pop();
        }
    }

    fn items(&mut self, old: Option<&'n Node>, new: Option<&'n Node>) {
        let list = match self.path.last() {
            Some(Step::Key(key)) => key.clone(),
            _ => Text::default(),
        };
        let old = named(&list, old.map_or(&[], Node::items));
        let new = named(&list, new.map_or(&[], Node::items));
        let find = |items: &[(String, &'n Node)], name: &str| {
            items.iter().find(|(other, _)| other == name).map(|(_, node)| *node)
        };
        let added = new.iter().filter(|(name, _)| find(&old, name).is_none());
        let names: Vec<String> = old.iter().chain(added).map(|(name, _)| name.clone()).collect();
        for name in names {
            let (old, new) = (find(&old, &name), find(&new, &name));
            self.path.push(Step::Item(name));
            self.both(old, new);
            self.path.pop();
        }
    }
}

/// Each item with its name, which no other item of the list has.
fn named<'n>(list: &str, items: &'n [Node]) -> Vec<(String, &'n Node)> {
    let mut named: Vec<(String, &Node)> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let name = name(list, item).unwrap_or_else(|| index.to_string());
        let taken = named.iter().filter(|(other, _)| *other == name).count();
        named.push((if taken > 0 { format!("{name}#{index}") } else { name }, item));
    }
    named
}

fn name(list: &str, item: &Node) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Node::as_str).map(str::to_owned);
    match list {
        "transitions" => Some(transition(item)),
        "subscribe_topics" | "publish_topics" | "schedules" => text("topic"),
        "states" => text("state_name"),
        "operations" => text("operation_name"),
        "nodes" => text("node_id"),
        "pipeline" => text("step_name"),
        "refusals" => item.get("codes").map(|codes| codes.to_value().to_json()),
        "conditions" => text("condition_name"),
        "depends_on" | "subscribed_intents" | "capabilities" => {
            item.as_str().map(str::to_owned).or_else(|| text("name"))
        }
        _ => None,
    }
}

/// What tells a transition from every other: where it starts, what begins it, and its rank.
fn transition(item: &Node) -> String {
    let part = |key: &str| match item.get(key).map(|node| &node.tree) {
        Some(Tree::String(text)) => text.to_string(),
        Some(Tree::Int(number)) => number.to_string(),
        Some(Tree::Map(_)) => {
            let topic = item.get(key).and_then(|node| node.get("topic")).and_then(Node::as_str);
            topic.unwrap_or_default().to_owned()
        }
        _ => String::new(),
    };
    let rank = part("priority");
    let rank = if rank.is_empty() { rank } else { format!(" at {rank}") };
    format!("{} on {}{rank}", part("from_state"), part("trigger"))
}

/// The path of the first text of a contract that stands at a place. Parts of a translated contract
/// do not stand inside each other, so every one is looked at.
pub(super) fn path_of(root: &Node, start: usize, end: usize) -> Option<Vec<Step>> {
    let mut open = vec![(Vec::new(), root)];
    while let Some((path, node)) = open.pop() {
        if node.span == (start..end) && node.as_str().is_some() {
            return Some(path);
        }
        let below = |step: Step| path.iter().cloned().chain([step]).collect::<Vec<_>>();
        let list = match path.last() {
            Some(Step::Key(key)) => key.clone(),
            _ => Text::default(),
        };
        let items = named(&list, node.items()).into_iter();
        open.extend(items.rev().map(|(name, item)| (below(Step::Item(name)), item)));
        let entries = node.entries().iter().rev();
        open.extend(entries.map(|entry| (below(Step::Key(entry.key.clone())), &entry.value)));
    }
    None
}
