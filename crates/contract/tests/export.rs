//! The example of the language's page in every form, beside the expectation `export/example.*`
//! (`UPDATE=1` writes them anew), and what holds for any system.

use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::export::{Picture, asyncapi, dot, json, mermaid, svg};
use onex_contract::load_folder;
use onex_contract::source::Source;
use onex_expr::Value;

const INFO: asyncapi::Info<'_> = asyncapi::Info { title: "shop", version: "1.0.0" };

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn example() -> Picture {
    Picture::of(&load_folder(&here("example")).expect("the example is there"))
}

#[test]
fn the_example_is_drawn_as_it_was() {
    let picture = example();
    let mut wrong = Vec::new();
    for (form, answer) in [
        ("mmd", mermaid::render(&picture)),
        ("dot", dot::render(&picture)),
        ("svg", svg::render(&picture)),
        ("json", json::value(&picture).to_json() + "\n"),
        ("asyncapi.json", asyncapi::document(&picture, INFO).to_json() + "\n"),
    ] {
        let expected = here("export").join(format!("example.{form}"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, answer).expect("an expectation can be written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*answer) {
            wrong.push(format!("{form}: now\n{answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every folder of contracts among the cases, as a system.
fn systems() -> Vec<Vec<Source>> {
    let whole = |folder: &str| load_folder(&here(folder)).expect("the folder is there");
    // The second has names that mean something to each of the formats.
    let mut systems = vec![whole("example"), whole("export/odd")];
    for family in ["reducer", "workflow", "effect", "topic"] {
        let codes = fs::read_dir(here("cases").join(family)).expect("the family has cases");
        for code in codes {
            for twin in ["bad", "good"] {
                let folder = code.as_ref().expect("a folder can be listed").path().join(twin);
                let files = fs::read_dir(folder).expect("a case has files");
                let read = files.flat_map(|file| {
                    let path = file.expect("a folder can be listed").path();
                    load_folder(&path).expect("a case can be read")
                });
                systems.push(read.collect());
            }
        }
    }
    systems
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn every_system_gives_a_valid_asyncapi_document() {
    let folder = std::env::var_os("ONEX_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let Ok(schema) = fs::read_to_string(folder.join("asyncapi-3.0.0.schema.json")) else {
        eprintln!("skipped: no vectors");
        return;
    };
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::draft7::new(&schema).expect("the schema compiles");
    for system in systems() {
        let document = asyncapi::document(&Picture::of(&system), INFO).to_json();
        let document: serde_json::Value = serde_json::from_str(&document).expect("it is JSON");
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{}\n{document}", faults.join("\n"));
        every_reference_leads_somewhere(&document, &document);
    }
}

fn every_reference_leads_somewhere(part: &serde_json::Value, root: &serde_json::Value) {
    match part {
        serde_json::Value::Object(map) => {
            if let Some(target) = map.get("$ref").and_then(|target| target.as_str()) {
                let pointer = target.strip_prefix('#').expect("it stays in the document");
                assert!(root.pointer(pointer).is_some(), "{target} leads nowhere");
            }
            map.values().for_each(|value| every_reference_leads_somewhere(value, root));
        }
        serde_json::Value::Array(items) => {
            items.iter().for_each(|item| every_reference_leads_somewhere(item, root));
        }
        _ => {}
    }
}

#[test]
fn every_system_can_be_drawn() {
    for system in systems() {
        let picture = Picture::of(&system);
        let drawing = svg::render(&picture);
        assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"));
        assert!(!drawing.contains("NaN") && !drawing.contains("inf"), "{drawing}");
        let opened = drawing.matches("<g>").count();
        assert_eq!(opened, picture.nodes.len() + picture.topics.len());
        let lines = mermaid::render(&picture);
        assert_eq!(lines.matches("subgraph ").count(), lines.matches("\n  end\n").count());
        let graph = dot::render(&picture);
        assert_eq!(graph.matches('{').count(), graph.matches('}').count());
    }
}

#[test]
fn what_is_joined_is_told_to_programs() {
    let value = json::value(&example());
    let edges = value.get("edges").and_then(Value::as_list).expect("edges");
    let has = |text: &str| edges.iter().any(|edge| edge.to_json() == text);
    assert!(has(r#"{"from":"order","kind":"intent","label":"payment.capture","to":"payment"}"#));
    assert!(has(r#"{"from":"fulfil_order","kind":"calls","label":"reserve","to":"stock"}"#));
    assert!(has(
        r#"{"from":"onex.evt.shop.order-paid.v1","kind":"hears","label":null,"to":"fulfil_order"}"#
    ));
}
