//! Fields and items.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Checker, literal_text, suggest};
use crate::syntax::{Expr, Id};
use crate::types::Field;
use crate::{Fault, Text, Type};

/// What a type says of a field.
enum Selected {
    /// The field's type, and whether it is sure to be there.
    Field { ty: Type, required: bool },
    /// A map with declared fields, this one not among them.
    Unknown,
    /// Nothing that has fields.
    NoFields,
}

/// How a field is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// `a.b`: fails when it is missing.
    Plain,
    /// `a.?b` and `has(a.b)`: may be missing.
    Careful,
}

impl Checker<'_> {
    /// A name, or a chain of fields.
    pub(super) fn path(&mut self, id: Id) -> Type {
        let ast = self.ast;
        let mut chain: Vec<Id> = Vec::new();
        let mut at = id;
        while let Expr::Select { operand, .. } = ast.expr(at) {
            chain.insert(0, at);
            at = *operand;
        }
        let mut used = 0;
        let mut ty = match ast.expr(at) {
            Expr::Ident { name, absolute } => {
                let fields = chain.iter().map_while(|id| match ast.expr(*id) {
                    Expr::Select { field, optional: false, .. } => Some(field.as_str()),
                    _ => None,
                });
                let fields: Vec<&str> = fields.collect();
                let (ty, taken) = self.name(name, *absolute, &fields, ast.range(at));
                used = taken;
                ty
            }
            _ => self.expr(at),
        };
        for id in chain.into_iter().skip(used) {
            if let Expr::Select { operand, field, field_range, optional } = ast.expr(id) {
                ty = self.select(id, *operand, &ty, field, field_range.clone(), *optional);
            }
        }
        ty
    }

    fn select(
        &mut self,
        id: Id,
        operand: Id,
        ty: &Type,
        field: &Text,
        range: Range<usize>,
        optional: bool,
    ) -> Type {
        let mode = if optional { Mode::Careful } else { Mode::Plain };
        let (found, through_optional) = self.field_of(id, operand, ty, field, range, mode);
        if optional || through_optional { Type::optional(found) } else { found }
    }

    pub(super) fn has(&mut self, operand: Id, field: &Text, range: Range<usize>) -> Type {
        let ty = self.expr(operand);
        self.field_of(operand, operand, &ty, field, range, Mode::Careful);
        Type::Bool
    }

    /// The field's type, and whether it was reached through an optional.
    fn field_of(
        &mut self,
        id: Id,
        operand: Id,
        ty: &Type,
        field: &Text,
        range: Range<usize>,
        mode: Mode,
    ) -> (Type, bool) {
        let mut found: Vec<Type> = Vec::new();
        let (mut through_optional, mut missing, mut unknown) = (false, false, false);
        for member in ty.members() {
            let (member, inside) = match member {
                Type::Optional(inner) => (&**inner, true),
                other => (other, false),
            };
            through_optional |= inside;
            for member in member.members() {
                match selected(member, field) {
                    Selected::Field { ty, required } => {
                        missing |= !required && !inside;
                        found.push(ty);
                    }
                    Selected::Unknown => unknown = true,
                    Selected::NoFields => {}
                }
            }
            // What is in an optional that is always none.
            if member.is_never() {
                found.push(Type::Dyn);
            }
        }
        if found.is_empty() && !ty.is_never() {
            let careful_constant = mode == Mode::Careful && self.constant(operand).is_some();
            let null = mode == Mode::Careful && *ty == Type::Null;
            if !careful_constant && !null {
                self.no_field(ty, field, range, unknown);
            }
            return (Type::Dyn, through_optional);
        }
        if missing && mode == Mode::Plain {
            self.maybe_missing(id, operand, field, range);
        }
        (Type::union(found), through_optional)
    }

    fn no_field(&mut self, ty: &Type, field: &str, range: Range<usize>, has_fields: bool) {
        if !has_fields {
            let message = format!("{ty} has no fields, so no `{field}`");
            self.error("unknown_field", range, message, None);
            return;
        }
        let mut known: Vec<&str> = Vec::new();
        for member in ty.members() {
            let member = if let Type::Optional(inner) = member { inner } else { member };
            for member in member.members() {
                if let Type::Object(object) = member {
                    known.extend(object.fields.keys().map(Text::as_str));
                }
            }
        }
        let help = match suggest::closest(field, known.iter().copied()) {
            Some(found) => Some(format!("did you mean `{found}`?")),
            None if known.is_empty() => None,
            None => Some(format!("there are: {}", shortened(&known))),
        };
        let message = match ty {
            Type::Object(object) if object.name.is_some() => format!("{ty} has no field `{field}`"),
            _ => format!("there is no field `{field}`"),
        };
        self.error("unknown_field", range, message, help);
    }

    fn maybe_missing(&mut self, id: Id, operand: Id, field: &Text, range: Range<usize>) {
        let path = match self.ast.expr(id) {
            Expr::Select { .. } | Expr::Index { .. } => self.path_of(id),
            _ => self.path_below(operand, field),
        };
        if let Some(path) = path {
            if self.present.contains(&path) || self.warned.contains(&path) {
                return;
            }
            self.warned.push(path);
        }
        let fault = Fault::warning(
            "maybe_missing",
            range,
            format!("`{field}` is not required, so it may be missing"),
        );
        self.faults
            .push(fault.help(format!(
                "ask `has(...)` first, or give a default: `.?{field}.orValue(...)`"
            )));
    }

    pub(super) fn index(&mut self, id: Id, operand: Id, index: Id, optional: bool) -> Type {
        let ty = self.expr(operand);
        let by = self.expr(index);
        let range = self.ast.range(index);
        if let Some(field) = literal_text(self.ast, index)
            && ty.members().iter().any(is_object)
        {
            return self.select(id, operand, &ty, &field.clone(), range, optional);
        }
        let mut through_optional = false;
        let mut found: Vec<Type> = Vec::new();
        for member in ty.members() {
            let (member, inside) = match member {
                Type::Optional(inner) => (&**inner, true),
                other => (other, false),
            };
            through_optional |= inside;
            found.extend(member.members().iter().filter_map(|member| item(member, &by)));
            if member.is_never() {
                found.push(Type::Dyn);
            }
        }
        let careful_null = optional && ty == Type::Null;
        if found.is_empty() && !ty.is_never() && !careful_null {
            let message = format!("no such overload: {ty}[{by}]");
            self.error("no_overload", range, message, None);
            found.push(Type::Dyn);
        }
        let found = Type::union(found);
        if optional || through_optional { Type::optional(found) } else { found }
    }
}

