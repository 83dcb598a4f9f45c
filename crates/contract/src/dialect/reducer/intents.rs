//! `intent_emission` and `intent_consumption`: which intents a node emits or begins a run on.

use std::ops::Range;

use onex_expr::Text;

use crate::dialect::{
    made::{Made, node},
    switch,
    topic::name as topic_name,
    translate::Translation,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::yaml::{Node, Tree};

/// An intent that a reducer says to emit.
pub(in crate::dialect) struct Declared {
    /// Its type.
    pub intent_type: Text,
    /// The topic, when its target is one: then it is an event.
    pub topic: Option<String>,
    /// What of it acts where an action emits it.
    pub acts: Vec<Range<usize>>,
}

/// Reads the intents that actions refer to by name.
pub(in crate::dialect) fn emitted(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let Some(section) = fields.get("intent_emission") else { return };
    let Some(mut inner) = Fields::open(fields.reading, section, "`intent_emission`") else {
        return;
    };
    for item in inner.items("intents") {
        if let Tree::String(name) = &item.tree {
            let acts = vec![item.span.clone()];
            made.intents.push(Declared { intent_type: name.clone(), topic: None, acts });
            continue;
        }
        let Some(mut intent) = Fields::open(inner.reading, item, "the intent") else { continue };
        let intent_type = intent.required_word("intent_type");
        let target = intent.word("target_pattern");
        intent.descriptive(&["description", "version"]);
        intent.not_enforced(&["payload_model", "payload_module", "target", "priority"]);
        intent.close();
        let Some(intent_type) = intent_type else { continue };
        let topic = target.as_ref().and_then(|target| {
            let topic = target.as_str().strip_prefix("kafka://")?;
            topic_name::read(topic)
        });
        let said = target.filter(|_| topic.is_some()).map(|target| target.at.span());
        let acts = said.into_iter().chain([intent_type.at.span()]).collect();
        made.intents.push(Declared { intent_type: intent_type.value, topic, acts });
    }
    for word in inner.words("published_intents") {
        let acts = vec![word.at.span()];
        made.intents.push(Declared { intent_type: word.value, topic: None, acts });
    }
    inner.acts(&["enabled"]);
    inner.descriptive(&["description", "version"]);
    inner.not_enforced(&["intent_routing"]);
    inner.close();
    made.emits_nothing = switch::is_off(section);
    if made.emits_nothing {
        switch::tell(fields.reading, section, "`intent_emission`");
    }
}

/// Takes over the intents that begin a run.
pub(in crate::dialect) fn consumed(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let Some(section) = fields.get("intent_consumption") else { return };
    let Some(mut inner) = Fields::open(fields.reading, section, "`intent_consumption`") else {
        return;
    };
    let listed = inner.get("subscribed_intents").cloned();
    inner.descriptive(&["description", "version"]);
    inner.not_enforced(&["intent_routing_table"]);
    let table = section.get("intent_routing_table");
    inner.close();
    let words = listed.or_else(|| keys(table?));
    let Some(words) = words.filter(|_| made.kind == Some(Kind::Orchestrator)) else { return };
    let mut out = Made::new(&section.span);
    out.put("subscribed_intents", words);
    out_of(made, out);
}

fn out_of(made: &mut Translation, section: Made) {
    made.out.put("intent_consumption", section.done());
}

/// The keys of a routing table as a list.
fn keys(table: &Node) -> Option<Node> {
    let word =
        |entry: &crate::yaml::Entry| crate::dialect::made::text(entry.key.clone(), &entry.key_span);
    let words: Vec<Node> = table.entries().iter().map(word).collect();
    (!words.is_empty()).then(|| node(Tree::List(words), &table.span))
}

impl Translation {
    /// The intent that the name of an action means: `build_X_intent` or `emit_X_intent` is the
    /// declared type that has the words of X, or the only one there is.
    pub(in crate::dialect) fn intent_of(&self, action: &str) -> Option<&Declared> {
        let words = topic_name::segment(stem(action));
        let has_all = |declared: &&Declared| {
            let parts = topic_name::segment(&declared.intent_type);
            let parts: Vec<&str> = parts.split('-').collect();
            words.split('-').all(|word| parts.contains(&word))
        };
        let rest = |declared: &&Declared| {
            let rest = declared.intent_type.split_once('.').map(|(_, rest)| rest);
            let parts = topic_name::segment(rest.unwrap_or(&declared.intent_type));
            parts.split('-').all(|part| words.split('-').any(|word| word == part))
        };
        let begins = |declared: &&Declared| {
            let first = declared.intent_type.split(['.', '_', '-']).next().unwrap_or_default();
            words.split('-').next() == Some(first)
        };
        let exact = |d: &&Declared| topic_name::segment(&d.intent_type) == words;
        let all = || self.intents.iter();
        let only = || all().next().filter(|_| self.intents.len() == 1);
        let found = all().find(exact).or_else(|| all().find(has_all)).or_else(|| all().find(rest));
        found.or_else(|| all().find(begins)).or_else(only)
    }
}

/// `X` of `build_X_intent`.
pub(in crate::dialect) fn stem(action: &str) -> &str {
    let begin = ["build_", "emit_", "publish_", "create_"];
    let action = begin.iter().find_map(|word| action.strip_prefix(word)).unwrap_or(action);
    let end = ["_intent", "_event"];
    end.iter().find_map(|word| action.strip_suffix(word)).unwrap_or(action)
}
