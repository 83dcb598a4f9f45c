//! Who hears a topic in another way: a reader that is new to an entry judges what clients send, and
//! a workflow that is no longer begun by a message leaves its senders without a run.

use super::schema::Difference;
use super::schemas::differences;
use super::verdict::{Verdict, What};
use super::{Both, Change};
use crate::model::{Contract, SubscribeTopic};

/// What changed for those who publish.
pub(super) fn changes(both: &Both<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for contract in &both.new.system.contracts {
        for entry in &contract.event_bus.subscribe {
            changes.extend(joined(both, contract, entry));
        }
    }
    for (old, new) in both.pairs() {
        changes.extend(begins_no_more(both, old, new));
    }
    changes
}

/// A new reader of an entry that demands more than those before it.
fn joined(both: &Both<'_>, contract: &Contract<'_>, entry: &SubscribeTopic<'_>) -> Vec<Change> {
    let topic = entry.topic.as_str();
    let uses = both.old.system.topics.get(topic);
    let was_entry = uses.is_some_and(|u| !u.consumers.is_empty() && u.producers.is_empty());
    let Some(wanted) = both.new.system.wanted(contract, entry).filter(|_| was_entry) else {
        return Vec::new();
    };
    let mut before = Vec::new();
    for old in &both.old.system.contracts {
        for heard in old.event_bus.subscribe.iter().filter(|heard| heard.topic.as_str() == topic) {
            if old.name.as_str() == contract.name.as_str() {
                return Vec::new();
            }
            before.push(differences(both.old.system.wanted(old, heard), Some(wanted)));
        }
    }
    if before.is_empty() {
        before.push(differences(None, Some(wanted)));
    }
    let narrower = |found: Vec<Difference>| -> Vec<Difference> {
        found.into_iter().filter(|difference| difference.narrows).collect()
    };
    // What one reader has refused so far never came through to any.
    let fewest = before.into_iter().map(narrower).min_by_key(Vec::len).unwrap_or_default();
    let at = entry.payload.as_ref().map_or(entry.topic.at, |data| data.at);
    let change = |difference: Difference| {
        let path = format!("event_bus.subscribe_topics[{topic}].payload{}", difference.at);
        let reason = format!(
            "{}: what is sent today must satisfy this reader too, and may be refused",
            difference.message
        );
        let name = contract.name.as_str();
        let change = Change::new(name, path, What::Added, Verdict::Breaking, reason);
        Change { new: both.new.place(at), ..change }
    };
    fewest.into_iter().map(change).collect()
}

/// Topics that the workflow still hears, and whose messages begin no run any more.
fn begins_no_more(both: &Both<'_>, old: &Contract<'_>, new: &Contract<'_>) -> Vec<Change> {
    let (Some(before), Some(after)) = (&old.workflow, &new.workflow) else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    for topic in before.begun_by(old) {
        let begins = after.begun_by(new).any(|other| other.value == topic.value);
        let said = new.event_bus.subscribe.iter().find(|entry| entry.topic.value == topic.value);
        if begins || said.is_none() {
            continue;
        }
        let made_inside = both.old.system.topics.get(topic.as_str());
        let (verdict, reason) = match made_inside.is_some_and(|uses| !uses.producers.is_empty()) {
            true => (Verdict::NeedsDrain, "messages that are under way begin no run any more"),
            false => (Verdict::Breaking, "its messages begin no run any more"),
        };
        let path = format!("event_bus.subscribe_topics[{}]", topic.as_str());
        let change = Change::new(new.name.as_str(), path, What::Changed, verdict, reason.into());
        changes.push(Change { old: both.old.place(topic.at), ..change });
    }
    changes
}
