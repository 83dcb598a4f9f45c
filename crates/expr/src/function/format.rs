//! `"%s of %d".format([...])`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Args, Function, new_text, scalar_text};
use crate::eval::Meter;
use crate::fault::{Failed, failed};
use crate::json::key_text;
use crate::value::whole;
use crate::{Text, Value};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::method("format", &["string, list(dyn) -> string"], format)];

/// The most digits behind the point.
const PRECISION_MAX: usize = 100;
const PRECISION_DEFAULT: usize = 6;

fn format(args: &Args<'_>) -> Result<Value, Failed> {
    args.expect(2..=2)?;
    let (mut rest, values) = (args.text(0)?.as_str(), args.list(1)?);
    let mut out = String::with_capacity(rest.len());
    let mut used = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let precision = precision(&mut rest)?;
        let clause = rest.chars().next().ok_or_else(|| bad("a `%` ends the text"))?;
        rest = &rest[clause.len_utf8()..];
        let value = values
            .get(used)
            .ok_or_else(|| bad(&format!("index {used} out of range: there is no value for it")))?;
        used += 1;
        let written = one(clause, precision, value, args.meter)?;
        args.meter.produce(written.len())?;
        out.push_str(&written);
    }
    out.push_str(rest);
    new_text(out, args.meter)
}

fn bad(what: &str) -> Failed {
    failed("bad_format", format!("format: {what}"))
}

/// Reads `.3` off the front.
fn precision(rest: &mut &str) -> Result<usize, Failed> {
    let Some(behind) = rest.strip_prefix('.') else {
        return Ok(PRECISION_DEFAULT);
    };
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    *rest = &behind[digits..];
    match behind[..digits].parse() {
        Ok(precision) if precision <= PRECISION_MAX => Ok(precision),
        _ => Err(bad(&format!("a precision must be within 0 and {PRECISION_MAX}"))),
    }
}

fn one(clause: char, precision: usize, value: &Value, meter: &Meter) -> Result<String, Failed> {
    let given = value.kind_name();
    let refuse = |what: &str| Err(bad(&format!("{what}, was given {given}")));
    match clause {
        's' => {
            meter.walk(value)?;
            Ok(shown(value))
        }
        'd' => match value {
            Value::Double(number) if !number.is_finite() => Ok(shown(value)),
            value => integer(value).map_or_else(
                || refuse("decimal clause can only be used on integers"),
                |number| Ok(format!("{number}")),
            ),
        },
        'f' | 'e' => match value.as_double() {
            Some(number) if !number.is_finite() => Ok(shown(&Value::Double(number))),
            Some(number) if clause == 'f' => Ok(format!("{number:.precision$}")),
            Some(number) => Ok(scientific(number, precision)),
            None => refuse("fixed-point and scientific clauses can only be used on numbers"),
        },
        'b' => match value {
            Value::Bool(truth) => Ok(format!("{}", u8::from(*truth))),
            value => integer(value).map_or_else(
                || refuse("only integers and bools can be formatted as binary"),
                |number| Ok(radix(number, |n| format!("{n:b}"))),
            ),
        },
        'o' => integer(value).map_or_else(
            || refuse("octal clause can only be used on integers"),
            |number| Ok(radix(number, |n| format!("{n:o}"))),
        ),
        'x' | 'X' => {
            let text = match value {
                Value::String(text) => hex(text.as_bytes()),
                Value::Bytes(bytes) => hex(bytes),
                value => match integer(value) {
                    Some(number) => radix(number, |n| format!("{n:x}")),
                    None => {
                        return refuse("only integers, bytes and strings can be formatted as hex");
                    }
                },
            };
            Ok(if clause == 'X' { text.to_ascii_uppercase() } else { text })
        }
        other => Err(bad(&format!("unrecognized formatting clause `{other}`"))),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Double(number) => whole(*number),
        _ => None,
    }
}

fn radix(number: i64, write: fn(u64) -> String) -> String {
    let digits = write(number.unsigned_abs());
    if number < 0 { format!("-{digits}") } else { digits }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// `1.052033e+03`: the exponent has a sign and at least two digits.
fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// A value as a person reads it; the caller has paid for the walk.
fn shown(value: &Value) -> String {
    match value {
        Value::Null | Value::Optional(None) => "null".into(),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Optional(Some(value)) => shown(value),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let mut entries: Vec<(Text, &Value)> =
                map.iter().map(|(key, value)| (key_text(key), value)).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", shown(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => scalar_text(other).unwrap_or_default(),
    }
}
