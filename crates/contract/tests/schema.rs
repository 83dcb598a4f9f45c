//! Schemas as contracts write them: `cases/schema/<case>.yaml` has `schema` (as it stands in a
//! contract of the node `here`), `definitions` of that node, `others` by node, and `values`;
//! `<case>.txt` has the findings, the type, the plain JSON Schema and what is said of each value.

mod cases;

use std::collections::BTreeMap;

use onex_contract::diagnostic::{self, human};
use onex_contract::schema::{self, Definitions, MISFITS_MAX, Schema};
use onex_contract::source::Source;
use onex_contract::yaml::{self, Node};
use onex_expr::{Type, Value};

#[test]
fn each_schema_is_checked_typed_and_applied_as_written_beside_it() {
    cases::compare("schema", answer);
}

fn answer(source: &Source) -> String {
    let (root, mut findings) = yaml::parse(source);
    let root = root.expect("a case is YAML");
    let mut definitions = Definitions::default();
    let own = root.get("definitions").map_or(&[][..], Node::entries);
    for entry in own {
        definitions.add("here", &entry.key, &entry.value);
    }
    for node in root.get("others").map_or(&[][..], Node::entries) {
        for entry in node.value.entries() {
            definitions.add(&node.key, &entry.key, &entry.value);
        }
    }
    let written = root.get("schema").expect("a case has a schema");
    for schema in own.iter().map(|entry| &entry.value).chain([written]) {
        findings.extend(schema::check(source, "here", schema, &definitions));
    }
    diagnostic::sort(&mut findings);
    let mut out = human::render(&findings, std::slice::from_ref(source), human::Options::default());
    match Schema::compile("here", written, &definitions) {
        Err(error) => out += &format!("= refused: {error}\n"),
        Ok(schema) => {
            out += &format!("name: {}\n", schema.name().unwrap_or("-"));
            out += &format!("type: {}\n", shown(schema.ty()));
            out += &format!("document: {}\n", schema.document().to_json());
            for value in root.get("values").map_or(&[][..], Node::items) {
                out += &verdict(&schema, &value.to_value());
            }
        }
    }
    out
}

fn verdict(schema: &Schema, value: &Value) -> String {
    let json = value.to_json();
    match schema.validate(value) {
        Ok(()) => format!("{json} fits\n"),
        Err(misfits) => misfits.iter().fold(format!("{json}\n"), |out, misfit| {
            out + &format!("    {:?} {}\n", misfit.at, misfit.message)
        }),
    }
}

/// A type with all its fields: `Name{required: int, optional?: string, ...}`.
fn shown(ty: &Type) -> String {
    match ty {
        Type::List(item) => format!("list({})", shown(item)),
        Type::Map(_, value) => format!("map({})", shown(value)),
        Type::Union(members) => members.iter().map(shown).collect::<Vec<_>>().join(" | "),
        Type::Object(object) => {
            let field = |(name, field): (&onex_expr::Text, &onex_expr::Field)| {
                let mark = if field.required { "" } else { "?" };
                format!("{name}{mark}: {}", shown(&field.ty))
            };
            let mut fields: Vec<String> = object.fields.iter().map(field).collect();
            fields.extend(object.open.then(|| "...".to_owned()));
            format!("{}{{{}}}", object.name.as_deref().unwrap_or_default(), fields.join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn a_schema_is_read_from_json_with_its_own_defs() {
    let text =
        r##"{"type":"array","items":{"$ref":"#/$defs/Sku"},"$defs":{"Sku":{"type":"string"}}}"##;
    let schema = Schema::from_json(text).expect("a schema");
    assert_eq!(*schema.ty(), Type::list(Type::String));
    assert!(schema.validate(&Value::list(vec![Value::text("a")])).is_ok());
    assert!(schema.validate(&Value::list(vec![Value::Int(1)])).is_err());
    assert!(Schema::from_json("{").is_err_and(|e| e.message.starts_with("not JSON at byte 1")));
    assert!(Schema::from_json(r#"{"items": "Line"}"#).is_err());
}

#[test]
fn misfits_are_bounded_in_number_and_tell_little_of_the_value() {
    let text = r#"{"type": "array", "items": {"type": "integer", "enum": [1]}, "maxItems": 3}"#;
    let schema = Schema::from_json(text).expect("a schema");
    let secret = "secret ".repeat(1000);
    let value = Value::list(vec![Value::text(&*secret); 100]);
    let misfits = schema.validate(&value).expect_err("nothing fits");
    assert_eq!(misfits.len(), MISFITS_MAX);
    for misfit in misfits {
        assert!(misfit.message.len() < 200, "{}", misfit.message);
        assert!(misfit.message.matches("secret").count() < 10, "{}", misfit.message);
    }
}

#[test]
fn what_json_lacks_is_judged_as_it_is_written() {
    let schema = Schema::from_json(
        r#"{"properties": {"at": {"type": "string", "pattern": "Z$"}, "maybe": {"type": "null"},
            "held": {"type": "integer"}, "bytes": {"const": "AQI="}, "nan": {"type": "null"}}}"#,
    )
    .expect("a schema");
    let value = Value::map([
        ("at", Value::Timestamp { seconds: 0, nanos: 0 }),
        ("maybe", Value::Optional(None)),
        ("held", Value::some(Value::Double(3.0))),
        ("bytes", Value::Bytes([1, 2].into())),
        ("nan", Value::Double(f64::NAN)),
    ]);
    assert_eq!(schema.validate(&value), Ok(()));
}

#[test]
fn definitions_that_lead_back_to_themselves_do_not_hang() {
    let (node, _) = yaml::parse(&Source::new("a.yaml", "A: B\nB: A\nC: {allOf: [C]}\n"));
    let node = node.expect("YAML");
    let mut definitions = Definitions::default();
    let nodes: BTreeMap<_, _> = node.entries().iter().map(|e| (&*e.key, &e.value)).collect();
    nodes.iter().for_each(|(name, schema)| definitions.add("here", name, schema));
    for name in nodes.keys() {
        if let Ok(schema) = Schema::named("here", name, &definitions) {
            assert_eq!(*schema.ty(), Type::Dyn);
            drop(schema.validate(&Value::Int(1)));
        }
    }
}
