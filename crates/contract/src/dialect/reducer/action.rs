//! Actions of old state machines: names that say what they do, by convention or by configuration.

use std::collections::BTreeSet;
use std::ops::Range;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    reducer::intents,
    topic::name as topic_name,
    translate::Translation,
};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// Actions of one machine, read before they are written: clearing needs every field that is set.
pub(in crate::dialect) struct Actions {
    fields: BTreeSet<String>,
}

impl Actions {
    /// Finds the fields that the actions of a machine set.
    pub(in crate::dialect) fn of(machine: &Node) -> Actions {
        let mut names = Vec::new();
        names_in(machine, &mut names);
        let fields = names.iter().filter_map(|name| match meaning(name) {
            Some(Meaning::Mark(field)) => Some(field.to_owned()),
            Some(Meaning::Record(field)) => Some(field),
            _ => None,
        });
        Actions { fields: fields.collect() }
    }

    /// The actions under a key in the normal form; `emitted` are intents sent elsewhere already.
    pub(in crate::dialect) fn translate(
        &self,
        fields: &mut Fields<'_, '_, '_, '_>,
        key: &'static str,
        made: &mut Translation,
        emitted: &BTreeSet<Text>,
    ) -> Option<Node> {
        let list = fields.get(key)?;
        let mut out = Vec::new();
        for item in fields.items(key) {
            out.extend(self.one(fields.reading, item, made, emitted));
        }
        (!out.is_empty()).then(|| node(Tree::List(out), &list.span))
    }

    fn one(
        &self,
        reading: &mut Reading<'_, '_>,
        item: &Node,
        made: &mut Translation,
        emitted: &BTreeSet<Text>,
    ) -> Option<Node> {
        if let Tree::String(name) = &item.tree {
            reading.acted(&item.span);
            return self.named(reading, name, None, &item.span, made, emitted);
        }
        let mut fields = Fields::open(reading, item, "the action")?;
        let kind = fields.word("action_type").map(|word| word.value.to_ascii_lowercase());
        let name = fields.word("action_name").or_else(|| fields.word("name"));
        let mut out = Made::new(&item.span);
        out.keep(&mut fields, &KEPT);
        fields.descriptive(&["version", "description"]);
        fields.not_enforced(&["is_critical", "timeout_ms", "rollback_action"]);
        let config = fields.get("action_config");
        fields.acts(&["action_type", "action_name", "name"]);
        fields.close();
        for key in KEPT {
            if let Some(value) = config.and_then(|config| configured(reading, config, key)) {
                out.put(key, value.clone());
            }
        }
        for (key, kind) in
            [("set", "state_update"), ("intent_type", "intent_emission"), ("topic", "event")]
        {
            if out.has(key) {
                if key == "intent_type" && made.emits_nothing {
                    return switched_off(reading, &item.span);
                }
                let mut whole = Made::new(&item.span);
                whole.text("action_type", kind, &item.span);
                return Some(joined(whole, out.done().entries()));
            }
        }
        let Some(name) = name else {
            noted(reading, &item.span, "an action without a name");
            return None;
        };
        let said = self.named(reading, &name.value, kind.as_deref(), &item.span, made, emitted)?;
        if said.get("set").is_some() {
            let mut whole = Made::new(&item.span);
            whole.keep(&mut Fields::open(reading, item, "the action")?, &["execution_order"]);
            return Some(joined(whole, said.entries()));
        }
        Some(joined(out, said.entries()))
    }

    /// What the name of an action says.
    fn named(
        &self,
        reading: &mut Reading<'_, '_>,
        name: &str,
        kind: Option<&str>,
        at: &Range<usize>,
        made: &mut Translation,
        emitted: &BTreeSet<Text>,
    ) -> Option<Node> {
        let mut out = Made::new(at);
        match (kind, meaning(name)) {
            (Some("intent_emission"), _) | (None, Some(Meaning::Intent)) => {
                let known = made.intent_of(name);
                known.iter().flat_map(|d| &d.acts).for_each(|span| reading.acted(span));
                let known = known.map(|d| (d.intent_type.clone(), d.topic.clone()));
                let Some((intent_type, topic)) = known else {
                    unsaid(reading, name, at, kind.is_some());
                    return None;
                };
                if made.emits_nothing {
                    return switched_off(reading, at);
                }
                if emitted.contains(&intent_type) {
                    return None;
                }
                match topic {
                    Some(topic) => {
                        made.topics.tell(topic.clone(), at);
                        out.text("action_type", "event", at);
                        out.text("topic", topic, at);
                    }
                    None => {
                        out.text("action_type", "intent_emission", at);
                        out.text("intent_type", intent_type, at);
                    }
                }
                out.put("payload", text("${payload}", at));
            }
            (Some("state_update") | None, Some(change)) => {
                let fields = self.change(&change);
                if fields.is_empty() {
                    noted(reading, at, &format!("action `{name}`"));
                    return None;
                }
                let mut set = Made::new(at);
                for (field, value) in fields {
                    set.free(
                        field.into(),
                        at,
                        value.map_or_else(|| node(Tree::Null, at), |tree| node(tree, at)),
                    );
                }
                out.text("action_type", "state_update", at);
                out.put("set", set.done());
            }
            _ => {
                noted(reading, at, &format!("action `{name}`"));
                return None;
            }
        }
        Some(out.done())
    }

