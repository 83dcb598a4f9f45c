//! Findings as people and programs get them.

use onex_contract::diagnostic::{self, Diagnostic, code, human, json, sarif};
use onex_contract::source::Source;
use onex_expr::Value;

fn source() -> Source {
    Source::new("contracts/an order.yaml", "name: größe\nnode_type: \"x\"\nname: b\n")
}

fn finding() -> Diagnostic {
    let source = source();
    Diagnostic::error(&source, code::DUPLICATE_KEY, 29..33, "`name` again")
        .with_related(&source, 0..4, "before")
        .with_help("keep one")
}

#[test]
fn columns_count_characters_from_1() {
    let source = source();
    let finding = Diagnostic::note(&source, code::AMBIGUOUS_SCALAR, 6..13, "a word");
    let place = (finding.line, finding.column, finding.end_line, finding.end_column);
    assert_eq!(place, (1, 7, 1, 12));
}

#[test]
fn a_place_beyond_the_end_is_the_end() {
    let finding = Diagnostic::error(&source(), code::EMPTY_FILE, 500..600, "nothing");
    assert_eq!((finding.line, finding.column), (4, 1));
    let shown = human::render(&[finding], &[source()], human::Options::default());
    assert!(shown.contains("nothing"), "{shown}");
}

#[test]
fn json_has_the_promised_fields() {
    let expected = r#"{"code":"C0114","column":1,"end_column":5,"end_line":3,"file":"contracts/an order.yaml","help":"keep one","line":3,"message":"`name` again","related":[{"column":1,"end_column":5,"end_line":1,"file":"contracts/an order.yaml","line":1,"message":"before"}],"severity":"error"}"#;
    assert_eq!(json::value(&finding()).to_json(), expected);
    let bare = Diagnostic::note(&source(), code::EMPTY_FILE, 0..0, "m");
    assert_eq!(json::value(&bare).get("help"), Some(&Value::Null));
    assert_eq!(json::value(&bare).get("related"), None);
}

#[test]
fn sarif_names_rules_places_and_levels() {
    let warning = Diagnostic::warning(&source(), code::AMBIGUOUS_SCALAR, 6..13, "a word");
    let log = sarif::log(&[finding(), warning], "1.2.3");
    let run = &log.get("runs").and_then(Value::as_list).expect("a log has runs")[0];
    let rules = run.get_path(["tool", "driver", "rules"]).and_then(Value::as_list);
    let rules: Vec<_> = rules.into_iter().flatten().map(|rule| rule.get("id")).collect();
    assert_eq!(rules, [Some(&Value::text("C0114")), Some(&Value::text("C0120"))]);
    let results = run.get("results").and_then(Value::as_list).expect("a run has results");
    let expected = r#"{"level":"error","locations":[{"physicalLocation":{"artifactLocation":{"uri":"contracts/an%20order.yaml"},"region":{"endColumn":5,"endLine":3,"startColumn":1,"startLine":3}}}],"message":{"text":"`name` again\nhelp: keep one"},"relatedLocations":[{"message":{"text":"before"},"physicalLocation":{"artifactLocation":{"uri":"contracts/an%20order.yaml"},"region":{"endColumn":5,"endLine":1,"startColumn":1,"startLine":1}}}],"ruleId":"C0114","ruleIndex":0}"#;
    assert_eq!(results[0].to_json(), expected);
    assert_eq!(results[1].get("level"), Some(&Value::text("warning")));
    assert_eq!(log.get("version"), Some(&Value::text("2.1.0")));
}

#[test]
fn people_see_both_files_of_a_finding_and_colour_only_on_request() {
    let other = Source::new("b.yaml", "topic: x\n");
    let finding = finding().with_related(&other, 7..8, "consumed here");
    let sources = [source(), other];
    let plain = human::render(std::slice::from_ref(&finding), &sources, human::Options::default());
    let expected = "\
error[C0114]: `name` again
 --> contracts/an order.yaml:3:1
  |
1 | name: größe
  | ---- before
2 | node_type: \"x\"
3 | name: b
  | ^^^^
  |
 ::: b.yaml:1:8
  |
1 | topic: x
  |        - consumed here
  |
  = help: keep one
";
    assert_eq!(plain, expected);
    let colour = human::Options { colour: true, ..human::Options::default() };
    assert!(human::render(&[finding], &sources, colour).contains("\u{1b}["));
}

#[test]
fn a_long_place_is_shown_by_its_first_line() {
    let text = "a:\n".to_owned() + &"  - b\n".repeat(50);
    let source = Source::new("a.yaml", &text);
    let finding = Diagnostic::error(&source, code::NOT_A_MAPPING, 0..text.len(), "long");
    let shown = human::render(&[finding], &[source], human::Options::default());
    assert!(shown.lines().count() < 8, "{shown}");
}

#[test]
fn findings_are_sorted_by_file_and_place() {
    let other = Source::new("a.yaml", "x: 1\n");
    let mut findings = vec![
        finding(),
        Diagnostic::note(&source(), code::EMPTY_FILE, 0..1, "first"),
        Diagnostic::note(&other, code::EMPTY_FILE, 3..4, "other file"),
    ];
    diagnostic::sort(&mut findings);
    let messages: Vec<&str> = findings.iter().map(|finding| &*finding.message).collect();
    assert_eq!(messages, ["other file", "first", "`name` again"]);
}
