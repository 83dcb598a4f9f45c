//! How one JSON Schema differs from another: what it takes more, and what it takes less.
//!
//! Both are plain JSON Schema 2020-12 with their `$defs`. Each keyword is compared by itself, so a
//! change that only several keywords together explain counts as both wider and narrower: the
//! answer errs on the careful side. A property that a schema does not mention counts as one that
//! is not sent.

use std::collections::BTreeSet;

use onex_expr::{Key, Value, json};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: `.lines[].price`; empty for the whole.
    pub at: String,
    /// What, as a fragment.
    pub message: String,
    /// Values that were taken are not taken any more.
    pub narrows: bool,
    /// Values that were not taken are taken now.
    pub widens: bool,
}

/// The deepest place that is compared.
const DEPTH_MAX: usize = 64;
/// The most differences of two schemas; what is beyond them is not compared.
const DIFFERENCES_MAX: usize = 1_000;

/// Every difference, from the outside in.
pub fn differences(old: &Value, new: &Value) -> Vec<Difference> {
    let mut comparison = Comparison {
        roots: (old, new),
        at: String::new(),
        open: Vec::new(),
        same: BTreeSet::new(),
        found: Vec::new(),
    };
    comparison.schemas(old, new);
    if comparison.found.len() >= DIFFERENCES_MAX {
        comparison.at.clear();
        comparison.tell("they differ in more than is compared", true, true);
    }
    comparison.found
}

/// Two schemas, by their places in memory.
type Pair = (usize, usize);

struct Comparison<'v> {
    roots: (&'v Value, &'v Value),
    at: String,
    /// Pairs of schemas being compared to which a reference led.
    open: Vec<Pair>,
    /// Those in which nothing was found: they need no second look.
    same: BTreeSet<Pair>,
    found: Vec<Difference>,
}

/// Keywords with a bound: the smaller the bound, the narrower (or, if `false`, the wider).
const BOUNDS: &[(&str, bool)] = &[
    ("maximum", true),
    ("exclusiveMaximum", true),
    ("maxLength", true),
    ("maxItems", true),
    ("maxProperties", true),
    ("maxContains", true),
    ("minimum", false),
    ("exclusiveMinimum", false),
    ("minLength", false),
    ("minItems", false),
    ("minProperties", false),
    ("minContains", false),
];

/// Keywords that narrow by being there, and of which one says nothing about another.
const OPAQUE: &[&str] = &[
    "pattern",
    "multipleOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "contains",
    "prefixItems",
    "unevaluatedProperties",
    "unevaluatedItems",
    "uniqueItems",
];

impl<'v> Comparison<'v> {
    fn tell(&mut self, message: impl Into<String>, narrows: bool, widens: bool) {
        self.found.push(Difference {
            at: self.at.clone(),
            message: message.into(),
            narrows,
            widens,
        });
    }

    fn inside(&mut self, step: &str, old: &'v Value, new: &'v Value) {
        let length = self.at.len();
        self.at.push_str(step);
        self.schemas(old, new);
        self.at.truncate(length);
    }

    fn schemas(&mut self, old: &'v Value, new: &'v Value) {
        if self.found.len() >= DIFFERENCES_MAX {
            return;
        }
        let is_led = reference(old).or(reference(new)).is_some();
        let (old, new) = (resolved(self.roots.0, old), resolved(self.roots.1, new));
        if !is_led {
            return self.pair(old, new);
        }
        let pair = (std::ptr::from_ref(old) as usize, std::ptr::from_ref(new) as usize);
        let is_known = self.open.contains(&pair) || self.same.contains(&pair);
        if is_known || self.open.len() >= DEPTH_MAX {
            return;
        }
        let found = self.found.len();
        self.open.push(pair);
        self.pair(old, new);
        self.open.pop();
        if self.found.len() == found {
            self.same.insert(pair);
        }
    }

    /// Two schemas that are no mere references.
    fn pair(&mut self, old: &'v Value, new: &'v Value) {
        match (takes_all(old), takes_all(new)) {
            (true, true) => {}
            (true, false) => self.tell("a schema where there was none", true, false),
            (false, true) => self.tell("no schema where there was one", false, true),
            (false, false) if [old, new].contains(&&Value::Bool(false)) => {
                if old != new {
                    let is_never = new == &Value::Bool(false);
                    self.tell("whether anything fits", is_never, !is_never);
                }
            }
            (false, false) => self.keywords(old, new),
        }
    }

