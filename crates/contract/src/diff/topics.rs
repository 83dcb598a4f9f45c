//! Topics: who hears and who publishes each, in the old system and in the new.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{Touches, Verdict, What};
use super::walk;
use super::{Both, Change, Side, canonical};
use crate::model::{At, Contract};
use crate::system::published;
use crate::yaml::Node;

/// The nodes that have to do with a topic, and where they say so.
type Nodes<'s> = BTreeMap<&'s str, At>;

/// Uses of one topic in one system.
#[derive(Default)]
struct Uses<'s> {
    hears: Nodes<'s>,
    publishes: Nodes<'s>,
    /// Those that do publish, not only list.
    acts: BTreeSet<&'s str>,
}

/// What changed for topics.
pub(super) fn changes(both: &Both<'_>) -> Vec<Change> {
    let (before, after) = (uses(&both.old), uses(&both.new));
    let nothing = Uses::default();
    let topics: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let mut changes = Vec::new();
    for topic in topics {
        let old = before.get(topic).unwrap_or(&nothing);
        let new = after.get(topic).unwrap_or(&nothing);
        changes.extend(heard(both, old, new));
        changes.extend(made(both, old, new));
        changes.extend(silent(both, old, new));
    }
    changes.extend(waits(both, &after));
    changes
}

fn uses<'s>(side: &'s Side<'_>) -> BTreeMap<&'s str, Uses<'s>> {
    let mut all: BTreeMap<&str, Uses<'_>> = BTreeMap::new();
    for (topic, found) in &side.system.topics {
        let uses = all.entry(topic.as_str()).or_default();
        for consumer in &found.consumers {
            let name = side.system.contracts[consumer.node].name.as_str();
            uses.hears.entry(name).or_insert(consumer.at);
        }
        for at in &found.producers {
            let contract = side.contract_of(*at);
            uses.publishes.extend(contract.map(|contract| (contract.name.as_str(), *at)));
        }
    }
    for contract in &side.system.contracts {
        for (topic, _) in published(contract).into_iter().filter(|(_, acts)| *acts) {
            if let Some(uses) = all.get_mut(topic.as_str()) {
                uses.acts.insert(contract.name.as_str());
            }
        }
    }
    all
}

/// Nodes that hear it no more, or only now.
fn heard(both: &Both<'_>, old: &Uses<'_>, new: &Uses<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    // Who takes a node out does without what it did; one that stays is meant to be reached.
    let stays = |node: &str| both.new.contract(node).is_some();
    for (node, at) in old.hears.iter().filter(|(node, _)| !new.hears.contains_key(*node)) {
        let (verdict, reason) = match (new.hears.is_empty(), old.publishes.is_empty()) {
            (false, _) => (Verdict::Compatible, "other nodes hear it as before"),
            (true, true) => {
                (Verdict::Breaking, "nobody hears it any more: clients that publish it are refused")
            }
            (true, false) if stays(node) && !new.acts.is_empty() => (
                Verdict::Breaking,
                "nobody hears it any more and it goes on being published: no message has an effect",
            ),
            (true, false) => (
                Verdict::NeedsDrain,
                "nobody hears it any more: what is under way ends as a dead letter `no_route`",
            ),
        };
        changes.push(gone(both, node, *at, verdict, reason));
    }
    for (node, at) in new.hears.iter().filter(|(node, _)| !old.hears.contains_key(*node)) {
        let reason = "it hears messages from the activation on";
        changes.extend(come(both, node, *at, Verdict::Compatible, reason));
    }
    changes
}

