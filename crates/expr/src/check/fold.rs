//! Macros.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Checker;
use crate::syntax::{Fold, FoldKind, Id};
use crate::types::{ObjectType, values_of};
use crate::{Text, Type};

impl Checker<'_> {
    pub(super) fn fold(&mut self, id: Id, fold: &Fold) -> Type {
        let range = self.expr(fold.range);
        if matches!(fold.kind, FoldKind::OptMap | FoldKind::OptFlatMap) {
            return self.fold_optional(id, fold, &range);
        }
        let (key, item) = self.items(fold, &range);
        let mut locals: Vec<(Text, Type)> = Vec::new();
        match &fold.second {
            Some(second) => {
                locals.push((fold.first.clone(), key.clone()));
                locals.push((second.clone(), item.clone()));
            }
            None => locals.push((fold.first.clone(), item.clone())),
        }
        let number = self.locals_made + locals.len();
        let (body, shown) = self.within(locals, |this| {
            let before = this.present.len();
            if let Some(filter) = fold.filter {
                this.condition(filter);
                let shown = this.shown(filter, true);
                this.present.extend(shown);
            }
            let body = this.body(fold);
            this.present.truncate(before);
            (
                body,
                if fold.kind == FoldKind::Filter {
                    this.shown(fold.body, true)
                } else {
                    Vec::new()
                },
            )
        });
        match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => Type::Bool,
            FoldKind::Filter => {
                let fields = shown.iter().filter_map(|path| path.field_of(number));
                Type::list(with_fields(&item, fields))
            }
            FoldKind::SortBy => Type::list(item),
            FoldKind::List => Type::list(body),
            FoldKind::MapValues => Type::Map(key.into(), body.into()),
            _ => body,
        }
    }

    /// The body's type; of a test, that it can be true or false.
    fn body(&mut self, fold: &Fold) -> Type {
        match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne | FoldKind::Filter => {
                self.condition(fold.body);
                Type::Bool
            }
            FoldKind::MapEntries => {
                let ty = self.expr(fold.body);
                let fits =
                    |member: &Type| matches!(member, Type::Map(..) | Type::Object(_) | Type::Dyn);
                if !ty.is_never() && !ty.members().iter().any(fits) {
                    let message = format!("transformMapEntry must yield a map, this is {ty}");
                    self.error("no_overload", self.ast.range(fold.body), message, None);
                }
                ty
            }
            _ => self.expr(fold.body),
        }
    }

    /// The types of index or key, and of item, that a macro goes over.
    fn items(&mut self, fold: &Fold, range: &Type) -> (Type, Type) {
        let two = fold.second.is_some();
        let (mut keys, mut items) = (Type::never(), Type::never());
        let mut fits = range.is_never();
        for member in range.members() {
            let (key, item) = match member {
                Type::Dyn => (Type::Dyn, Type::Dyn),
                Type::List(item) => (Type::Int, (**item).clone()),
                Type::Map(key, value) => {
                    ((**key).clone(), if two { (**value).clone() } else { (**key).clone() })
                }
                Type::Object(object) => {
                    (Type::String, if two { values_of(object) } else { Type::String })
                }
                _ => continue,
            };
            fits = true;
            keys = keys.join(&key);
            items = items.join(&item);
        }
        if !fits {
            let message = format!("expected a list or map, this is {range}");
            self.error("no_overload", self.ast.range(fold.range), message, None);
            return (Type::Dyn, Type::Dyn);
        }
        (keys, items)
    }

    fn fold_optional(&mut self, id: Id, fold: &Fold, range: &Type) -> Type {
        let mut inner: Option<Type> = range.is_never().then(Type::never);
        for member in range.members() {
            let found = match member {
                Type::Optional(found) => (**found).clone(),
                Type::Dyn => Type::Dyn,
                _ => continue,
            };
            inner = Some(inner.map_or(found.clone(), |sum| sum.join(&found)));
        }
        let inner = inner.unwrap_or_else(|| {
            let message = format!("expected an optional, this is {range}");
            self.error("no_overload", self.ast.range(fold.range), message, None);
            Type::Dyn
        });
        let body = self.within([(fold.first.clone(), inner)], |this| this.expr(fold.body));
        if fold.kind == FoldKind::OptMap {
            return Type::optional(body);
        }
        let fits = |member: &Type| matches!(member, Type::Optional(_) | Type::Dyn);
        if !body.is_never() && !body.members().iter().any(fits) {
            let message = format!("optFlatMap must yield an optional, this yields {body}");
            self.error("no_overload", self.ast.range(id), message, None);
        }
        body
    }
}

/// An item that has passed a filter: what the filter has shown to be there counts as required.
fn with_fields<'a>(item: &Type, fields: impl Iterator<Item = &'a Text>) -> Type {
    let Type::Object(object) = item else {
        return item.clone();
    };
    let mut changed: ObjectType = (**object).clone();
    for name in fields {
        if let Some(field) = changed.fields.get_mut(name) {
            field.required = true;
        }
    }
    if changed == **object { item.clone() } else { Type::Object(Arc::new(changed)) }
}