    fn keywords(&mut self, old: &'v Value, new: &'v Value) {
        self.types(old, new);
        self.values(old, new);
        for (keyword, is_upper) in BOUNDS {
            self.bound(keyword, *is_upper, old.get(keyword), new.get(keyword));
        }
        for keyword in OPAQUE {
            match (old.get(keyword), new.get(keyword)) {
                (None, None) => {}
                (None, Some(_)) => self.tell(format!("`{keyword}` is new"), true, false),
                (Some(_), None) => self.tell(format!("`{keyword}` is gone"), false, true),
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => self.tell(format!("`{keyword}` is another"), true, true),
            }
        }
        self.required(old, new);
        self.properties(old, new);
        self.additional(old, new);
        match (old.get("items"), new.get("items")) {
            (None, None) => {}
            (old, new) => {
                self.inside("[]", old.unwrap_or(&ANYTHING), new.unwrap_or(&ANYTHING));
            }
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            self.members(keyword, old, new);
        }
    }

    fn types(&mut self, old: &Value, new: &Value) {
        let (before, after) = (types(old), types(new));
        let narrows = before.iter().any(|ty| !covers(&after, ty));
        let widens = after.iter().any(|ty| !covers(&before, ty));
        if narrows || widens {
            let name = |types: &BTreeSet<&str>, given: bool| match given {
                true => types.iter().copied().collect::<Vec<_>>().join(" or "),
                false => "of any type".to_owned(),
            };
            let was = name(&before, old.get("type").is_some());
            let is = name(&after, new.get("type").is_some());
            self.tell(format!("it was {was} and is {is}"), narrows, widens);
        }
    }

    fn values(&mut self, old: &Value, new: &Value) {
        let (before, after) = (values(old), values(new));
        match (before, after) {
            (None, None) => {}
            (None, Some(_)) => self.tell("only some values are left", true, false),
            (Some(_), None) => self.tell("any value fits", false, true),
            (Some(before), Some(after)) => {
                for gone in before.iter().filter(|value| !after.contains(value)) {
                    self.tell(format!("the value {} is gone", short(gone)), true, false);
                }
                for come in after.iter().filter(|value| !before.contains(value)) {
                    self.tell(format!("the value {} is new", short(come)), false, true);
                }
            }
        }
    }

