//! The language's own cases: `cases/*.jsonl`, one a line.
//!
//! `{expr, roots?, constants?, types?, value | error | faults}` for expressions, with `template`
//! and `place` for templates, where `none: true` stands for what leaves its key out, and `{json,
//! value | error, at?}` for JSON text. A fault is `[kind, underlined text, help?]`, a warning's
//! kind ends in `?`. `type` is the type that the checker finds. A type is written as a name
//! (`int`, `string|null`), a list as `[item]`, an object as `{field: type, "field?": type}`, an
//! open one with `"...": true`.

use std::path::Path;
use std::sync::Arc;

use onex_expr::{
    Compiled, EvalError, Fault, Field, Fuel, ObjectType, Place, Program, Root, Scope, Template,
    Type, Value, json,
};
use serde_json::Value as Json;

#[test]
fn every_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("the file is text");
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with('{')) {
            count += 1;
            let case: Json = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{path:?} {index}: {error}"));
            if let Err(why) = run(&case) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                wrong.push(format!("{file}:{}: {why}\n    {line}", index + 1));
            }
        }
    }
    assert!(count > 300, "only {count} cases were found");
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_function_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let text: String = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            std::fs::read_to_string(entry.expect("an entry").path()).expect("the file is text")
        })
        .collect();
    let missing: Vec<&str> =
        onex_expr::function_names().filter(|name| !text.contains(&format!("{name}("))).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}

fn run(case: &Json) -> Result<(), String> {
    if let Some(text) = case.get("json") {
        return run_json(case, text.as_str().expect("JSON is given as text"));
    }
    let (scope, roots) = scope_of(case);
    let fuel = case.get("fuel").and_then(Json::as_u64).unwrap_or(100_000);
    if let Some(source) = case.get("template").and_then(Json::as_str) {
        let place = match case.get("place").and_then(Json::as_str) {
            Some("url") => Place::Url,
            Some("path") => Place::Path,
            _ => Place::Data,
        };
        let compiled = Template::compile(source, place, &scope);
        let ty = compiled.value.as_ref().map(Template::output_type);
        return compare(case, source, ty, compiled, |template| {
            template.render(&roots, &mut Fuel(fuel))
        });
    }
    let source = case["expr"].as_str().expect("a case has an expression");
    let compiled = Program::compile(source, &scope);
    let ty = compiled.value.as_ref().map(|program| program.output_type().clone());
    compare(case, source, ty, compiled, |program| program.eval(&roots, &mut Fuel(fuel)).map(Some))
}

fn compare<T>(
    case: &Json,
    source: &str,
    ty: Option<Type>,
    compiled: Compiled<T>,
    evaluate: impl FnOnce(T) -> Result<Option<Value>, EvalError>,
) -> Result<(), String> {
    let expected = case.get("faults").and_then(Json::as_array).cloned().unwrap_or_default();
    compare_faults(source, &compiled.faults, &expected)?;
    if let Some(wanted) = case.get("type").and_then(Json::as_str) {
        let found = ty.map(|ty| ty.to_string());
        if found.as_deref() != Some(wanted) {
            return Err(format!("has the type {found:?}"));
        }
    }
    let Some(program) = compiled.value else {
        return Ok(());
    };
    let result = evaluate(program);
    match (&result, case.get("value"), case.get("error").and_then(Json::as_str)) {
        (Ok(Some(value)), Some(wanted), _) => {
            let wanted =
                Value::from_json(&wanted.to_string()).expect("a case's value is JSON").to_json();
            let found = value.to_json();
            if found == wanted { Ok(()) } else { Err(format!("yields {found}")) }
        }
        (Err(error), _, Some(kind)) if error.kind == kind => {
            match case.get("at").and_then(Json::as_str) {
                Some(text) if source.get(error.range.clone()) != Some(text) => {
                    Err(format!("points at {:?}", source.get(error.range.clone())))
                }
                _ => Ok(()),
            }
        }
        (Ok(None), _, _) if case.get("none").is_some() => Ok(()),
        (_, None, None) if case.get("none").is_none() => Ok(()),
        _ => Err(format!("yields {result:?}")),
    }
}

