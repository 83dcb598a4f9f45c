//! Static types of what contracts build: of literals, of templates, of several in one, and whether
//! one can stand where another is wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_expr::{Field, Key, ObjectType, Template, Text, Type, Value};

/// An object with exactly these fields.
pub(crate) fn object<'n>(fields: impl IntoIterator<Item = (&'n str, Type)>) -> Type {
    let field = |(name, ty): (&str, Type)| (Text::from(name), Field { ty, required: true });
    Type::Object(Arc::new(ObjectType {
        name: None,
        fields: fields.into_iter().map(field).collect(),
        open: false,
    }))
}

/// One of several types; `Dyn` when nothing is known of one of them.
pub(crate) fn union(types: impl IntoIterator<Item = Type>) -> Type {
    let mut flat: Vec<Type> = Vec::new();
    for ty in types {
        match ty {
            Type::Union(members) => {
                for member in members.iter() {
                    if !flat.contains(member) {
                        flat.push(member.clone());
                    }
                }
            }
            other if !flat.contains(&other) => flat.push(other),
            _ => {}
        }
    }
    if flat.is_empty() || flat.contains(&Type::Dyn) {
        return Type::Dyn;
    }
    match <[Type; 1]>::try_from(flat) {
        Ok([only]) => only,
        Err(several) => Type::Union(several.into()),
    }
}

/// The type or null.
pub(crate) fn nullable(ty: Type) -> Type {
    union([ty, Type::Null])
}

/// The type of a value that stands in a contract as a default or an initial value: later values
/// may be of any length and depth, so items of lists and values of empty maps are not known.
pub(crate) fn of_initial(value: &Value) -> Type {
    match value {
        Value::List(_) => Type::List(Box::new(Type::Dyn)),
        Value::Map(_) => Type::Map(Box::new(Type::String), Box::new(Type::Dyn)),
        other => of_value(other),
    }
}

/// The type of a value.
pub(crate) fn of_value(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::List(items) => Type::List(Box::new(union(items.iter().map(of_value)))),
        Value::Map(map) => {
            let mut fields = BTreeMap::new();
            for (key, value) in map.iter() {
                if let Key::String(name) = key {
                    fields.insert(name.clone(), Field { ty: of_value(value), required: true });
                }
            }
            Type::Object(Arc::new(ObjectType { name: None, fields, open: false }))
        }
        _ => Type::Dyn,
    }
}

/// The type of what a template yields, which is JSON: timestamps, durations and bytes are text.
pub(crate) fn of_template(template: &Template) -> Type {
    match template {
        Template::Literal(value) => of_value(value),
        Template::Expr(program) => as_json(program.output_type()),
        Template::Joined(_) => Type::String,
        Template::List(items) => Type::List(Box::new(union(items.iter().map(of_template)))),
        Template::Map(entries) => {
            let field = |(name, item): &(Text, Template)| {
                let optional = matches!(item, Template::Expr(p) if matches!(p.output_type(), Type::Optional(_)));
                (name.clone(), Field { ty: of_template(item), required: !optional })
            };
            let fields = entries.iter().map(field).collect();
            Type::Object(Arc::new(ObjectType { name: None, fields, open: false }))
        }
    }
}

/// A map's type once these fields are set in it.
pub(crate) fn with_fields(map: &Type, set: &[(Text, Template)]) -> Type {
    let Type::Object(object) = map else {
        return Type::Dyn;
    };
    let mut object = ObjectType::clone(object);
    object.name = None;
    for (name, template) in set {
        object.fields.insert(name.clone(), Field { ty: of_template(template), required: true });
    }
    Type::Object(Arc::new(object))
}

/// A map's type with one field more, of which nothing is known.
pub(crate) fn plus(map: &Type, field: &str) -> Type {
    let Type::Object(object) = map else {
        return Type::Dyn;
    };
    let mut object = ObjectType::clone(object);
    object.name = None;
    object.fields.insert(field.into(), Field { ty: Type::Dyn, required: true });
    Type::Object(Arc::new(object))
}

fn as_json(ty: &Type) -> Type {
    match ty {
        Type::Timestamp | Type::Duration | Type::Bytes | Type::Type => Type::String,
        Type::Optional(inner) => as_json(inner),
        Type::List(item) => Type::List(Box::new(as_json(item))),
        Type::Union(members) => union(members.iter().map(as_json)),
        other => other.clone(),
    }
}