    fn bound(&mut self, keyword: &str, is_upper: bool, old: Option<&Value>, new: Option<&Value>) {
        let message = |was: Option<&Value>, is: Option<&Value>| {
            let say = |value: Option<&Value>| value.map_or("none".to_owned(), json::to_string);
            format!("`{keyword}` was {} and is {}", say(was), say(is))
        };
        let number = |value: &Value| match value {
            Value::Int(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            _ => None,
        };
        match (old.and_then(number), new.and_then(number)) {
            (Some(a), Some(b)) if a != b => {
                let narrows = (b < a) == is_upper;
                self.tell(message(old, new), narrows, !narrows);
            }
            (None, Some(_)) => self.tell(message(old, new), true, false),
            (Some(_), None) => self.tell(message(old, new), false, true),
            _ => {}
        }
    }

    fn required(&mut self, old: &Value, new: &Value) {
        let names = |schema: &'_ Value| -> Vec<String> {
            let list = schema.get("required").and_then(Value::as_list).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (before, after) = (names(old), names(new));
        for name in after.iter().filter(|name| !before.contains(name)) {
            self.tell(format!("`{name}` is required"), true, false);
        }
        for name in before.iter().filter(|name| !after.contains(name)) {
            self.tell(format!("`{name}` is not required any more"), false, true);
        }
    }

    fn properties(&mut self, old: &'v Value, new: &'v Value) {
        let (before, after) = (properties(old), properties(new));
        for (name, schema) in &before {
            match after.iter().find(|(other, _)| other == name) {
                Some((_, other)) => self.inside(&format!(".{name}"), schema, other),
                None => {
                    self.tell(format!("`{name}` is not declared any more"), is_closed(new), false)
                }
            }
        }
        for (name, _) in after.iter().filter(|(name, _)| before.iter().all(|(b, _)| b != name)) {
            self.tell(format!("`{name}` is declared"), false, is_closed(old));
        }
    }

    fn additional(&mut self, old: &'v Value, new: &'v Value) {
        let of = |schema: &'v Value| schema.get("additionalProperties").unwrap_or(&ANYTHING);
        match (is_closed(old), is_closed(new)) {
            (true, true) => {}
            (false, true) => self.tell("undeclared fields are refused", true, false),
            (true, false) => self.tell("undeclared fields are taken", false, true),
            (false, false) => self.inside(".*", of(old), of(new)),
        }
    }

    /// Members of a combination: paired in order when there are as many as before.
    fn members(&mut self, keyword: &str, old: &'v Value, new: &'v Value) {
        let list =
            |schema: &'v Value| schema.get(keyword).and_then(Value::as_list).unwrap_or_default();
        let (before, after) = (list(old), list(new));
        let gone: Vec<&Value> = before.iter().filter(|member| !after.contains(member)).collect();
        let come: Vec<&Value> = after.iter().filter(|member| !before.contains(member)).collect();
        if before.is_empty() != after.is_empty() {
            let is_new = before.is_empty();
            let word = if is_new { "new" } else { "gone" };
            self.tell(format!("`{keyword}` is {word}"), is_new, !is_new);
        } else if before.len() == after.len() {
            for (a, b) in before.iter().zip(after) {
                self.inside("", a, b);
            }
        } else {
            // A choice less is narrower; a condition less is wider.
            let is_choice = keyword != "allOf";
            let exclusive = keyword == "oneOf";
            if !gone.is_empty() {
                let message = format!("`{keyword}` has {} fewer", gone.len());
                self.tell(message, is_choice, !is_choice || exclusive);
            }
            if !come.is_empty() {
                let message = format!("`{keyword}` has {} more", come.len());
                self.tell(message, !is_choice || exclusive, is_choice);
            }
        }
    }
}

static ANYTHING: Value = Value::Bool(true);

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// The schema that a reference leads to.
fn resolved<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    let mut schema = schema;
    for _ in 0..DEPTH_MAX {
        let name = reference(schema).and_then(|r| r.strip_prefix("#/$defs/"));
        let Some(name) = name else { return schema };
        let name = name.replace("~1", "/").replace("~0", "~");
        match root.get("$defs").and_then(|defs| defs.get(&name)) {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

/// Whether a schema says nothing about values.
fn takes_all(schema: &Value) -> bool {
    const DESCRIBES: &[&str] = &[
        "$defs",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "format",
    ];
    match schema {
        Value::Bool(truth) => *truth,
        Value::Map(map) => map.iter().all(|(key, _)| match key {
            Key::String(name) => DESCRIBES.contains(&name.as_str()),
            _ => true,
        }),
        _ => false,
    }
}

fn types(schema: &Value) -> BTreeSet<&str> {
    let given: BTreeSet<&str> = match schema.get("type") {
        Some(Value::String(name)) => [name.as_str()].into(),
        Some(Value::List(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    };
    match given.is_empty() {
        true => ["array", "boolean", "null", "number", "object", "string"].into(),
        false => given,
    }
}

fn covers(types: &BTreeSet<&str>, ty: &str) -> bool {
    types.contains(ty) || (ty == "integer" && types.contains("number"))
}

fn values(schema: &Value) -> Option<Vec<Value>> {
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    constant.or_else(|| schema.get("enum").and_then(Value::as_list).map(<[Value]>::to_vec))
}

fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    let map = schema.get("properties").and_then(Value::as_map);
    let entries = map.into_iter().flat_map(|map| map.iter());
    entries
        .filter_map(|(key, value)| match key {
            Key::String(name) => Some((name.as_str(), value)),
            _ => None,
        })
        .collect()
}

fn is_closed(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

/// A value as it may stand in a message.
fn short(value: &Value) -> String {
    const LENGTH_MAX: usize = 40;
    let text = json::to_string(value);
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
