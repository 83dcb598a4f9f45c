//! Lists, maps and calls: everything that takes several operands.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Locals, Machine, Ref};
use crate::fault::{Failed, failed};
use crate::function::{Args, Function};
use crate::plan::At;
use crate::value::{Key, Map};
use crate::{Value, brief};

impl Machine<'_> {
    pub(super) fn list(&self, items: &[(At, bool)], locals: Locals<'_>) -> Result<Value, Failed> {
        self.meter.produce_items(items.len())?;
        let mut list = Vec::with_capacity(items.len());
        for (at, optional) in items {
            let value = self.eval(*at, locals)?.into_value();
            list.extend(if *optional { unwrap(value)? } else { Some(value) });
        }
        Ok(Value::List(Arc::new(list)))
    }

    pub(super) fn map(
        &self,
        entries: &[(At, At, bool)],
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        self.meter.produce_entries(entries.len())?;
        let mut list: Vec<(Key, Value)> = Vec::with_capacity(entries.len());
        for (key, value, optional) in entries {
            let key = map_key(&*self.eval(*key, locals)?)?;
            let value = self.eval(*value, locals)?.into_value();
            if let Some(value) = if *optional { unwrap(value)? } else { Some(value) } {
                list.push((key, value));
            }
        }
        finish_map(list)
    }

    pub(super) fn call(
        &self,
        function: &Function,
        args: &[At],
        locals: Locals<'_>,
    ) -> Result<Value, Failed> {
        let call = |values: &[Ref<'_>]| {
            (function.call)(&Args { name: function.name, values, meter: &self.meter })
        };
        match args {
            [] => call(&[]),
            [a] => call(&[self.eval(*a, locals)?]),
            [a, b] => call(&[self.eval(*a, locals)?, self.eval(*b, locals)?]),
            [a, b, c] => {
                call(&[self.eval(*a, locals)?, self.eval(*b, locals)?, self.eval(*c, locals)?])
            }
            args => {
                let args: Result<Vec<Ref<'_>>, Failed> =
                    args.iter().map(|at| self.eval(*at, locals)).collect();
                call(&args?)
            }
        }
    }
}

/// What an optional item holds.
fn unwrap(value: Value) -> Result<Option<Value>, Failed> {
    match value {
        Value::Optional(inner) => Ok(inner.map(|inner| (*inner).clone())),
        other => {
            let message = format!("a `?` item must be an optional, found {}", other.kind_name());
            Err(failed("no_overload", message))
        }
    }
}

pub(super) fn map_key(value: &Value) -> Result<Key, Failed> {
    match value {
        Value::Double(_) => None,
        value => Key::from_value(value),
    }
    .ok_or_else(|| {
        failed(
            "no_overload",
            format!("a {} is no key: only string, int and bool are", value.kind_name()),
        )
    })
}

pub(super) fn finish_map(entries: Vec<(Key, Value)>) -> Result<Value, Failed> {
    match Map::from_unique(entries) {
        Ok(map) => Ok(Value::Map(Arc::new(map))),
        Err(key) => {
            let key = crate::json::key_text(&key);
            Err(failed("duplicate_key", format!("the key `{}` is there twice", brief(&key))))
        }
    }
}