/// The type of a list's items, or of what a value may be once it is a list.
pub(crate) fn item_of(ty: &Type) -> Type {
    match ty {
        Type::List(item) => (**item).clone(),
        Type::Union(members) => {
            let lists = members.iter().filter(|member| matches!(member, Type::List(_)));
            union(lists.map(item_of))
        }
        _ => Type::Dyn,
    }
}

/// Whether a value of the type can be what the test wants.
pub(crate) fn may_be(ty: &Type, test: &dyn Fn(&Type) -> bool) -> bool {
    match ty {
        Type::Dyn => true,
        Type::Optional(inner) => may_be(inner, test),
        Type::Union(members) => members.iter().any(|member| may_be(member, test)),
        other => test(other),
    }
}

/// How a value that is made does not fit what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Misfit {
    /// The field, `a.b`; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// False: it may fit, depending on the value.
    pub certain: bool,
}

/// Where a value of type `made` does not fit `wanted`: only what is certain from the types, and
/// optional fields that are wanted always.
pub(crate) fn misfits(made: &Type, wanted: &Type) -> Vec<Misfit> {
    let mut found = Vec::new();
    compare(made, wanted, "", &mut found);
    found
}

fn compare(made: &Type, wanted: &Type, path: &str, found: &mut Vec<Misfit>) {
    match (made, wanted) {
        (Type::Dyn, _) | (_, Type::Dyn) => {}
        (Type::Optional(made), wanted) => compare(made, wanted, path, found),
        (Type::Union(made), wanted) => {
            let trials: Vec<Vec<Misfit>> =
                made.iter().map(|member| misfits_at(member, wanted, path)).collect();
            let hopeless = |trial: &Vec<Misfit>| trial.iter().any(|misfit| misfit.certain);
            if trials.iter().all(hopeless) {
                found.extend(trials.into_iter().next().unwrap_or_default());
            }
        }
        (made, Type::Union(wanted)) => {
            let trials: Vec<Vec<Misfit>> =
                wanted.iter().map(|member| misfits_at(made, member, path)).collect();
            if trials.iter().all(|trial| !trial.is_empty()) {
                let best = trials.into_iter().min_by_key(Vec::len);
                found.extend(best.unwrap_or_default());
            }
        }
        (Type::Object(made), Type::Object(wanted)) => compare_fields(made, wanted, path, found),
        (Type::Object(_), Type::Map(..)) | (Type::Map(..), Type::Object(_) | Type::Map(..)) => {}
        (Type::List(made), Type::List(wanted)) => {
            compare(made, wanted, &format!("{path}[]"), found);
        }
        (Type::Int | Type::Double, Type::Int | Type::Double) => {}
        (made, wanted) if made == wanted => {}
        (made, wanted) => found.push(Misfit {
            path: path.to_owned(),
            message: format!("{} where {} is wanted", name(made), name(wanted)),
            certain: true,
        }),
    }
}

fn misfits_at(made: &Type, wanted: &Type, path: &str) -> Vec<Misfit> {
    let mut found = Vec::new();
    compare(made, wanted, path, &mut found);
    found
}

fn compare_fields(made: &ObjectType, wanted: &ObjectType, path: &str, found: &mut Vec<Misfit>) {
    for (name, want) in &wanted.fields {
        let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        match made.fields.get(name) {
            Some(have) => {
                compare(&have.ty, &want.ty, &path, found);
                if want.required && !have.required {
                    let message = "it may be missing and is required".to_owned();
                    found.push(Misfit { path, message, certain: false });
                }
            }
            None if want.required && !made.open => {
                let message = "it is required and never there".to_owned();
                found.push(Misfit { path, message, certain: true });
            }
            None => {}
        }
    }
}

/// What a reader calls a type.
pub(crate) fn name(ty: &Type) -> &'static str {
    match ty {
        Type::Dyn => "anything",
        Type::Null => "null",
        Type::Bool => "a bool",
        Type::Int => "an integer",
        Type::Double => "a number",
        Type::String => "text",
        Type::Bytes => "bytes",
        Type::Timestamp => "a timestamp",
        Type::Duration => "a duration",
        Type::List(_) => "a list",
        Type::Map(..) | Type::Object(_) => "a map",
        Type::Type => "a type",
        Type::Optional(inner) => name(inner),
        Type::Union(members) => members.first().map_or("anything", name),
    }
}
