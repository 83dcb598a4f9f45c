//! The YAML test suite: what it reads we read alike, what it refuses we refuse. Where we differ
//! on purpose stands in `cases/yaml/deviations.txt` with its reason, and nowhere else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onex_contract::diagnostic::Severity;
use onex_contract::source::Source;
use onex_contract::yaml::{self, Node, Tree};
use serde_json::Value as Json;

fn vectors() -> Option<String> {
    let folder = std::env::var_os("ONEX_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    std::fs::read_to_string(folder.join("yaml.jsonl")).ok()
}

fn deviations() -> BTreeMap<&'static str, &'static str> {
    include_str!("cases/yaml/deviations.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("a line is `id: reason`"))
        .collect()
}

fn json(node: &Node) -> Json {
    match &node.tree {
        Tree::Null => Json::Null,
        Tree::Bool(truth) => Json::Bool(*truth),
        Tree::Int(number) => Json::from(*number),
        Tree::Double(number) => Json::from(*number),
        Tree::String(text) => Json::from(text.as_str()),
        Tree::List(items) => items.iter().map(json).collect(),
        Tree::Map(entries) => Json::Object(
            entries.iter().map(|entry| (entry.key.to_string(), json(&entry.value))).collect(),
        ),
    }
}

/// What is wrong with how we read a case; `None` when nothing is.
fn fault(case: &Json) -> Option<String> {
    let source = Source::new("case.yaml", case["yaml"].as_str().expect("a case has text"));
    let (node, findings) = yaml::parse_any(&source);
    let refusal = findings.iter().find(|finding| finding.severity == Severity::Error);
    let refused = refusal.map(|finding| format!("{} {}", finding.code, finding.message));
    if case["fail"] == Json::Bool(true) {
        let read = node.map(|node| json(&node));
        return refused.is_none().then(|| format!("read as {read:?}, should be refused"));
    }
    let Some(docs) = case["docs"].as_array() else { return None };
    if let Some(refused) = refused {
        return Some(format!("refused: {refused}"));
    }
    let ours = node.map(|node| json(&node));
    (ours.as_ref() != docs.first()).then(|| format!("read as {ours:?}, should be {docs:?}"))
}

#[test]
fn the_test_suite_is_read_as_it_says() {
    let Some(text) = vectors() else {
        eprintln!("skipped: no vectors");
        return;
    };
    let mut deviations = deviations();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let case: Json = serde_json::from_str(line).expect("a vector is JSON");
        let id = case["id"].as_str().expect("a case has an id");
        count += 1;
        match (fault(&case), deviations.remove(id)) {
            (Some(fault), None) => wrong.push(format!("{id} {}: {fault}", case["name"])),
            (None, Some(_)) => wrong.push(format!("{id} is listed as a deviation but passes")),
            _ => {}
        }
    }
    wrong.extend(deviations.keys().map(|id| format!("{id} is listed but no case")));
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}
