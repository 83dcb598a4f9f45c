//! What is known of a value before it exists: the checker's types.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt;

use crate::{Text, Value};

mod relation;

pub(crate) use relation::values_of;

/// The most members of a union; a value of more kinds than that is `Dyn`.
pub const UNION_MAX: usize = 8;

/// A static type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Nothing is known; everything is allowed and checked while running.
    Dyn,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `double`; JSON Schema `number`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `timestamp`
    Timestamp,
    /// `duration`
    Duration,
    /// A list of one type of item.
    List(Box<Type>),
    /// A map with free keys.
    Map(Box<Type>, Box<Type>),
    /// A map whose fields are declared.
    Object(Arc<ObjectType>),
    /// A type as a value.
    Type,
    /// `optional(T)`
    Optional(Box<Type>),
    /// One of several (JSON Schema `anyOf`, `oneOf`, `type: [..]`), never empty, never nested.
    Union(Arc<[Type]>),
}

/// The declared fields of a map.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ObjectType {
    /// What the schema is called, for messages.
    pub name: Option<Text>,
    /// Declared fields.
    pub fields: BTreeMap<Text, Field>,
    /// Whether other fields may be there (`additionalProperties` given and not `false`, or no
    /// `properties` at all); then selecting an undeclared field is no error.
    pub open: bool,
}

/// One declared field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// Whether it is always there; selecting one that is not, without `has`, `?` or a default,
    /// is a warning.
    pub required: bool,
}

impl Type {
    /// A list of one type of item.
    pub fn list(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    /// A map of text keys to one type of value.
    pub fn map(value: Type) -> Type {
        Type::Map(Box::new(Type::String), Box::new(value))
    }

    /// An optional of a type.
    pub fn optional(inner: Type) -> Type {
        Type::Optional(Box::new(inner))
    }

    /// One of several types: nested ones are taken apart, equal ones merged, and lists, maps and
    /// optionals become one of what they hold. More than `UNION_MAX` different ones are `Dyn`.
    pub fn union(types: impl IntoIterator<Item = Type>) -> Type {
        types.into_iter().fold(Type::never(), |sum, ty| sum.join(&ty))
    }

    /// Whether a value of this type can be used where the other type is wanted: for one of several
    /// it is enough that one member can, and an int is a double. `Dyn` fits everywhere.
    pub fn can_be(&self, wanted: &Type) -> bool {
        relation::can_be(self, wanted)
    }

    /// Whether a value of this type can ever equal one of the other.
    pub fn can_equal(&self, other: &Type) -> bool {
        relation::can_equal(self, other)
    }

    /// What is known of a value that is there.
    pub fn of(value: &Value) -> Type {
        relation::of(value)
    }

    /// The type of no value: the items of `[]`. Only inside the checker; a union without members.
    pub(crate) fn never() -> Type {
        Type::Union(Arc::new([]))
    }

    pub(crate) fn is_never(&self) -> bool {
        matches!(self, Type::Union(members) if members.is_empty())
    }

    /// The narrowest type that both are.
    pub(crate) fn join(&self, other: &Type) -> Type {
        relation::join(self, other)
    }

    /// The same with `Dyn` for what is never.
    pub(crate) fn settled(&self) -> Type {
        match self {
            ty if ty.is_never() => Type::Dyn,
            Type::List(item) => Type::list(item.settled()),
            Type::Map(key, value) => Type::Map(Box::new(key.settled()), Box::new(value.settled())),
            Type::Optional(inner) => Type::optional(inner.settled()),
            Type::Union(members) => Type::Union(members.iter().map(Type::settled).collect()),
            other => other.clone(),
        }
    }

    /// The members of a union, or the type itself.
    pub(crate) fn members(&self) -> &[Type] {
        match self {
            Type::Union(members) => members,
            other => core::slice::from_ref(other),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => out.write_str("any"),
            Type::Null => out.write_str("null"),
            Type::Bool => out.write_str("bool"),
            Type::Int => out.write_str("int"),
            Type::Double => out.write_str("double"),
            Type::String => out.write_str("string"),
            Type::Bytes => out.write_str("bytes"),
            Type::Timestamp => out.write_str("timestamp"),
            Type::Duration => out.write_str("duration"),
            Type::List(item) => write!(out, "list({item})"),
            Type::Map(key, value) => write!(out, "map({key}, {value})"),
            Type::Object(object) => match &object.name {
                Some(name) => out.write_str(name),
                None => out.write_str("object"),
            },
            Type::Type => out.write_str("type"),
            Type::Optional(inner) => write!(out, "optional({inner})"),
            Type::Union(members) if members.is_empty() => out.write_str("any"),
            Type::Union(members) => {
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.write_str(" or ")?;
                    }
                    write!(out, "{member}")?;
                }
                Ok(())
            }
        }
    }
}
