//! `onex eval`: one expression, or one a line.

use std::io::{self, BufRead};

use clap::Args;
use onex_expr::program::{TextError, eval_text};
use onex_expr::{Fuel, Key, Text, Value, json};

use crate::fault::{Exit, Fault};
use crate::print;

/// Evaluation steps for one expression.
const FUEL: u64 = 10_000_000;

/// What `onex eval` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex eval '1 + 2'
  onex eval 'payload.lines.map(l, l.qty).sum()' --roots '{\"payload\": {\"lines\": [{\"qty\": 2}]}}'
  onex eval --lines < cases.jsonl     lines {expr, roots} in, {value} or {error} out")]
pub struct Arguments {
    /// The expression
    #[arg(required_unless_present = "lines", conflicts_with = "lines")]
    expr: Option<String>,
    /// The names it may use: a JSON object, or @FILE
    #[arg(long, value_name = "JSON|@FILE")]
    roots: Option<String>,
    /// Read JSON lines {expr, roots} from stdin, write one {value} or {error} a line
    #[arg(long, conflicts_with = "roots")]
    lines: bool,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let Some(expr) = &arguments.expr else {
        return lines();
    };
    let roots = match &arguments.roots {
        Some(given) => read_roots(given)?,
        None => Value::map::<Text>([]),
    };
    let roots = named(&roots).map_err(Fault::usage)?;
    match evaluate(expr, &roots) {
        Ok(value) => {
            print::value(&value)?;
            Ok(Exit::Done)
        }
        Err(faults) => {
            let mut fault = Fault::no(faults.message);
            fault.help = faults.help;
            if let Some(range) = faults.range {
                print::note(underlined(expr, &range));
            }
            Err(fault)
        }
    }
}

/// Why an expression has no value.
struct NoValue {
    message: String,
    range: Option<std::ops::Range<usize>>,
    help: Option<String>,
}

impl NoValue {
    fn of(message: impl Into<String>) -> NoValue {
        NoValue { message: message.into(), range: None, help: None }
    }
}

fn evaluate(expr: &str, roots: &[(Text, Value)]) -> Result<Value, NoValue> {
    let mut fuel = Fuel(FUEL);
    let value = eval_text(expr, roots, &mut fuel).map_err(|error| match error {
        TextError::Faults(faults) => match faults.into_iter().next() {
            Some(fault) => {
                NoValue { message: fault.message, range: Some(fault.range), help: fault.help }
            }
            None => NoValue::of("the expression cannot be compiled"),
        },
        TextError::Failed(error) => {
            NoValue { message: error.message, range: Some(error.range), help: None }
        }
    })?;
    if is_json(&value) {
        Ok(value)
    } else {
        Err(NoValue::of("NaN and infinity cannot be written as JSON"))
    }
}

fn is_json(value: &Value) -> bool {
    match value {
        Value::Double(number) => number.is_finite(),
        Value::List(items) => items.iter().all(is_json),
        Value::Map(map) => map.iter().all(|(_, value)| is_json(value)),
        Value::Optional(Some(value)) => is_json(value),
        _ => true,
    }
}

fn lines() -> Result<Exit, Fault> {
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Fault::doing("reading stdin", error))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match of_line(&line) {
            Ok(value) => Value::map([("value", value)]),
            Err(error) => Value::map([("error", Value::text(error.message))]),
        };
        print::value(&answer)?;
    }
    Ok(Exit::Done)
}

fn of_line(line: &[u8]) -> Result<Value, NoValue> {
    let limits = json::Limits { depth_max: json::DEPTH_MAX };
    let read = json::parse(line, &limits)
        .map_err(|error| NoValue::of(format!("the line is no JSON: {}", error.message)))?;
    let expr = read
        .get("expr")
        .and_then(Value::as_str)
        .ok_or_else(|| NoValue::of("the line has no text `expr`"))?;
    let roots = match read.get("roots") {
        None | Some(Value::Null) => Vec::new(),
        Some(roots) => named(roots).map_err(NoValue::of)?,
    };
    evaluate(expr, &roots)
}

fn read_roots(given: &str) -> Result<Value, Fault> {
    let text = match given.strip_prefix('@') {
        Some(file) => {
            std::fs::read(file).map_err(|error| Fault::doing(format!("reading {file}"), error))?
        }
        None => given.as_bytes().to_vec(),
    };
    json::parse(&text, &json::Limits::default())
        .map_err(|error| Fault::usage(format!("--roots is no JSON: {}", error.message)))
}

fn named(roots: &Value) -> Result<Vec<(Text, Value)>, String> {
    let map = roots.as_map().ok_or("roots are an object: names and their values")?;
    if map.len() > 64 {
        return Err("there are more than 64 roots".into());
    }
    Ok(map
        .iter()
        .filter_map(|(key, value)| match key {
            Key::String(name) => Some((name.clone(), value.clone())),
            _ => None,
        })
        .collect())
}

/// The expression with the place underlined, when it is one line.
fn underlined(expr: &str, range: &std::ops::Range<usize>) -> String {
    let before = expr.get(..range.start).map_or(0, |text| text.chars().count());
    let under = expr.get(range.clone()).map_or(1, |text| text.chars().count());
    if expr.contains('\n') {
        return expr.to_owned();
    }
    format!("  {expr}\n  {}{}", " ".repeat(before), "^".repeat(under.max(1)))
}
