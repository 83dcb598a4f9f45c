//! The CEL specification's conformance cases, run from outside the project where they are at
//! hand. `deviations.txt` lists every case that our language answers differently, with the
//! reason; a case that is not listed must pass, and a listed one must not.

#![allow(clippy::print_stdout)] // What was run and what was skipped is for the reader of the test's output.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onex_expr::{
    Field, Fuel, Key, Map, ObjectType, Program, Root, Scope, Text, Type, Value, eval_text, time,
};
use serde_json::Value as Json;

fn vectors() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder = std::env::var("ONEX_VECTORS").unwrap_or(beside.into());
    let cel = PathBuf::from(folder).join("cel");
    cel.is_dir().then_some(cel)
}

#[test]
fn conformance_cases_pass_or_are_listed_deviations() {
    let Some(folder) = vectors() else {
        println!("skipped: no vectors");
        return;
    };
    let listed = deviations();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let mut passed = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for file in files {
        let stem = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).expect("the file is text");
        let mut times: HashMap<String, usize> = HashMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let case: Json = serde_json::from_str(line).expect("a line is JSON");
            let mut name = format!(
                "{stem}/{}/{}",
                case["section"].as_str().expect("a case has a section"),
                case["name"].as_str().expect("a case has a name")
            );
            let time = times.entry(name.clone()).or_default();
            *time += 1;
            if *time > 1 {
                name = format!("{name}#{time}");
            }
            match (run(&case), listed.contains_key(&name)) {
                (Ok(()), false) => passed += 1,
                (Ok(()), true) => {
                    wrong.push(format!("{name}: listed as a deviation, but it passes"))
                }
                (Err(_), true) => {}
                (Err(why), false) => wrong.push(format!("{name}: {why}: {}", case["expr"])),
            }
            seen.insert(name);
        }
    }
    wrong.extend(
        listed
            .keys()
            .filter(|name| !seen.contains(*name))
            .map(|name| format!("{name}: no such case")),
    );
    println!("{passed} passed, {} deviations", listed.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Lines of `file/section/name reason`.
fn deviations() -> BTreeMap<String, String> {
    let lines = include_str!("deviations.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line.split_once(": ").expect("a deviation has a reason");
            (name.into(), reason.into())
        })
        .collect()
}

fn run(case: &Json) -> Result<(), String> {
    let bindings = case.get("bindings").and_then(Json::as_object);
    let roots: Vec<(Text, Value)> = bindings
        .into_iter()
        .flatten()
        .map(|(name, value)| Ok((Text::from(name), value_of(value)?)))
        .collect::<Result<_, String>>()?;
    let expr = case["expr"].as_str().expect("a case has an expression");
    let unchecked = case.get("disable_check").is_some();
    let result =
        if unchecked { run_unchecked(expr, &roots) } else { run_checked(expr, &roots, case)? };
    match (result, case.get("value"), case.get("error")) {
        (Ok(actual), Some(expected), _) => {
            let expected = value_of(expected)?;
            if same(&actual, &expected) {
                Ok(())
            } else {
                Err(format!("yields {actual:?}, not {expected:?}"))
            }
        }
        (Err(_), None, Some(_)) => Ok(()),
        (Ok(_), None, None) => Ok(()),
        (result, _, _) => Err(format!("yields {result:?}")),
    }
}

fn run_unchecked(expr: &str, roots: &[(Text, Value)]) -> Result<Value, String> {
    eval_text(expr, roots, &mut Fuel(1_000_000)).map_err(|error| format!("{error:?}"))
}

/// The outer error: the checker's answer is not the expected one.
fn run_checked(
    expr: &str,
    roots: &[(Text, Value)],
    case: &Json,
) -> Result<Result<Value, String>, String> {
    let mut known: Vec<Root> =
        roots.iter().map(|(name, _)| Root::new(name.clone(), Type::Dyn)).collect();
    if case.get("check_only").is_some() {
        known.push(Root::new("msg", message()));
    }
    let scope = Scope { roots: known, constants: Vec::new() };
    let compiled = Program::compile(expr, &scope);
    let Some(program) = compiled.value else {
        return Ok(Err(format!("{:?}", compiled.faults)));
    };
    if let Some(expected) = case.get("deduced_type").and_then(Json::as_str) {
        let actual = deduced(program.output_type());
        if actual != expected {
            return Err(format!("deduces {actual}, not {expected}"));
        }
    }
    if case.get("check_only").is_some() {
        return Ok(Ok(Value::Null));
    }
    let values: Vec<Value> = roots.iter().map(|(_, value)| value.clone()).collect();
    Ok(program.eval(&values, &mut Fuel(1_000_000)).map_err(|error| format!("{error:?}")))
}

