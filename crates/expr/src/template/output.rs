//! The types of what templates yield.

use alloc::sync::Arc;

use super::Template;
use crate::Type;
use crate::types::{Field, ObjectType};

pub(super) fn output_type(template: &Template) -> Type {
    match template {
        Template::Literal(value) => Type::of(value),
        Template::Expr(program) => plain(program.output_type()),
        Template::Joined(_) => Type::String,
        Template::List(items) => Type::list(Type::union(items.iter().map(output_type)).settled()),
        Template::Map(entries) => {
            let field = |(name, item): &(crate::Text, Template)| {
                let required =
                    !matches!(item, Template::Expr(program) if may_be_none(program.output_type()));
                (name.clone(), Field { ty: output_type(item), required })
            };
            let fields = entries.iter().map(field).collect();
            Type::Object(Arc::new(ObjectType { name: None, fields, open: false }))
        }
    }
}

fn may_be_none(ty: &Type) -> bool {
    ty.members().iter().any(|member| matches!(member, Type::Optional(_)))
}

/// The type as JSON has it: times, durations, bytes are text, an optional is what it holds.
fn plain(ty: &Type) -> Type {
    match ty {
        Type::Timestamp | Type::Duration | Type::Bytes | Type::Type => Type::String,
        Type::Optional(inner) => plain(inner),
        Type::List(item) => Type::list(plain(item)),
        Type::Map(_, value) => Type::map(plain(value)),
        Type::Union(members) => Type::union(members.iter().map(plain)),
        Type::Object(object) => {
            let fields = object.fields.iter();
            let field = |field: &Field| Field { ty: plain(&field.ty), required: field.required };
            let fields = fields.map(|(name, known)| (name.clone(), field(known))).collect();
            Type::Object(Arc::new(ObjectType {
                name: object.name.clone(),
                fields,
                open: object.open,
            }))
        }
        other => other.clone(),
    }
}
