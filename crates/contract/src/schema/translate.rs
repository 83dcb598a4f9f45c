//! A schema as written in a contract to plain JSON Schema: names become `$ref`s into `$defs`.

use std::collections::{BTreeMap, BTreeSet};

use onex_expr::{Key, Map, Text, Value};

use crate::yaml::{Entry, Node, Tree};

use super::keyword::{self, Effect, Takes};
use super::reference::{Lost, Scope, Target, follow, follow_ref};
use super::{Definitions, SchemaError};

/// Keywords that have no meaning once names are resolved: what they hold is pulled into `$defs`
/// where it is used.
const DROPPED: &[&str] = &["$defs", "definitions", "$schema", "$id"];

/// The whole schema with everything it refers to.
pub(super) fn document<'n>(
    scope: Scope<'n>,
    definitions: &Definitions<'n>,
) -> Result<Value, SchemaError> {
    let mut translation = Translation {
        definitions,
        names: BTreeMap::new(),
        taken: BTreeSet::new(),
        waiting: Vec::new(),
        fault: None,
    };
    let root = translation.schema(scope, scope.root);
    let mut defs = Map::default();
    while let Some((name, target)) = translation.waiting.pop() {
        let schema = translation.itself(target.scope, target.node);
        defs.insert(Key::String(name), schema);
    }
    if let Some(fault) = translation.fault {
        return Err(fault);
    }
    if defs.is_empty() {
        return Ok(root);
    }
    let mut document = root.as_map().cloned().unwrap_or_default();
    document.insert("$defs".into(), Value::Map(defs.into()));
    Ok(Value::Map(document.into()))
}

struct Translation<'d, 'n> {
    definitions: &'d Definitions<'n>,
    /// What each target is called under `$defs`, by its address.
    names: BTreeMap<usize, Text>,
    taken: BTreeSet<Text>,
    /// Targets that are referred to but not translated yet.
    waiting: Vec<(Text, Target<'n>)>,
    /// The first fault.
    fault: Option<SchemaError>,
}

impl<'n> Translation<'_, 'n> {
    fn schema(&mut self, scope: Scope<'n>, node: &'n Node) -> Value {
        match follow(scope, node, self.definitions) {
            Some(found) => Value::map([("$ref", self.reference(found))]),
            None => self.itself(scope, node),
        }
    }

    /// A schema that is no mere reference, or is one under its own name.
    fn itself(&mut self, scope: Scope<'n>, node: &'n Node) -> Value {
        match &node.tree {
            Tree::Bool(truth) => Value::Bool(*truth),
            Tree::Map(entries) if follow(scope, node, self.definitions).is_none() => {
                let kept = entries.iter().filter(|entry| !DROPPED.contains(&&*entry.key));
                Value::map(kept.map(|entry| (entry.key.clone(), self.keyword(scope, entry))))
            }
            Tree::Map(_) | Tree::String(_) => self.schema(scope, node),
            _ => {
                self.fail(format!(
                    "a schema is a mapping, a name or a truth value, not {}",
                    node.kind()
                ));
                Value::Bool(true)
            }
        }
    }

    fn keyword(&mut self, scope: Scope<'n>, entry: &'n Entry) -> Value {
        let keyword = keyword::find(&entry.key);
        if let Some(Effect::Refused(_)) = keyword.map(|keyword| keyword.effect) {
            self.fail(format!("`{}` is not supported", entry.key));
        }
        let value = &entry.value;
        match (keyword.map(|keyword| keyword.takes), &value.tree) {
            (Some(Takes::Schema), _) => self.schema(scope, value),
            (Some(Takes::Schemas), Tree::List(items)) => {
                Value::list(items.iter().map(|item| self.schema(scope, item)).collect())
            }
            (Some(Takes::SchemaMap | Takes::PatternMap), Tree::Map(entries)) => {
                let schema = |e: &'n Entry| (e.key.clone(), self.schema(scope, &e.value));
                Value::map(entries.iter().map(schema))
            }
            (Some(Takes::Reference), Tree::String(text)) => {
                let found = follow_ref(scope, text, self.definitions);
                self.reference(found)
            }
            _ => value.to_value(),
        }
    }

    fn reference(&mut self, found: Result<Target<'n>, Lost<'n>>) -> Value {
        match found {
            Ok(target) => Value::text(format!("#/$defs/{}", escaped(&self.name_of(target)))),
            Err(lost) => {
                self.fail(match lost {
                    Lost::Name { owner, name } => {
                        format!("`{owner}` has no definition `{name}`")
                    }
                    Lost::Pointer(pointer) => format!("`{pointer}` leads to nothing"),
                    Lost::Remote(text) => format!("`{text}` leads out of the contract"),
                });
                Value::text("#")
            }
        }
    }

    fn name_of(&mut self, target: Target<'n>) -> Text {
        if let Some(name) = self.names.get(&target.address()) {
            return name.clone();
        }
        let wanted = if target.name.is_empty() { "root" } else { target.name };
        let mut name = Text::from(wanted);
        let mut count = 1;
        while !self.taken.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}").into();
        }
        self.names.insert(target.address(), name.clone());
        self.waiting.push((name.clone(), target));
        name
    }

    fn fail(&mut self, message: String) {
        self.fault.get_or_insert(SchemaError { message });
    }
}

/// A name as part of a JSON pointer in a URI fragment.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'~' => out.push_str("~0"),
            b'/' => out.push_str("~1"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