fn value_of(json: &Json) -> Result<Value, String> {
    let (kind, content) =
        json.as_object().and_then(|object| object.iter().next()).ok_or("no value")?;
    Ok(match kind.as_str() {
        "null" => Value::Null,
        "bool" => Value::Bool(content.as_bool().ok_or("no bool")?),
        "int" => Value::Int(content.as_i64().ok_or("no int")?),
        "double" => Value::Double(match content.as_str() {
            Some(text) => text.parse().map_err(|_| "no double")?,
            None => content.as_f64().ok_or("no double")?,
        }),
        "string" => Value::from(content.as_str().ok_or("no text")?),
        "bytes" => {
            let bytes = STANDARD.decode(content.as_str().ok_or("no bytes")?);
            Value::Bytes(bytes.map_err(|_| "no base64")?.into())
        }
        "list" => {
            let items = content.as_array().ok_or("no list")?;
            Value::list(items.iter().map(value_of).collect::<Result<_, _>>()?)
        }
        "map" => {
            let entries = content.as_array().ok_or("no map")?;
            let entry = |pair: &Json| {
                Ok((Key::from_value(&value_of(&pair[0])?).ok_or("no key")?, value_of(&pair[1])?))
            };
            Value::from(entries.iter().map(entry).collect::<Result<Map, String>>()?)
        }
        "timestamp" => {
            let (seconds, nanos) = time::parse_timestamp(content.as_str().ok_or("no time")?)?;
            Value::Timestamp { seconds, nanos }
        }
        "duration" => {
            Value::Duration(time::parse_duration(content.as_str().ok_or("no duration")?)?)
        }
        "type" => Value::Type(content.as_str().ok_or("no type")?.into()),
        other => return Err(format!("there is no {other}")),
    })
}

/// Equal, and of the same kinds all through.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => a == b || a.is_nan() && b.is_nan(),
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b.iter()).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        (a, b) => a.type_name() == b.type_name() && a == b,
    }
}

/// What the deduction cases use of their message: wrappers are values that may be null.
fn message() -> Type {
    let object = |fields: Vec<(&str, Type)>| {
        let field = |(name, ty): (&str, Type)| (name.into(), Field { ty, required: true });
        Type::Object(Arc::new(ObjectType {
            name: None,
            fields: fields.into_iter().map(field).collect(),
            open: false,
        }))
    };
    object(vec![
        ("repeated_nested_message", Type::list(object(vec![("bb", Type::Int)]))),
        ("single_int64", Type::Int),
        ("single_int64_wrapper", Type::union([Type::Int, Type::Null])),
        ("single_string_wrapper", Type::union([Type::String, Type::Null])),
    ])
}

/// A type as the cases spell it.
fn deduced(ty: &Type) -> String {
    let primitive = |name: &str| format!("primitive: {name}");
    match ty {
        Type::Bool => primitive("BOOL"),
        Type::Int => primitive("INT64"),
        Type::Double => primitive("DOUBLE"),
        Type::String => primitive("STRING"),
        Type::Bytes => primitive("BYTES"),
        Type::Null => "null: NULL_VALUE".into(),
        Type::List(item) => format!("list_type {{ elem_type {{ {} }} }}", deduced(item)),
        Type::Map(key, value) => {
            format!(
                "map_type {{ key_type {{ {} }} value_type {{ {} }} }}",
                deduced(key),
                deduced(value)
            )
        }
        Type::Union(members)
            if members.len() == 2
                && members.contains(&Type::Int)
                && members.contains(&Type::Null) =>
        {
            "wrapper: INT64".into()
        }
        Type::Optional(inner) => {
            format!(
                "abstract_type {{ name: \"optional_type\" parameter_types {{ {} }} }}",
                deduced(inner)
            )
        }
        _ => "dyn { }".into(),
    }
}