    /// The fields that a change sets, and to what; nothing is null.
    fn change(&self, change: &Meaning<'_>) -> Vec<(String, Option<Tree>)> {
        match change {
            Meaning::Mark(field) => vec![((*field).to_owned(), Some(Tree::Bool(true)))],
            Meaning::Record(field) => {
                let value = Tree::String("${payload.?error.orValue(null)}".into());
                vec![(field.clone(), Some(value))]
            }
            Meaning::Clear => self.fields.iter().map(|field| (field.clone(), None)).collect(),
            Meaning::Intent => Vec::new(),
        }
    }
}

/// Keys of an action that mean the same in the normal form.
const KEPT: [&str; 6] = ["set", "intent_type", "topic", "payload", "for_each", "execution_order"];

/// What is said first, and what else is said.
fn joined(mut whole: Made, rest: &[Entry]) -> Node {
    for entry in rest {
        whole.free(entry.key.clone(), &entry.key_span, entry.value.clone());
    }
    whole.done()
}

/// A value of `action_config`: a mapping, or a list of names and values.
fn configured<'n>(reading: &mut Reading<'_, '_>, config: &'n Node, name: &str) -> Option<&'n Node> {
    let named = |item: &&Node| item.get("name").and_then(Node::as_str) == Some(name);
    if let Some(item) = config.items().iter().find(named) {
        item.get("name").iter().for_each(|name| reading.acted(&name.span));
        return item.get("value");
    }
    config.get(name)
}

/// What a name says.
enum Meaning<'n> {
    Mark(&'n str),
    Clear,
    Record(String),
    Intent,
}

fn meaning(name: &str) -> Option<Meaning<'_>> {
    if let Some(field) = name.strip_prefix("mark_").filter(|field| !field.is_empty()) {
        return Some(Meaning::Mark(field));
    }
    if let Some(what) = name.strip_prefix("record_") {
        // `record_failure` and `record_validation_failure` both say why it failed.
        return what.ends_with("failure").then(|| Meaning::Record(format!("{}_reason", "failure")));
    }
    if ["clear_state", "reset_state"].contains(&name) {
        return Some(Meaning::Clear);
    }
    name.ends_with("_intent").then_some(Meaning::Intent)
}

fn names_in(tree: &Node, names: &mut Vec<String>) {
    for item in tree.items() {
        names_in(item, names);
    }
    for entry in tree.entries() {
        match (entry.key.as_str(), &entry.value.tree) {
            ("action_name", Tree::String(name)) => names.push(name.to_string()),
            ("entry_actions" | "exit_actions", Tree::List(items)) => {
                names.extend(items.iter().filter_map(|item| Some(item.as_str()?.to_owned())));
            }
            _ => {}
        }
        names_in(&entry.value, names);
    }
}

/// The intent types that the transitions of a machine emit.
pub(in crate::dialect) fn intents_in(transitions: &Node, made: &Translation) -> BTreeSet<Text> {
    let mut names = Vec::new();
    names_in(transitions, &mut names);
    let names = names.iter().filter(|name| matches!(meaning(name), Some(Meaning::Intent)));
    names.filter_map(|name| Some(made.intent_of(name)?.intent_type.clone())).collect()
}

fn noted(reading: &mut Reading<'_, '_>, at: &Range<usize>, what: &str) {
    let at = reading.at(at);
    reading.findings.note(code::NOT_ENFORCED, at, format!("{what} is not enforced: it documents"));
}

fn switched_off(reading: &mut Reading<'_, '_>, at: &Range<usize>) -> Option<Node> {
    reading.acted(at);
    let at = reading.at(at);
    let message = "this emits nothing: `intent_emission` is switched off";
    reading.findings.note(code::SWITCHED_OFF, at, message);
    None
}

fn unsaid(reading: &mut Reading<'_, '_>, name: &str, at: &Range<usize>, loud: bool) {
    let place = reading.at(at);
    if !loud {
        return noted(reading, at, &format!("action `{name}`"));
    }
    let message = format!("`{name}` does not say which intent it emits: it is left out");
    let help = format!(
        "name it in `action_config: {{intent_type: {}}}` or list it in `intent_emission`",
        topic_name::segment(intents::stem(name))
    );
    reading.findings.warning(code::INTENT_UNSAID, place, message).help(help);
}
