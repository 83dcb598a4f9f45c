//! Whether what a producer declares fits what its subscriber takes: each pair of schemas of
//! `cases/edges.txt` with the verdict beside it, and no value that a verdict promised to fit does
//! not. `UPDATE=1` writes the verdicts anew.

mod host;

use std::fmt::Write as _;
use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::check;
use onex_contract::diagnostic::code;
use onex_contract::schema::Schema;
use onex_contract::source::Source;
use onex_expr::Value;

/// What check says of an edge between two schemas, one line a finding; empty when it fits.
fn verdict(made: &str, wanted: &str) -> String {
    let producer = format!(
        "name: maker\nnode_type: effect\ncontract_version: 1.0.0\ndefinitions: {{Tree: {TREE}}}\n\
         event_bus: {{publish_topics: [{{topic: onex.evt.a.b.v1, payload: {made}}}]}}\n\
         effect_operations: {{operations: [{{operation_name: make, on_topic: onex.cmd.a.make.v1, io_config: {{handler_type: echo}}}}]}}\n"
    );
    let consumer = format!(
        "name: taker\nnode_type: reducer\ncontract_version: 1.0.0\ndefinitions: {{Tree: {TREE}}}\n\
         event_bus: {{subscribe_topics: [{{topic: onex.evt.a.b.v1, payload: {wanted}}}]}}\n\
         state_machine: {{initial_state: on, states: [{{state_name: on, waits: forever}}], transitions: [{{from_state: on, trigger: b}}]}}\n"
    );
    let sources = [Source::new("maker.yaml", producer), Source::new("taker.yaml", consumer)];
    let checked = check(&sources, &host::catalog(), &HostValues::default());
    let mut text = String::new();
    for finding in &checked.diagnostics {
        let word = match finding.code {
            code::EDGE_MISFIT => "does not fit",
            code::EDGE_MAY_MISFIT => "may not fit",
            code::NOT_A_SCHEMA => panic!("{}: {made} | {wanted}", finding.message),
            _ => continue,
        };
        let (_, why) = finding.message.split_once(" fit: ").expect("it says why");
        let _ = writeln!(text, "  {word}: {why}");
    }
    text
}

/// A definition of both sides that contains itself.
const TREE: &str =
    "{type: object, required: [leaf], properties: {leaf: {type: integer}, next: Tree}}";

#[test]
fn each_pair_of_schemas_is_judged_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/edges.txt");
    let expected = std::fs::read_to_string(&path).expect("the cases are there");
    let mut now = String::new();
    for line in expected.lines().filter(|line| !line.starts_with("  ")) {
        let _ = writeln!(now, "{line}");
        if let Some((made, wanted)) = line.split_once(" -> ") {
            match verdict(made, wanted).as_str() {
                "" => now.push_str("  fits\n"),
                found => now.push_str(found),
            }
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now).expect("the cases can be written");
    } else {
        assert_eq!(now, expected);
    }
}

/// Schemas small enough that a few values tell them apart.
const SCHEMAS: [&str; 34] = [
    "{type: string}",
    "{type: string, minLength: 2}",
    "{type: string, maxLength: 2}",
    "{type: string, pattern: '^a'}",
    "{enum: [a, ab]}",
    "{enum: [ab, 3]}",
    "{const: ab}",
    "{type: integer}",
    "{type: number}",
    "{type: integer, minimum: 1, maximum: 3}",
    "{type: number, exclusiveMinimum: 1}",
    "{type: integer, exclusiveMaximum: 3}",
    "{type: integer, multipleOf: 2}",
    "{type: [string, 'null']}",
    "{type: [integer, string]}",
    "{type: boolean}",
    "{enum: [true, false]}",
    "{anyOf: [{type: string}, {type: integer}]}",
    "{anyOf: [{type: string, maxLength: 1}, {type: 'null'}]}",
    "{oneOf: [{type: integer}, {type: number, minimum: 2}]}",
    "{oneOf: [{type: string}, {type: boolean}]}",
    "{not: {type: string}}",
    "{allOf: [{type: integer}, {minimum: 2}]}",
    "{if: {type: string}, then: {minLength: 2}}",
    "{type: array, items: {type: integer}}",
    "{type: array, items: {type: string}, minItems: 1}",
    "{type: array, maxItems: 1, uniqueItems: true}",
    "{type: array, prefixItems: [{type: integer}], items: {type: string}}",
    "{type: array, contains: {type: integer}}",
    "{type: object, required: [a], properties: {a: {type: integer}}}",
    "{type: object, properties: {a: {type: integer}, b: {type: string}}}",
    "{type: object, properties: {a: {type: integer}}, additionalProperties: false}",
    "{type: object, additionalProperties: {type: string}}",
    "{type: object, properties: {b: {type: string}}, dependentRequired: {b: [a]}}",
];

const VALUES: [&str; 30] = [
    "null",
    "true",
    "false",
    "1",
    "2",
    "3",
    "4",
    "0",
    "-1",
    "1.5",
    "2.5",
    "2.0",
    "\"\"",
    "\"a\"",
    "\"ab\"",
    "\"abc\"",
    "\"b\"",
    "[]",
    "[1]",
    "[1, 1]",
    "[\"a\"]",
    "[1, \"a\"]",
    "[\"a\", 1]",
    "{}",
    "{\"a\": 1}",
    "{\"a\": \"x\"}",
    "{\"b\": \"x\"}",
    "{\"a\": 1, \"b\": \"x\"}",
    "{\"a\": 1, \"b\": 2}",
    "{\"c\": 1}",
];

#[test]
fn a_value_of_a_schema_that_fits_is_never_refused() {
    let parsed = |text: &&str| {
        let source = Source::new("schema.yaml", format!("schema: {text}\n"));
        let node = onex_contract::yaml::parse(&source).0.expect("it is YAML");
        Schema::from_value(&node.get("schema").expect("it is there").to_value()).expect(text)
    };
    let schemas: Vec<Schema> = SCHEMAS.iter().map(parsed).collect();
    let values: Vec<Value> =
        VALUES.iter().map(|text| Value::from_json(text).expect(text)).collect();
    let mut wrong = Vec::new();
    for (made, first) in schemas.iter().zip(SCHEMAS) {
        for (wanted, second) in schemas.iter().zip(SCHEMAS) {
            if !verdict(first, second).is_empty() {
                continue;
            }
            let makes = |value: &&Value| made.validate(value).is_ok() && only_declared(made, value);
            for value in values.iter().filter(makes) {
                if wanted.validate(value).is_err() {
                    wrong.push(format!("{first} -> {second}: {}", value.to_json()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} refused:\n{}", wrong.len(), wrong.join("\n"));
}

/// A producer that declares `properties` and says nothing of others makes no others; of items that
/// it says nothing of, nothing is judged.
fn only_declared(made: &Schema, value: &Value) -> bool {
    let document = made.document();
    match (document.get("properties"), document.get("additionalProperties"), value.as_map()) {
        (Some(fields), None, Some(map)) => {
            map.iter().all(|(key, _)| key.as_str().is_some_and(|name| fields.get(name).is_some()))
        }
        _ => value.as_list().is_none_or(<[Value]>::is_empty) || document.get("items").is_some(),
    }
}
