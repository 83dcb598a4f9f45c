//! Macros: a body evaluated once an item.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Frame, Locals, Machine, make};
use crate::fault::{Failed, failed};
use crate::plan::{At, Fold};
use crate::syntax::FoldKind;
use crate::value::{Key, Map};
use crate::{Value, function};

impl Machine<'_> {
    pub(super) fn fold(&self, fold: &Fold, locals: Locals<'_>) -> Result<Value, Failed> {
        let range = self.eval(fold.range, locals)?;
        match (fold.kind, &*range) {
            (FoldKind::OptMap | FoldKind::OptFlatMap, Value::Optional(inner)) => {
                self.fold_optional(fold, inner.as_deref(), locals)
            }
            (FoldKind::OptMap | FoldKind::OptFlatMap, other) => Err(failed(
                "no_overload",
                format!("expected an optional, found {}", other.kind_name()),
            )),
            (_, Value::List(items)) => self.fold_items(fold, Items::List(items), locals),
            (_, Value::Map(map)) => self.fold_items(fold, Items::Map(map), locals),
            (_, other) => Err(failed(
                "no_overload",
                format!("expected a list or map, found {}", other.kind_name()),
            )),
        }
    }

    fn fold_optional(
        &self,
        fold: &Fold,
        inner: Option<&Value>,
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        let Some(value) = inner else {
            return Ok(Value::Optional(None));
        };
        let result = self.eval(fold.body, Some(&Frame { value, outer: locals }))?.into_value();
        match (fold.kind, result) {
            (FoldKind::OptMap, value) => Ok(Value::some(value)),
            (_, Value::Optional(value)) => Ok(Value::Optional(value)),
            (_, other) => Err(failed(
                "no_overload",
                format!("optFlatMap must yield an optional, found {}", other.kind_name()),
            )),
        }
    }

    fn fold_items(
        &self,
        fold: &Fold,
        items: Items<'_>,
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        match fold.kind {
            FoldKind::All => {
                self.any_item(fold, items, false, locals).map(|found| Value::Bool(!found))
            }
            FoldKind::Exists => self.any_item(fold, items, true, locals).map(Value::Bool),
            FoldKind::ExistsOne => self.one_item(fold, items, locals),
            FoldKind::Filter => self.filter(fold, items, locals),
            FoldKind::List => self.transform_list(fold, items, locals),
            FoldKind::MapValues => self.transform_values(fold, items, locals),
            FoldKind::MapEntries => self.transform_entries(fold, items, locals),
            FoldKind::SortBy => self.sort_by(fold, items, locals),
            FoldKind::OptMap | FoldKind::OptFlatMap => Ok(Value::Null),
        }
    }

    /// Calls back with the variables of every item bound, until it breaks off.
    fn each(
        &self,
        two: bool,
        items: Items<'_>,
        locals: Locals<'_>,
        mut visit: impl FnMut(Locals<'_>, Entry<'_>) -> Result<bool, Failed>,
    ) -> Result<(), Failed> {
        let mut step = |key: &Value, value: &Value| {
            self.meter.spend(1)?;
            let entry = Entry { key, value };
            if two {
                let outer = Frame { value: key, outer: locals };
                visit(Some(&Frame { value, outer: Some(&outer) }), entry)
            } else {
                visit(Some(&Frame { value, outer: locals }), entry)
            }
        };
        match items {
            Items::List(items) => {
                for (index, value) in items.iter().enumerate() {
                    if !step(&Value::Int(index as i64), value)? {
                        break;
                    }
                }
            }
            Items::Map(map) => {
                for (key, value) in map {
                    let key = key.to_value();
                    if !step(&key, if two { value } else { &key })? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn any_item(
        &self,
        fold: &Fold,
        items: Items<'_>,
        wanted: bool,
        locals: Locals<'_>,
    ) -> Result<bool, Failed> {
        let mut held: Option<Failed> = None;
        let mut found = false;
        self.each(fold.two, items, locals, |locals, _| match self.truth(fold.body, locals) {
            Ok(truth) => {
                found |= truth == wanted;
                Ok(!found)
            }
            Err(failure) if failure.is_final() => Err(failure),
            Err(failure) => {
                held.get_or_insert(failure);
                Ok(true)
            }
        })?;
        match held {
            Some(failure) if !found => Err(failure),
            _ => Ok(found),
        }
    }

    fn one_item(&self, fold: &Fold, items: Items<'_>, locals: Locals<'_>) -> Result<Value, Failed> {
        let mut count = 0;
        self.each(fold.two, items, locals, |locals, _| {
            count += i64::from(self.truth(fold.body, locals)?);
            Ok(true)
        })?;
        Ok(Value::Bool(count == 1))
    }

    fn filter(&self, fold: &Fold, items: Items<'_>, locals: Locals<'_>) -> Result<Value, Failed> {
        let mut list = Vec::new();
        self.each(fold.two, items, locals, |locals, entry| {
            if self.truth(fold.body, locals)? {
                self.meter.produce_items(1)?;
                list.push(entry.value.clone());
            }
            Ok(true)
        })?;
        Ok(Value::List(Arc::new(list)))
    }

    fn passes(&self, filter: Option<At>, locals: Locals<'_>) -> Result<bool, Failed> {
        filter.map_or(Ok(true), |filter| self.truth(filter, locals))
    }

    fn transform_list(
        &self,
        fold: &Fold,
        items: Items<'_>,
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        let mut list = Vec::with_capacity(if fold.filter.is_none() { items.len() } else { 0 });
        self.each(fold.two, items, locals, |locals, _| {
            if self.passes(fold.filter, locals)? {
                self.meter.produce_items(1)?;
                list.push(self.eval(fold.body, locals)?.into_value());
            }
            Ok(true)
        })?;
        Ok(Value::List(Arc::new(list)))
    }

    fn transform_values(
        &self,
        fold: &Fold,
        items: Items<'_>,
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        let mut entries = Vec::new();
        self.each(fold.two, items, locals, |locals, entry| {
            if self.passes(fold.filter, locals)? {
                self.meter.produce_entries(1)?;
                entries
                    .push((make::map_key(entry.key)?, self.eval(fold.body, locals)?.into_value()));
            }
            Ok(true)
        })?;
        make::finish_map(entries)
    }

    fn transform_entries(
        &self,
        fold: &Fold,
        items: Items<'_>,
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        let mut entries: Vec<(Key, Value)> = Vec::new();
        self.each(fold.two, items, locals, |locals, _| {
            if self.passes(fold.filter, locals)? {
                match &*self.eval(fold.body, locals)? {
                    Value::Map(map) => {
                        self.meter.produce_entries(map.len())?;
                        entries.extend(map.iter().cloned());
                    }
                    other => {
                        let message = format!(
                            "transformMapEntry must yield a map, found {}",
                            other.kind_name()
                        );
                        return Err(failed("no_overload", message));
                    }
                }
            }
            Ok(true)
        })?;
        make::finish_map(entries)
    }

    fn sort_by(&self, fold: &Fold, items: Items<'_>, locals: Locals<'_>) -> Result<Value, Failed> {
        let mut keyed: Vec<(Value, Value)> = Vec::with_capacity(items.len());
        self.each(fold.two, items, locals, |locals, entry| {
            self.meter.produce_items(2)?;
            keyed.push((self.eval(fold.body, locals)?.into_value(), entry.value.clone()));
            Ok(true)
        })?;
        function::sort_pairs(&mut keyed, &self.meter)?;
        Ok(Value::List(Arc::new(keyed.into_iter().map(|(_, value)| value).collect())))
    }
}

#[derive(Clone, Copy)]
enum Items<'a> {
    List(&'a [Value]),
    Map(&'a Map),
}

impl Items<'_> {
    fn len(&self) -> usize {
        match self {
            Items::List(items) => items.len(),
            Items::Map(map) => map.len(),
        }
    }
}

/// An item with its index, or a map's entry (with one variable the key stands for both).
struct Entry<'a> {
    key: &'a Value,
    value: &'a Value,
}
