//! The two languages in which older files defined types, as JSON Schema.

use std::collections::BTreeSet;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    schema::definitions::is_schema,
};
use crate::section::reading::Reading;
use crate::yaml::{Entry, Node, Tree};

/// The names that types may refer to.
pub(in crate::dialect) struct Types<'t> {
    /// Every definition of the file.
    pub names: &'t BTreeSet<Text>,
}

/// What older files call the types.
const TYPES: [(&str, &str); 28] = [
    ("string", "string"),
    ("str", "string"),
    ("text", "string"),
    ("uuid", "string"),
    ("datetime", "string"),
    ("date", "string"),
    ("timestamp", "string"),
    ("path", "string"),
    ("bytes", "string"),
    ("enum", "string"),
    ("integer", "integer"),
    ("int", "integer"),
    ("number", "number"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("boolean", "boolean"),
    ("bool", "boolean"),
    ("object", "object"),
    ("dict", "object"),
    ("map", "object"),
    ("mapping", "object"),
    ("array", "array"),
    ("list", "array"),
    ("set", "array"),
    ("tuple", "array"),
    ("null", "null"),
    ("none", "null"),
];

/// Keywords that are those of JSON Schema under another name.
const KEYWORDS: [(&str, &str); 20] = [
    ("description", "description"),
    ("title", "title"),
    ("enum", "enum"),
    ("const", "const"),
    ("pattern", "pattern"),
    ("minimum", "minimum"),
    ("maximum", "maximum"),
    ("ge", "minimum"),
    ("le", "maximum"),
    ("gt", "exclusiveMinimum"),
    ("lt", "exclusiveMaximum"),
    ("exclusiveMinimum", "exclusiveMinimum"),
    ("exclusiveMaximum", "exclusiveMaximum"),
    ("minLength", "minLength"),
    ("maxLength", "maxLength"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("minItems", "minItems"),
    ("maxItems", "maxItems"),
    ("uniqueItems", "uniqueItems"),
];

/// Keywords that describe, or that a rule below reads.
const READ: [&str; 28] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "class_name",
    "default",
    "default_factory",
    "enum_class",
    "example",
    "examples",
    "extra",
    "format",
    "frozen",
    "item_type",
    "items",
    "key_type",
    "module",
    "nullable",
    "object_type",
    "oneOf",
    "properties",
    "property_type",
    "ref",
    "reference",
    "required",
    "type",
    "value_type",
    "values",
];

impl Types<'_> {
    /// The schema that a type means.
    pub(in crate::dialect) fn schema(&self, reading: &mut Reading<'_, '_>, written: &Node) -> Node {
        match &written.tree {
            Tree::String(name) => self.named(reading, name, written),
            Tree::Map(_) => self.mapping(reading, written),
            Tree::Bool(_) => written.clone(),
            _ => Made::new(&written.span).done(),
        }
    }

    /// A definition, a type, or the class of another system, of which nothing is known.
    fn named(&self, reading: &mut Reading<'_, '_>, name: &str, written: &Node) -> Node {
        let last = name.rsplit(['/', '.']).next().unwrap_or(name);
        if self.names.contains(last) {
            return text(last, &written.span);
        }
        let mut out = Made::new(&written.span);
        match type_of(name) {
            Some(ty) => out.text("type", ty, &written.span),
            None => {
                let at = reading.at(&written.span);
                let message = format!("`{name}` is not enforced: nothing here defines it");
                reading.findings.note(code::NOT_ENFORCED, at, message);
            }
        }
        out.done()
    }

    fn mapping(&self, reading: &mut Reading<'_, '_>, written: &Node) -> Node {
        let reference = ["$ref", "ref", "reference"].iter().find_map(|key| written.get(key));
        if let Some((node, Tree::String(name))) = reference.map(|node| (node, &node.tree)) {
            return self.named(reading, name, node);
        }
        let mut out = Made::new(&written.span);
        self.types(reading, written, &mut out);
        for entry in written.entries() {
            self.keyword(reading, entry, &mut out);
        }
        if let Some(properties) = written.get("properties") {
            self.properties(reading, properties, written.get("required"), &mut out);
        }
        out.done()
    }

    fn types(&self, reading: &mut Reading<'_, '_>, written: &Node, out: &mut Made) {
        let said = ["type", "property_type", "object_type"].iter().find_map(|key| written.get(key));
        let Some(said) = said else { return };
        let words = match &said.tree {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(said),
        };
        let mut types: Vec<&str> = words.iter().filter_map(|w| type_of(w.as_str()?)).collect();
        // An enumeration says its values; those of another class are not known.
        let is_enum = words.iter().any(|word| word.as_str() == Some("enum"));
        if types.is_empty() || (is_enum && written.get("enum").is_some()) {
            if is_enum {
                reading.acted(&said.span);
            }
            return;
        }
        acted(reading, written, "nullable");
        if is_true(written.get("nullable")) && !types.contains(&"null") {
            types.push("null");
        }
        match types.as_slice() {
            [only] => out.text("type", *only, &said.span),
            several => {
                let items = several.iter().map(|ty| text(*ty, &said.span)).collect();
                out.put("type", node(Tree::List(items), &said.span));
            }
        }
    }

    fn keyword(&self, reading: &mut Reading<'_, '_>, entry: &Entry, out: &mut Made) {
        let Entry { key, key_span, value } = entry;
        if let Some((_, keyword)) = KEYWORDS.iter().find(|(old, _)| *old == key.as_str()) {
            if *keyword != "enum" || !value.items().is_empty() {
                out.free(Text::new_static(keyword), key_span, value.clone());
            }
            return;
        }
        match (key.as_str(), &value.tree) {
            ("items" | "item_type", _) if is_schema(value) => {
                out.put("items", self.schema(reading, value));
            }
            ("value_type", _) if is_schema(value) => {
                out.put("additionalProperties", self.schema(reading, value));
            }
            ("additionalProperties", Tree::Bool(_)) => {
                out.free(key.clone(), key_span, value.clone());
            }
            ("additionalProperties", _) if is_schema(value) => {
                out.put("additionalProperties", self.schema(reading, value));
            }
            ("extra", Tree::String(word)) if word == "forbid" => {
                reading.acted(&value.span);
                out.put("additionalProperties", node(Tree::Bool(false), key_span));
            }
            ("allOf" | "anyOf" | "oneOf", Tree::List(items)) if !items.is_empty() => {
                let items = items.iter().map(|item| self.schema(reading, item)).collect();
                out.free(key.clone(), key_span, node(Tree::List(items), &value.span));
            }
            (name, _) if READ.contains(&name) => {}
            (name, _) => {
                let at = reading.at(key_span);
                let message = format!("`{name}` of a type is not enforced: it documents");
                reading.findings.note(code::NOT_ENFORCED, at, message);
            }
        }
    }

    fn properties(
        &self,
        reading: &mut Reading<'_, '_>,
        properties: &Node,
        listed: Option<&Node>,
        out: &mut Made,
    ) {
        let mut schemas = Made::new(&properties.span);
        let mut required: Vec<Node> = Vec::new();
        for Entry { key, key_span, value } in properties.entries() {
            schemas.free(key.clone(), key_span, self.schema(reading, value));
            let in_list = |node: &&Node| node.as_str() == Some(key.as_str());
            let named = listed.and_then(|list| list.items().iter().find(in_list));
            match named {
                Some(name) => required.push(name.clone()),
                None if is_true(value.get("required")) => {
                    acted(reading, value, "required");
                    required.push(text(key.clone(), key_span));
                }
                None => {}
            }
        }
        out.put("properties", schemas.done());
        if !required.is_empty() {
            out.put("required", node(Tree::List(required), &properties.span));
        }
    }
}

fn type_of(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    let plain = lower.split(['[', '<']).next().unwrap_or(&lower);
    TYPES.iter().find(|(old, _)| *old == plain).map(|(_, ty)| *ty)
}

fn acted(reading: &mut Reading<'_, '_>, written: &Node, key: &str) {
    written.get(key).iter().for_each(|node| reading.acted(&node.span));
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(node.tree, Tree::Bool(true)))
}