/// Nodes that publish it no more, or only now.
fn made(both: &Both<'_>, old: &Uses<'_>, new: &Uses<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (node, at) in old.publishes.iter().filter(|(node, _)| !new.publishes.contains_key(*node)) {
        let (verdict, reason) = match (new.publishes.is_empty(), new.hears.is_empty()) {
            (false, _) => (Verdict::Compatible, "another node publishes it"),
            (true, false) => (Verdict::Breaking, "nothing publishes what other nodes hear"),
            (true, true) if old.hears.is_empty() => (
                Verdict::Breaking,
                "nothing publishes it any more: who hears it outside gets nothing",
            ),
            (true, true) => (Verdict::Compatible, "nobody in the system hears it any more"),
        };
        changes.push(gone(both, node, *at, verdict, reason));
    }
    let was_entry = !old.hears.is_empty() && old.publishes.is_empty();
    for (node, at) in new.publishes.iter().filter(|(node, _)| !old.publishes.contains_key(*node)) {
        let (verdict, reason) = match was_entry {
            true => (Verdict::Breaking, "it was an entry: clients that publish it are refused now"),
            false => (Verdict::Compatible, "nobody has to hear it"),
        };
        changes.extend(come(both, node, *at, verdict, reason));
    }
    changes
}

/// Nodes that still list it and do not publish it any more.
fn silent(both: &Both<'_>, old: &Uses<'_>, new: &Uses<'_>) -> Vec<Change> {
    let quiet = old.acts.iter().filter(|node| !new.acts.contains(*node));
    let listed = quiet.filter_map(|node| Some((node, *new.publishes.get(node)?)));
    let reason = "it is only listed: nothing in the contract publishes it any more";
    let change = |(node, at): (&&str, At)| {
        let change = come(both, node, at, Verdict::Breaking, reason)?;
        let was = old.publishes.get(node).and_then(|at| both.old.place(*at));
        Some(Change { what: What::Changed, old: was, ..change })
    };
    listed.filter_map(change).collect()
}

/// Runs that wait for a topic that is gone.
fn waits(both: &Both<'_>, after: &BTreeMap<&str, Uses<'_>>) -> Vec<Change> {
    let mut changes = Vec::new();
    for old in &both.old.system.contracts {
        for (topic, node) in waited(old.root) {
            let is_made = after.contains_key(topic);
            let new = both.new.contract(old.name.as_str());
            let still = new.is_some_and(|new| waited(new.root).iter().any(|(t, _)| *t == topic));
            if is_made || still {
                continue;
            }
            let at = At::new(old.name.at.file, &node.span);
            let reason = "runs that have begun wait for it: nobody can publish it any more";
            let change = gone(both, old.name.as_str(), at, Verdict::NeedsDrain, reason);
            let touches = Touches::Runs { node: old.name.as_str().to_owned() };
            changes.push(Change { touches, ..change });
        }
    }
    changes
}

/// Every topic that a step waits for.
fn waited(node: &Node) -> Vec<(&str, &Node)> {
    let mut found = Vec::new();
    for entry in node.entries() {
        let topic = entry.value.get("topic").filter(|_| entry.key == "wait_for_event");
        found.extend(topic.and_then(|topic| Some((topic.as_str()?, topic))));
        found.extend(waited(&entry.value));
    }
    found.extend(node.items().iter().flat_map(waited));
    found
}

/// Something that a contract said and does not say any more.
fn gone(both: &Both<'_>, node: &str, at: At, verdict: Verdict, reason: &str) -> Change {
    let path = both.old.contract(node).map(|contract| path(contract, at)).unwrap_or_default();
    let change = Change::new(node, path, What::Removed, verdict, reason.to_owned());
    Change { old: both.old.place(at), ..change }
}

/// Something that a contract says now; nothing when the whole contract is new.
fn come(both: &Both<'_>, node: &str, at: At, verdict: Verdict, reason: &str) -> Option<Change> {
    let is_new = both.old.contract(node).is_none();
    if is_new && verdict == Verdict::Compatible {
        return None;
    }
    let path = both.new.contract(node).map(|contract| path(contract, at)).unwrap_or_default();
    let change = Change::new(node, path, What::Added, verdict, reason.to_owned());
    Some(Change { new: both.new.place(at), ..change })
}

/// The place in a contract, without the last key: an entry of a list is named by its topic.
fn path(contract: &Contract<'_>, at: At) -> String {
    let span = at.span();
    let root = canonical::canonical(contract.root);
    let path = walk::path_of(&root, span.start, span.end).unwrap_or_default();
    let path = match path.as_slice() {
        [entry @ .., walk::Step::Key(key)] if key == "topic" => entry,
        path => path,
    };
    walk::shown(path)
}
