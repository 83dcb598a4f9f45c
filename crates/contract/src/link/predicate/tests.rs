//! What conditions in words mean.

use onex_expr::{Fuel, Root, Value};

use super::*;

fn cel(text: &str) -> Option<Predicate> {
    translate(text, &Scope::default())
}

#[test]
fn cel_is_left_alone() {
    for text in ["payload.a == 1", "a in [1]", "size(payload.a) > 0", "payload.ok", "true"] {
        assert_eq!(cel(text), None, "{text}");
    }
}

#[test]
fn predicates_mean_what_their_words_say() {
    for (text, meant) in [
        ("node_id is_present", "dyn(payload.?node_id.orValue(null)) != null"),
        ("payload.a.b is_absent", "dyn(payload.?a.?b.orValue(null)) == null"),
        ("state.done is_true", "dyn(state.?done.orValue(null)) == true"),
        ("kind equals new", "payload.kind == 'new'"),
        ("retries less_than 3", "payload.retries < 3"),
        ("lines min_length 1", "size(payload.lines) >= 1"),
        ("kind not_in a, b", "!(dyn(payload.kind) in ['a', 'b'])"),
        ("kind is_in [a, 'b, c']", "dyn(payload.kind) in ['a', 'b, c']"),
        ("code equals 007", "payload.code == '007'"),
        ("code equals 7", "(dyn(payload.code) in ['7', 7])"),
        ("code not_equals True", "!(dyn(payload.code) in ['True', true])"),
        ("code equals '7'", "payload.code == '7'"),
        ("code not_in 01, 2", "!(dyn(payload.code) in ['01', '2', 2])"),
        ("code equals +5", "payload.code == '+5'"),
        ("code equals -2.5e3", "(dyn(payload.code) in ['-2.5e3', -2.5e3])"),
        ("code equals 99999999999999999999", "payload.code == '99999999999999999999'"),
        ("retries less_than 007", "payload.retries < 7"),
        (
            "kind matches o'r",
            "(type(dyn(payload.kind)) == string ? dyn(payload.kind) : \
             json.format(payload.kind)).matches('^(?:o\\'r)')",
        ),
    ] {
        assert_eq!(cel(text), Some(Predicate::Cel(meant.to_owned())), "{text}");
    }
}

#[test]
fn a_word_that_lacks_its_value_is_a_fault() {
    for text in
        ["a equals", "a less_than many", "_a is_true", "a is_valid", "a is_true yes", "a matches ["]
    {
        assert!(matches!(cel(text), Some(Predicate::Fault(_))), "{text}");
    }
}

/// Whether a condition holds of a value; `None` when it fails.
fn holds(condition: &str, value: &Value) -> Option<bool> {
    let root = Root::new("payload", Type::Dyn);
    let scope = Scope { roots: vec![root], constants: Vec::new() };
    let Some(Predicate::Cel(cel)) = translate(condition, &scope) else {
        panic!("{condition} is a predicate")
    };
    let program = Program::compile(&cel, &scope).value.expect("the predicate compiles");
    let payload = Value::map([("x", value.clone())]);
    match program.eval(&[payload], &mut Fuel(10_000)).ok()? {
        Value::Bool(holds) => Some(holds),
        other => panic!("{condition} gives {other:?}"),
    }
}

#[test]
fn a_word_and_its_negation_never_agree() {
    let values = [
        "null",
        "true",
        "false",
        "0",
        "3",
        "-3",
        "3.0",
        "3.5",
        "1e3",
        r#""""#,
        r#""3""#,
        r#""3.0""#,
        r#""a""#,
        r#""true""#,
        "[3]",
        "[]",
        r#"{"a": 3}"#,
    ];
    let pairs = [
        ("equals", "not_equals"),
        ("is_in", "not_in"),
        ("greater_than", "less_than_or_equal"),
        ("less_than", "greater_than_or_equal"),
    ];
    for value in values {
        let value = Value::from_json(value).expect("it is JSON");
        for (word, negation) in pairs {
            for told in ["3", "3.0", "-3", "1000"] {
                let [holds, fails] =
                    [word, negation].map(|word| holds(&format!("x {word} {told}"), &value));
                assert_eq!(holds, fails.map(|fails| !fails), "{value:?} {word} {told}");
            }
        }
        for told in ["3,4", "a", "True", "null", "[a, '3']", "''"] {
            for (word, negation) in &pairs[..2] {
                let [holds, fails] =
                    [word, negation].map(|word| holds(&format!("x {word} {told}"), &value));
                assert_eq!(holds, fails.map(|fails| !fails), "{value:?} {word} {told}");
                assert!(holds.is_some(), "{value:?} {word} {told}");
            }
        }
    }
}

#[test]
fn a_number_is_its_text() {
    let text = Value::text("3");
    for value in [&text, &Value::Int(3), &Value::Double(3.0)] {
        for condition in ["x equals 3", "x is_in 3,4", "x matches [0-9.]+$", "x contains 3"] {
            assert_eq!(holds(condition, value), Some(true), "{condition} {value:?}");
        }
        assert_eq!(holds("x not_in 3,4", value), Some(false), "{value:?}");
    }
    assert_eq!(holds("x is_in '3'", &Value::Int(3)), Some(false));
}