fn compare_faults(source: &str, found: &[Fault], expected: &[Json]) -> Result<(), String> {
    let fits = |fault: &Fault, wanted: &Json| {
        let kind = format!("{}{}", fault.kind, if fault.is_error() { "" } else { "?" });
        let help = wanted.get(2).and_then(Json::as_str);
        wanted[0] == kind.as_str()
            && wanted[1].as_str() == source.get(fault.range.clone())
            && help
                .is_none_or(|help| fault.help.as_deref().is_some_and(|given| given.contains(help)))
    };
    let all = found.len() == expected.len()
        && found.iter().zip(expected).all(|(fault, wanted)| fits(fault, wanted));
    if all { Ok(()) } else { Err(format!("has the faults {found:#?}")) }
}

fn run_json(case: &Json, text: &str) -> Result<(), String> {
    match (
        json::parse(text.as_bytes(), &json::Limits::default()),
        case.get("value"),
        case.get("error"),
    ) {
        (Ok(value), Some(written), _) if written == &Json::from(value.to_json()) => {
            match case.get("canonical").and_then(Json::as_str) {
                Some(wanted) if json::canonical(&value) != wanted.as_bytes() => Err(format!(
                    "is canonically {}",
                    String::from_utf8_lossy(&json::canonical(&value))
                )),
                _ => Ok(()),
            }
        }
        (Err(error), _, Some(part)) => {
            let at = case.get("at").and_then(Json::as_u64).is_none_or(|at| at == error.at as u64);
            let fits = error.message.contains(part.as_str().expect("an error is text"));
            if fits && at { Ok(()) } else { Err(format!("{error:?}")) }
        }
        (result, _, _) => Err(format!("{:?}", result.map(|value| value.to_json()))),
    }
}

/// Roots are what `roots` and `types` name; `now` is a point in time.
fn scope_of(case: &Json) -> (Scope, Vec<Value>) {
    let object = |name: &str| case.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
    let value_of =
        |json: &Json| Value::from_json(&json.to_string()).expect("a case's values are JSON");
    let (given, types) = (object("roots"), object("types"));
    let mut roots = vec![Root::new("now", Type::Timestamp)];
    let mut values = vec![Value::Timestamp { seconds: 1_700_000_000, nanos: 0 }];
    let names: std::collections::BTreeSet<&String> = given.keys().chain(types.keys()).collect();
    for name in names {
        roots.push(Root::new(name.as_str(), types.get(name).map_or(Type::Dyn, type_of)));
        values.push(given.get(name).map_or(Value::Null, value_of));
    }
    roots.push(Root { here: false, ..Root::new("secret", Type::Dyn) });
    values.push(Value::Null);
    let constants = object("constants")
        .iter()
        .map(|(name, value)| (name.as_str().into(), value_of(value)))
        .collect();
    (Scope { roots, constants }, values)
}

fn type_of(json: &Json) -> Type {
    match json {
        Json::String(name) => Type::union(name.split('|').map(named)),
        Json::Array(items) => Type::list(type_of(&items[0])),
        Json::Object(fields) => {
            let field = |(name, ty): (&String, &Json)| {
                let required = !name.ends_with('?');
                (name.trim_end_matches('?').into(), Field { ty: type_of(ty), required })
            };
            Type::Object(Arc::new(ObjectType {
                name: fields.get("name!").and_then(Json::as_str).map(Into::into),
                fields: fields
                    .iter()
                    .filter(|(name, _)| !["...", "name!"].contains(&name.as_str()))
                    .map(field)
                    .collect(),
                open: fields.contains_key("..."),
            }))
        }
        other => panic!("{other} is no type"),
    }
}

fn named(name: &str) -> Type {
    match name {
        "any" => Type::Dyn,
        "null" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "double" => Type::Double,
        "string" => Type::String,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        other => panic!("{other} is no type"),
    }
}
