//! A schema to the expression type of a value that fits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onex_expr::{Field, ObjectType, Text, Type};

use crate::yaml::{Node, Tree};

use super::Definitions;
use super::reference::{Scope, Target, follow, follow_ref};

/// The type of a value that fits the schema. Where a schema contains itself, nothing is known.
pub(super) fn of<'n>(scope: Scope<'n>, definitions: &Definitions<'n>) -> Type {
    let mut reader = Reader { definitions, known: BTreeMap::new(), open: BTreeSet::new() };
    let ty = reader.schema(scope, scope.root);
    bounded(ty)
}

/// The most parts of a type, written out: what refers to others several times at each of many
/// levels has more than can be compared. Beyond it nothing is known.
const PARTS_MAX: usize = 10_000;
/// The most definitions inside each other; beyond it nothing is known.
const DEPTH_MAX: usize = 128;

fn bounded(ty: Type) -> Type {
    let mut left = PARTS_MAX;
    if counted(&ty, &mut left) { ty } else { Type::Dyn }
}

/// Whether the type has no more parts than are left.
fn counted(ty: &Type, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match ty {
        Type::List(item) | Type::Optional(item) => counted(item, left),
        Type::Map(key, value) => counted(key, left) && counted(value, left),
        Type::Union(members) => members.iter().all(|member| counted(member, left)),
        Type::Object(object) => object.fields.values().all(|field| counted(&field.ty, left)),
        _ => true,
    }
}

struct Reader<'d, 'n> {
    definitions: &'d Definitions<'n>,
    /// Types of targets, by address.
    known: BTreeMap<usize, Type>,
    /// Targets being read.
    open: BTreeSet<usize>,
}

/// What a schema and its parts say of a map's fields.
#[derive(Default)]
struct Shape {
    fields: BTreeMap<Text, Type>,
    required: BTreeSet<Text>,
    /// Whether `properties` is given anywhere.
    is_declared: bool,
    /// Whether other fields are allowed in so many words.
    is_open: bool,
    /// The type of undeclared fields.
    others: Option<Type>,
    /// Targets that have said all they say, by address, and whether it always holds.
    heard: BTreeSet<(usize, bool)>,
}

/// Keywords that only maps can satisfy or break.
const OF_OBJECTS: &[&str] =
    &["properties", "required", "additionalProperties", "patternProperties", "dependentRequired"];