fn is_object(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::Optional(inner) => inner.members().iter().any(is_object),
        _ => false,
    }
}

fn selected(ty: &Type, field: &str) -> Selected {
    match ty {
        Type::Dyn => Selected::Field { ty: Type::Dyn, required: true },
        Type::Object(object) => match object.fields.get(field) {
            Some(Field { ty, required }) => Selected::Field { ty: ty.clone(), required: *required },
            None if object.open => Selected::Field { ty: Type::Dyn, required: true },
            None => Selected::Unknown,
        },
        Type::Map(key, value) if key.can_be(&Type::String) => {
            Selected::Field { ty: (**value).clone(), required: true }
        }
        Type::Map(..) => Selected::Unknown,
        _ => Selected::NoFields,
    }
}

/// What indexing yields.
fn item(ty: &Type, by: &Type) -> Option<Type> {
    match ty {
        Type::Dyn => Some(Type::Dyn),
        Type::List(item) if by.can_be(&Type::Double) => Some((**item).clone()),
        Type::Map(key, value) if by.can_equal(key) => Some((**value).clone()),
        Type::Object(object) if by.can_be(&Type::String) => Some(crate::types::values_of(object)),
        _ => None,
    }
}

/// The first few of many names.
fn shortened(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 8;
    let shown = names[..names.len().min(SHOWN_MAX)].join(", ");
    if names.len() > SHOWN_MAX { format!("{shown}, ...") } else { shown }
}
