//! How types relate: joining, fitting, equality.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Field, ObjectType, Type, UNION_MAX};
use crate::value::{Key, Value};

pub(super) fn join(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (a, never) | (never, a) if never.is_never() => a.clone(),
        (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
        (Type::List(a), Type::List(b)) => Type::list(join(a, b)),
        (Type::Optional(a), Type::Optional(b)) => Type::optional(join(a, b)),
        (Type::Map(ka, va), Type::Map(kb, vb)) => {
            Type::Map(Box::new(join(ka, kb)), Box::new(join(va, vb)))
        }
        _ => join_members(a, b),
    }
}

fn join_members(a: &Type, b: &Type) -> Type {
    let mut members: Vec<Type> = Vec::new();
    for new in a.members().iter().chain(b.members()) {
        let like = members.iter_mut().find(|known| {
            matches!(
                (&**known, new),
                (Type::List(_), Type::List(_))
                    | (Type::Optional(_), Type::Optional(_))
                    | (Type::Map(..), Type::Map(..))
            ) || *known == new
        });
        match like {
            Some(known) => *known = join(known, new),
            None => members.push(new.clone()),
        }
    }
    if members.len() > UNION_MAX { Type::Dyn } else { Type::Union(members.into()) }
}

pub(super) fn can_be(ty: &Type, wanted: &Type) -> bool {
    match (ty, wanted) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (a, b) if a.is_never() || b.is_never() => true,
        (Type::Union(members), wanted) => members.iter().any(|member| can_be(member, wanted)),
        (ty, Type::Union(members)) => members.iter().any(|member| can_be(ty, member)),
        (Type::Int, Type::Double) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => can_be(a, b),
        (Type::Map(ka, va), Type::Map(kb, vb)) => can_be(ka, kb) && can_be(va, vb),
        (Type::Object(object), Type::Map(key, value)) => {
            can_be(&Type::String, key) && can_be(&values_of(object), value)
        }
        (Type::Map(key, _), Type::Object(_)) => can_be(key, &Type::String),
        (Type::Object(a), Type::Object(b)) => {
            let fields =
                b.fields.iter().filter_map(|(name, wanted)| Some((a.fields.get(name)?, wanted)));
            let mut fields = fields;
            fields.all(|(field, wanted)| can_be(&field.ty, &wanted.ty))
        }
        (a, b) => a == b,
    }
}

pub(super) fn can_equal(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (a, b) if a.is_never() || b.is_never() => true,
        (Type::Union(members), other) | (other, Type::Union(members)) => {
            members.iter().any(|member| can_equal(member, other))
        }
        (Type::Int | Type::Double, Type::Int | Type::Double) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => can_equal(a, b),
        (Type::Map(ka, va), Type::Map(kb, vb)) => can_equal(ka, kb) && can_equal(va, vb),
        (Type::Map(key, _), Type::Object(_)) | (Type::Object(_), Type::Map(key, _)) => {
            can_equal(key, &Type::String)
        }
        (Type::Object(_), Type::Object(_)) => true,
        (a, b) => a == b,
    }
}

/// What the fields of a map have in common.
pub(crate) fn values_of(object: &ObjectType) -> Type {
    if object.open {
        return Type::Dyn;
    }
    Type::union(object.fields.values().map(|field| field.ty.clone()))
}

pub(super) fn of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        Value::Timestamp { .. } => Type::Timestamp,
        Value::Duration(_) => Type::Duration,
        Value::Type(_) => Type::Type,
        Value::List(items) => Type::list(Type::union(items.iter().map(of))),
        Value::Optional(inner) => Type::optional(inner.as_deref().map_or(Type::never(), of)),
        Value::Map(map) => {
            let field = |(key, value): &(Key, Value)| match key {
                Key::String(name) => Some((name.clone(), Field { ty: of(value), required: true })),
                _ => None,
            };
            match map.iter().map(field).collect::<Option<BTreeMap<_, _>>>() {
                Some(fields) => {
                    Type::Object(Arc::new(ObjectType { name: None, fields, open: false }))
                }
                None => Type::Map(Box::new(Type::Dyn), Box::new(Type::Dyn)),
            }
        }
    }
}
