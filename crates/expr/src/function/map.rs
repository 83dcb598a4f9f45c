//! `merge`: maps over one another, the right one wins; what is nested is replaced, not merged.

use alloc::sync::Arc;

use super::{Args, Function};
use crate::Value;
use crate::fault::Failed;
use crate::value::Map;

pub(super) const FUNCTIONS: &[Function] = &[Function::global(
    "merge",
    &["map(A, B), map(A, B) -> map(A, B)", "list(map(A, B)) -> map(A, B)"],
    merge,
)
.building()];

fn merge(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=2)?;
    let mut merged = Map::default();
    let mut take = |value: &Value| {
        let Value::Map(map) = value else {
            return Err(args.no_overload());
        };
        args.meter.produce_entries(merged.len() + map.len())?;
        if merged.is_empty() {
            merged = (**map).clone()
        } else {
            merged.merge(map)
        }
        Ok(())
    };
    match args.values {
        [list] if matches!(**list, Value::List(_)) => args.list(0)?.iter().try_for_each(take)?,
        [left, right] => {
            take(left)?;
            take(right)?;
        }
        _ => return Err(args.no_overload()),
    }
    Ok(Value::Map(Arc::new(merged)))
}
