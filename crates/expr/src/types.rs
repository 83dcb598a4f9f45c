//! What is known of a value before it exists: the checker's types.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use crate::Text;

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
