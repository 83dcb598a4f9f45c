//! The string extensions; positions count characters.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Args, Function, new_text};
use crate::Value;
use crate::fault::{Failed, failed};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::method("charAt", &["string, int -> string"], char_at),
    Function::method("indexOf", &["string, string -> int", "string, string, int -> int"], index_of),
    Function::method(
        "lastIndexOf",
        &["string, string -> int", "string, string, int -> int"],
        last_index_of,
    ),
    Function::method("join", &["list(string) -> string", "list(string), string -> string"], join),
    Function::method(
        "split",
        &["string, string -> list(string)", "string, string, int -> list(string)"],
        split,
    ),
    Function::method(
        "replace",
        &["string, string, string -> string", "string, string, string, int -> string"],
        replace,
    ),
    Function::method(
        "substring",
        &["string, int -> string", "string, int, int -> string"],
        substring,
    ),
    Function::method("lowerAscii", &["string -> string"], lower_ascii),
    Function::method("upperAscii", &["string -> string"], upper_ascii),
    Function::method("trim", &["string -> string"], trim),
    Function::global("strings.quote", &["string -> string"], quote),
];

fn out_of_range(index: i64) -> Failed {
    failed("out_of_range", format!("index out of range: {index}"))
}

/// The byte where a character begins; the end of the text counts as one.
fn byte_of(text: &str, index: i64) -> Result<usize, Failed> {
    let wanted = usize::try_from(index).map_err(|_| out_of_range(index))?;
    if text.is_ascii() {
        return if wanted <= text.len() { Ok(wanted) } else { Err(out_of_range(index)) };
    }
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(wanted).ok_or_else(|| out_of_range(index))
}

fn count(text: &str) -> i64 {
    text.chars().count() as i64
}

fn char_at(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let text = args.text(0)?;
    let at = byte_of(text, args.int(1)?)?;
    Ok(text[at..]
        .chars()
        .next()
        .map_or(Value::from(""), |found| Value::text(found.encode_utf8(&mut [0; 4]) as &str)))
}

fn index_of(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=3)?;
    let (text, part) = (args.text(0)?, args.text(1)?);
    let start = if args.len() == 3 { byte_of(text, args.int(2)?)? } else { 0 };
    let found = text[start..].find(part.as_str());
    Ok(Value::Int(found.map_or(-1, |at| count(&text[..start + at]))))
}

/// The last place where the part begins, at or before a given one.
fn last_index_of(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=3)?;
    let (text, part) = (args.text(0)?, args.text(1)?);
    let last_start = if args.len() == 3 { byte_of(text, args.int(2)?)? } else { text.len() };
    let end = text.len().min(last_start.saturating_add(part.len()));
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let mut found = text[..end].rfind(part.as_str());
    if found.is_some_and(|at| at > last_start) {
        found = text[..last_start].rfind(part.as_str());
    }
    Ok(Value::Int(found.map_or(-1, |at| count(&text[..at]))))
}

fn join(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=2)?;
    let separator = if args.len() == 2 { args.text(1)?.as_str() } else { "" };
    let mut out = String::new();
    for (index, item) in args.list(0)?.iter().enumerate() {
        let Value::String(text) = item else {
            return Err(args.no_overload());
        };
        let separator = if index > 0 { separator } else { "" };
        args.meter.produce(separator.len() + text.len())?;
        out.push_str(separator);
        out.push_str(text);
    }
    Ok(Value::from(out))
}

/// Splits everywhere, or into at most so many parts (0: none at all); a negative number is no bound.
fn split(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=3)?;
    let (text, separator) = (args.text(0)?, args.text(1)?);
    let limit = if args.len() == 3 {
        usize::try_from(args.int(2)?).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    };
    let mut list = Vec::new();
    let mut push = |part: &str| -> Result<(), Failed> {
        args.meter.produce_items(1)?;
        args.meter.produce(part.len())?;
        list.push(Value::from(part));
        Ok(())
    };
    if separator.is_empty() {
        let mut rest = text.chars();
        for _ in 1..limit.min(text.chars().count()) {
            rest.next().map_or(Ok(()), |found| push(found.encode_utf8(&mut [0; 4])))?;
        }
        if limit > 0 && !text.is_empty() {
            push(rest.as_str())?;
        }
    } else {
        text.splitn(limit, separator.as_str()).try_for_each(push)?;
    }
    Ok(Value::List(Arc::new(list)))
}

fn replace(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(3..=4)?;
    let (text, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let limit = if args.len() == 4 {
        usize::try_from(args.int(3)?).unwrap_or(usize::MAX)
    } else {
        usize::MAX
    };
    let times = text.matches(from.as_str()).take(limit).count();
    args.meter.produce(text.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(Value::from(text.replacen(from.as_str(), to, times)))
}

fn substring(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=3)?;
    let text = args.text(0)?;
    let start = args.int(1)?;
    let from = byte_of(text, start)?;
    if args.len() == 2 {
        return new_text(text[from..].to_string(), args.meter);
    }
    let end = args.int(2)?;
    let to = byte_of(text, end)?;
    if from > to {
        let message = format!("invalid substring range: start {start}, end {end}");
        return Err(failed("out_of_range", message));
    }
    new_text(text[from..to].to_string(), args.meter)
}

fn lower_ascii(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    new_text(args.text(0)?.to_ascii_lowercase(), args.meter)
}

fn upper_ascii(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    new_text(args.text(0)?.to_ascii_uppercase(), args.meter)
}

fn trim(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    new_text(args.text(0)?.trim().to_string(), args.meter)
}

/// The text as a literal that is safe to print.
fn quote(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(1..=1)?;
    let text = args.text(0)?;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for found in text.chars() {
        match found {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out.push('"');
    new_text(out, args.meter)
}