impl<'n> Reader<'_, 'n> {
    fn schema(&mut self, scope: Scope<'n>, node: &'n Node) -> Type {
        match follow(scope, node, self.definitions) {
            Some(Ok(target)) => self.target(target),
            Some(Err(_)) => Type::Dyn,
            None => self.itself(scope, node),
        }
    }

    fn target(&mut self, target: Target<'n>) -> Type {
        let address = target.address();
        if let Some(known) = self.known.get(&address) {
            return known.clone();
        }
        if self.open.len() >= DEPTH_MAX || !self.open.insert(address) {
            return Type::Dyn;
        }
        let mut ty = bounded(self.schema(target.scope, target.node));
        if let (Type::Object(object), true) = (&mut ty, target.is_definition) {
            Arc::make_mut(object).name.get_or_insert(target.name.into());
        }
        self.open.remove(&address);
        self.known.insert(address, ty.clone());
        ty
    }

    fn itself(&mut self, scope: Scope<'n>, node: &'n Node) -> Type {
        match node.get("type").map(|ty| &ty.tree) {
            Some(Tree::String(word)) => self.typed(scope, node, word),
            Some(Tree::List(words)) if !words.is_empty() => {
                let words: Vec<&str> = words.iter().filter_map(Node::as_str).collect();
                Type::union(words.into_iter().map(|word| self.typed(scope, node, word)))
            }
            _ => self.untyped(scope, node),
        }
    }

    fn typed(&mut self, scope: Scope<'n>, node: &'n Node, word: &str) -> Type {
        match word {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => Type::Int,
            "number" => Type::Double,
            "string" => Type::String,
            "array" => self.list(scope, node),
            "object" => self.object(scope, node),
            _ => Type::Dyn,
        }
    }

    /// Without `type` the other keywords tell, as far as they agree.
    fn untyped(&mut self, scope: Scope<'n>, node: &'n Node) -> Type {
        if let Some(constant) = node.get("const") {
            return constant_type(constant);
        }
        if let Some(values) = node.get("enum").filter(|values| !values.items().is_empty()) {
            return Type::union(values.items().iter().map(constant_type));
        }
        let reference = node.get("$ref").and_then(Node::as_str);
        let reference = reference.and_then(|r| follow_ref(scope, r, self.definitions).ok());
        let mut all: Vec<Type> = reference.map(|target| self.target(target)).into_iter().collect();
        let members = node.get("allOf").map_or(&[][..], Node::items);
        all.extend(members.iter().map(|member| self.schema(scope, member)));
        let is_object = all.iter().any(|ty| matches!(ty, Type::Object(_)));
        if is_object || OF_OBJECTS.iter().any(|keyword| node.get(keyword).is_some()) {
            return self.object(scope, node);
        }
        if let Some(known) = all.into_iter().find(|ty| *ty != Type::Dyn) {
            return known;
        }
        if node.get("items").is_some() || node.get("prefixItems").is_some() {
            return self.list(scope, node);
        }
        let choices = ["anyOf", "oneOf"].iter().filter_map(|keyword| node.get(keyword));
        match choices.map(Node::items).find(|members| !members.is_empty()) {
            Some(members) => Type::union(members.iter().map(|member| self.schema(scope, member))),
            None => Type::Dyn,
        }
    }

    fn list(&mut self, scope: Scope<'n>, node: &'n Node) -> Type {
        match node.get("items") {
            Some(items) if node.get("prefixItems").is_none() => {
                Type::list(self.schema(scope, items))
            }
            _ => Type::list(Type::Dyn),
        }
    }

    fn object(&mut self, scope: Scope<'n>, node: &'n Node) -> Type {
        let mut shape = Shape::default();
        self.gather(scope, node, true, &mut shape);
        let says_nothing = shape.required.is_empty() && !shape.is_declared;
        if let Some(others) = shape.others.filter(|ty| says_nothing && *ty != Type::Dyn) {
            return Type::map(others);
        }
        let open = shape.is_open || !shape.is_declared;
        if !shape.is_declared {
            let undeclared = shape.required.iter().map(|name| (name.clone(), Type::Dyn));
            shape.fields.extend(undeclared);
        }
        let required = shape.required;
        let field = |(name, ty): (Text, Type)| {
            let field = Field { ty, required: required.contains(&name) };
            (name, field)
        };
        let fields = shape.fields.into_iter().map(field).collect();
        Type::Object(Arc::new(ObjectType { name: None, fields, open }))
    }

    /// Adds what a schema says of fields; `sure` when it always holds.
    fn gather(&mut self, scope: Scope<'n>, node: &'n Node, sure: bool, shape: &mut Shape) {
        if let Some(properties) = node.get("properties") {
            shape.is_declared = true;
            for entry in properties.entries() {
                let ty = self.schema(scope, &entry.value);
                let known = shape.fields.entry(entry.key.clone()).or_insert(Type::Dyn);
                if *known == Type::Dyn {
                    *known = ty;
                }
            }
        }
        if sure {
            let names = node.get("required").map_or(&[][..], Node::items);
            shape.required.extend(names.iter().filter_map(Node::as_str).map(Text::from));
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if let Some(others) = node.get(keyword).filter(|n| !matches!(n.tree, Tree::Bool(false)))
            {
                shape.is_open = true;
                let ty = self.schema(scope, others);
                shape.others.get_or_insert(ty);
            }
        }
        if node.get("patternProperties").is_some() {
            shape.is_open = true;
            shape.others.get_or_insert(Type::Dyn);
        }
        self.gather_parts(scope, node, sure, shape);
    }

    /// Adds what the schemas inside a schema say of the same map.
    fn gather_parts(&mut self, scope: Scope<'n>, node: &'n Node, sure: bool, shape: &mut Shape) {
        let reference = node.get("$ref").and_then(Node::as_str);
        if let Some(Ok(target)) = reference.map(|r| follow_ref(scope, r, self.definitions)) {
            self.gather_target(target, sure, shape);
        }
        for member in node.get("allOf").map_or(&[][..], Node::items) {
            self.gather_part(scope, member, sure, shape);
        }
        let choices = ["anyOf", "oneOf"].iter().filter_map(|keyword| node.get(keyword));
        let choices = choices.flat_map(Node::items);
        let conditional = ["if", "then", "else"].iter().filter_map(|keyword| node.get(keyword));
        let dependent = node.get("dependentSchemas").map_or(&[][..], Node::entries);
        let dependent = dependent.iter().map(|entry| &entry.value);
        for part in choices.chain(conditional).chain(dependent) {
            self.gather_part(scope, part, false, shape);
        }
    }

    fn gather_part(&mut self, scope: Scope<'n>, node: &'n Node, sure: bool, shape: &mut Shape) {
        match follow(scope, node, self.definitions) {
            Some(Ok(target)) => self.gather_target(target, sure, shape),
            Some(Err(_)) => {}
            None => self.gather(scope, node, sure, shape),
        }
    }

    fn gather_target(&mut self, target: Target<'n>, sure: bool, shape: &mut Shape) {
        if shape.heard.insert((target.address(), sure)) && self.open.insert(target.address()) {
            self.gather_part(target.scope, target.node, sure, shape);
            self.open.remove(&target.address());
        }
    }
}

/// The type of a value written in the schema.
fn constant_type(value: &Node) -> Type {
    match &value.tree {
        Tree::Null => Type::Null,
        Tree::Bool(_) => Type::Bool,
        Tree::Int(_) => Type::Int,
        Tree::Double(_) => Type::Double,
        Tree::String(_) => Type::String,
        Tree::List(_) => Type::list(Type::Dyn),
        Tree::Map(_) => Type::Object(Arc::new(ObjectType { open: true, ..ObjectType::default() })),
    }
}
