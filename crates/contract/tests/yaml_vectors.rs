//! The YAML test suite: what it reads we read alike, what it refuses we refuse. Where we differ
//! on purpose stands in `cases/yaml/deviations.txt` with its reason, and nowhere else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onex_contract::diagnostic::Severity;
use onex_contract::source::Source;
use onex_contract::yaml;
use onex_expr::Value;

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

/// What is wrong with how we read a case; `None` when nothing is.
fn fault(case: &Value) -> Option<String> {
    let text = case.get("yaml").and_then(Value::as_str).expect("a case has text");
    let source = Source::new("case.yaml", text);
    let (node, findings) = yaml::parse_any(&source);
    let refusal = findings.iter().find(|finding| finding.severity == Severity::Error);
    let refused = refusal.map(|finding| format!("{} {}", finding.code, finding.message));
    let read = node.map(|node| node.to_value());
    if case.get("fail").is_some() {
        return refused.is_none().then(|| format!("read as {read:?}, should be refused"));
    }
    let docs = case.get("docs").and_then(Value::as_list)?;
    if let Some(refused) = refused {
        return Some(format!("refused: {refused}"));
    }
    (read.as_ref() != docs.first()).then(|| format!("read as {read:?}, should be {docs:?}"))
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn the_test_suite_is_read_as_it_says() {
    let Some(text) = vectors() else {
        eprintln!("skipped: no vectors");
        return;
    };
    let mut deviations = deviations();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let case = Value::from_json(line).expect("a vector is JSON");
        let id = case.get("id").and_then(Value::as_str).expect("a case has an id");
        count += 1;
        match (fault(&case), deviations.remove(id)) {
            (Some(fault), None) => wrong.push(format!("{id}: {fault}")),
            (None, Some(_)) => wrong.push(format!("{id} is listed as a deviation but passes")),
            _ => {}
        }
    }
    wrong.extend(deviations.keys().map(|id| format!("{id} is listed but no case")));
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}
