//! The JSON Schema (2020-12) of contracts, for editors: of one kind of node, or of all.

use std::collections::BTreeSet;

use onex_expr::{Key, Value};

use crate::graph::Kind;
use crate::source::Source;
use crate::yaml;

use super::picture::word;

/// The normal form, every kind together.
const NORMAL_FORM: &str = include_str!("contract.schema.yaml");

/// Keywords that tell about a key and take part in no judgement.
const TOLD: [&str; 3] = ["description", "default", "x-kinds"];

const KINDS: [Kind; 4] = [Kind::Effect, Kind::Compute, Kind::Reducer, Kind::Orchestrator];

/// The schema of contracts of a kind; of every kind, when none is given.
pub fn document(kind: Option<Kind>) -> Value {
    let (root, _) = yaml::parse(&Source::new("contract.schema.yaml", NORMAL_FORM));
    let whole = nullable(&root.map(|root| root.to_value()).unwrap_or(Value::Null));
    let title = match kind {
        Some(kind) => format!("Contract of {} {}", article(kind), word(kind)),
        None => "Contract of a node".to_owned(),
    };
    let head = [
        ("$schema".to_owned(), Value::text("https://json-schema.org/draft/2020-12/schema")),
        ("title".to_owned(), Value::text(title)),
    ];
    let mut fields: Vec<(String, Value)> = entries(&whole)
        .into_iter()
        .filter_map(|(name, value)| match name {
            "$defs" => None,
            "properties" => Some((name.to_owned(), properties(value, kind))),
            _ => Some((name.to_owned(), value.clone())),
        })
        .chain(head)
        .collect();
    if kind.is_none() {
        let rules = KINDS.iter().map(|kind| only_its_sections(&whole, *kind)).collect();
        fields.push(("allOf".to_owned(), Value::list(rules)));
    }
    let definitions = used(&Value::map(fields.clone()), &whole);
    fields.push(("$defs".to_owned(), definitions));
    Value::map(fields)
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Effect | Kind::Orchestrator => "an",
        Kind::Compute | Kind::Reducer => "a",
    }
}

/// The same where a key that may be left out may also be given without a value.
fn nullable(schema: &Value) -> Value {
    if let Some(items) = schema.as_list() {
        return Value::list(items.iter().map(nullable).collect());
    }
    let Some(_) = schema.as_map() else {
        return schema.clone();
    };
    let required = required(schema);
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let entry = |(name, value): (&str, &Value)| match name {
        "properties" if is_closed => {
            let properties = entries(value).into_iter().map(|(key, value)| {
                let inner = nullable(value);
                (key.to_owned(), if required.contains(key) { inner } else { or_null(inner) })
            });
            (name.to_owned(), Value::map(properties))
        }
        _ => (name.to_owned(), nullable(value)),
    };
    Value::map(entries(schema).into_iter().map(entry))
}

/// The keys that a mapping must have, always or beside others.
fn required(schema: &Value) -> BTreeSet<&str> {
    let list = |key: &str| schema.get(key).and_then(Value::as_list).unwrap_or_default();
    let own = list("required").iter().filter_map(Value::as_str);
    let then = list("allOf").iter().filter_map(|rule| rule.get("then"));
    own.chain(then.chain(list("oneOf")).flat_map(required)).collect()
}

/// What a schema takes, and null.
fn or_null(schema: Value) -> Value {
    let null = || Value::text("null");
    let with = |key: &str, value: Value| {
        let kept = entries(&schema).into_iter().filter(|(name, _)| *name != key);
        let kept = kept.map(|(name, value)| (name.to_owned(), value.clone()));
        Value::map(kept.chain([(key.to_owned(), value)]))
    };
    if let Some(choices) = schema.get("enum").and_then(Value::as_list) {
        return with("enum", Value::list([choices, &[Value::Null]].concat()));
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_list) {
        let null = Value::map([("type", null())]);
        return with("anyOf", Value::list([choices, &[null]].concat()));
    }
    match schema.get("type") {
        Some(Value::List(types)) => with("type", Value::list([types, &[null()][..]].concat())),
        Some(one) => with("type", Value::list(vec![one.clone(), null()])),
        // A constant and a definition stand beside null.
        None if schema.get("const").is_some() || schema.get("$ref").is_some() => {
            let (told, meant): (Vec<_>, Vec<_>) = entries(&schema)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .partition(|(name, _)| TOLD.contains(&name.as_str()));
            let choices = vec![Value::map(meant), Value::map([("type", null())])];
            Value::map(told.into_iter().chain([("anyOf".to_owned(), Value::list(choices))]))
        }
        None => schema,
    }
}

/// The sections that a kind may have.
fn properties(all: &Value, kind: Option<Kind>) -> Value {
    let own = entries(all).into_iter().filter(|(_, schema)| kind.is_none_or(|k| allows(schema, k)));
    Value::map(own.map(|(name, schema)| {
        let schema = match (name, kind) {
            ("node_type", Some(kind)) => {
                let about = schema.get("description").cloned().unwrap_or(Value::Null);
                Value::map([("const", Value::text(word(kind))), ("description", about)])
            }
            _ => without_kinds(schema),
        };
        (name.to_owned(), schema)
    }))
}

fn allows(schema: &Value, kind: Kind) -> bool {
    let kinds = schema.get("x-kinds").and_then(Value::as_list);
    kinds.is_none_or(|kinds| kinds.iter().any(|name| name.as_str() == Some(word(kind))))
}

fn without_kinds(schema: &Value) -> Value {
    let kept = entries(schema).into_iter().filter(|(name, _)| *name != "x-kinds");
    Value::map(kept.map(|(name, value)| (name.to_owned(), value.clone())))
}

/// A contract of this kind has none of the sections of others.
fn only_its_sections(whole: &Value, kind: Kind) -> Value {
    let all = whole.get("properties").unwrap_or(&Value::Null);
    let others = entries(all).into_iter().filter(|(_, schema)| !allows(schema, kind));
    let others = others.map(|(name, _)| (name.to_owned(), Value::Bool(false)));
    let is_kind = Value::map([("node_type", Value::map([("const", Value::text(word(kind)))]))]);
    Value::map([
        ("if", Value::map([("properties", is_kind)])),
        ("then", Value::map([("properties", Value::map(others))])),
    ])
}

/// The definitions that a schema leads to.
fn used(schema: &Value, whole: &Value) -> Value {
    let all = whole.get("$defs").unwrap_or(&Value::Null);
    let mut names = BTreeSet::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        if let Some(items) = part.as_list() {
            open.extend(items);
        }
        for (key, value) in entries(part) {
            open.push(value);
            let name = value.as_str().filter(|_| key == "$ref");
            if let Some(name) = name.and_then(|target| target.strip_prefix("#/$defs/"))
                && names.insert(name)
            {
                open.extend(all.get(name));
            }
        }
    }
    Value::map(names.into_iter().filter_map(|name| Some((name.to_owned(), all.get(name)?.clone()))))
}

fn entries(value: &Value) -> Vec<(&str, &Value)> {
    let map = value.as_map();
    let entries = map.into_iter().flat_map(|map| map.iter());
    entries
        .filter_map(|(key, value)| match key {
            Key::String(name) => Some((name.as_str(), value)),
            _ => None,
        })
        .collect()
}
