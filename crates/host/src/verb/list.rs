//! Lists that come in parts, and how they are shown.

use onex_expr::{Value, json};

use crate::cli::Output;
use crate::client::Ask;
use crate::fault::Fault;
use crate::print;

/// Items that are asked for at a time.
const PAGE: usize = 500;

/// Items of a list, as many as wanted, with the token of what follows.
pub async fn fetch<'a>(limit: Option<usize>, ask: impl Fn() -> Ask<'a>) -> Result<Value, Fault> {
    let mut items: Vec<Value> = Vec::new();
    let mut left = limit.unwrap_or(usize::MAX);
    let mut after: Option<String> = None;
    loop {
        let answer =
            ask().with("limit", Some(left.min(PAGE))).with("after", after.as_ref()).json().await?;
        let part = answer.get("items").and_then(Value::as_list);
        let part = part.unwrap_or_default();
        left = left.saturating_sub(part.len());
        items.extend_from_slice(part);
        after = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        if left == 0 || after.is_none() {
            let next = after.map_or(Value::Null, Value::text);
            return Ok(Value::map([("items", Value::list(items)), ("next", next)]));
        }
    }
}

/// Prints a list: for programs as it is, for people these fields of each item.
pub fn show<const N: usize>(list: &Value, fields: [&str; N], output: Output) -> Result<(), Fault> {
    if output.is_json() {
        return print::value(list);
    }
    let items = list.get("items").and_then(Value::as_list);
    let items = items.unwrap_or_default();
    if items.is_empty() {
        print::note("there are none");
        return Ok(());
    }
    let rows = items.iter().map(|item| fields.map(|field| cell(item, field)));
    print::table(fields, rows.collect())
}

/// A field as people read it.
pub fn cell(item: &Value, field: &str) -> String {
    match item.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.to_string(),
        Some(other) => json::to_string(other),
    }
}

/// Prints a thing: for programs on one line, for people a field a line.
pub fn show_one(thing: &Value, output: Output) -> Result<(), Fault> {
    if output.is_json() {
        return print::value(thing);
    }
    let Some(map) = thing.as_map() else {
        return print::value(thing);
    };
    for (key, value) in map.iter() {
        let onex_expr::Key::String(name) = key else {
            continue;
        };
        match value {
            Value::List(items) if items.iter().any(|item| item.as_map().is_some()) => {
                print::line(format!("{name}:"))?;
                for item in items.iter() {
                    print::line(format!("  {}", brief(item)))?;
                }
            }
            _ => print::line(format!("{name}: {}", cell(thing, name)))?,
        }
    }
    Ok(())
}

/// A map on one line, without what is null or empty.
fn brief(item: &Value) -> String {
    let Some(map) = item.as_map() else {
        return json::to_string(item);
    };
    let parts = map.iter().filter_map(|(key, value)| {
        let onex_expr::Key::String(name) = key else {
            return None;
        };
        (!value.is_null()).then(|| format!("{name}={}", cell(item, name)))
    });
    parts.collect::<Vec<_>>().join("  ")
}
