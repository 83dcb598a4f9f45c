//! What other crates rely on besides evaluation: maps, orders, templates of lists and maps, what
//! a program reads.

use std::cmp::Ordering;

use onex_expr::{
    Fuel, Key, Map, Place, Program, Root, Scope, Template, Text, TextError, Type, Value, eval_text,
    meant_as_expression,
};

fn scope() -> Scope {
    let roots = ["input", "steps"].map(|name| Root::new(name, Type::Dyn)).into();
    Scope { roots, constants: vec![("config".into(), Value::map([("limit", Value::Int(5))]))] }
}

fn program(source: &str) -> Program {
    Program::compile(source, &scope()).value.expect("the expression compiles")
}

fn template(source: &str) -> Template {
    Template::compile(source, Place::Data, &scope()).value.expect("the template compiles")
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect("the text is JSON")
}

#[test]
fn a_program_knows_what_it_reads() {
    let cases: [(&str, usize, &[&[&str]]); 9] = [
        ("input.lines.map(l, l.sku)", 0, &[&["lines"]]),
        ("steps.a.output.x + input.y", 1, &[&["a", "output", "x"]]),
        ("input.lines[0].sku", 0, &[&["lines"]]),
        ("has(input.a.b)", 0, &[&["a", "b"]]),
        ("input.?a.b.orValue(1)", 0, &[&["a", "b"]]),
        ("input", 0, &[&[]]),
        ("config.limit > 1", 0, &[]),
        ("input['a'].b", 0, &[&["a", "b"]]),
        ("[{'x': 1}].map(input, input.x)", 0, &[]),
    ];
    for (source, slot, expected) in cases {
        let program = program(source);
        assert_eq!(program.uses(slot), !expected.is_empty(), "{source}");
        let found: Vec<Vec<Text>> = program.paths(slot);
        assert_eq!(
            found,
            expected
                .iter()
                .map(|path| path.iter().map(|name| (*name).into()).collect())
                .collect::<Vec<Vec<Text>>>(),
            "{source}"
        );
    }
    assert!(!program("input").uses(64));
    for (source, a, b) in [
        ("steps.a.output.b", true, false),
        ("steps['b'] == steps.a", true, true),
        ("steps[input.name]", true, true),
        ("steps.map(id, id)", true, true),
        ("[steps].map(s, s.a)", true, true),
        ("input.a", false, false),
    ] {
        let program = program(source);
        assert_eq!((program.reads(1, "a"), program.reads(1, "b")), (a, b), "{source}");
    }
    assert_eq!(program("config.limit + 1").constant(), Some(&Value::Int(6)));
    assert_eq!(program("input.a").source(), "input.a");
}

#[test]
fn lists_and_maps_of_templates_leave_out_what_is_none() {
    let list =
        Template::list(vec![template("${input.?a}"), template("x"), template("${input.?b}")]);
    let map =
        Template::map(vec![("l".into(), list.clone()), ("n".into(), template("${input.?a}"))]);
    let roots = [json(r#"{"b":1}"#), Value::Null];
    let rendered = map.render(&roots, &mut Fuel(1_000)).expect("it renders").expect("it is there");
    assert_eq!(rendered.to_json(), r#"{"l":["x",1]}"#);
    assert!(map.uses(0) && !map.uses(1));
    assert!(map.reads(0, "a") && map.reads(0, "b") && !map.reads(0, "c"));
    assert_eq!(list.paths(0).len(), 2);
    assert_eq!(map.output_type().to_string(), "object");
    let Type::Object(object) = map.output_type() else { panic!("a map is an object") };
    assert!(object.fields["l"].required && !object.fields["n"].required && !object.open);
}

#[test]
fn templates_without_expressions_are_literals() {
    let map = Template::map(vec![("a".into(), Template::list(vec![template("x")]))]);
    assert_eq!(map.as_literal().map(Value::to_json).as_deref(), Some(r#"{"a":["x"]}"#));
}

#[test]
fn a_text_that_lacks_its_braces_looks_like_a_path() {
    for text in ["input.a", "steps.a.output.x", "config.limit", "input.lines[0].sku"] {
        assert_eq!(meant_as_expression(text, &scope()).as_deref(), Some(text));
    }
    for (text, meant) in [
        ("size(input.lines)", "size(input.lines)"),
        ("input.a == 1", "input.a == 1"),
        ("${input.a} + 1", "input.a + 1"),
        ("${input.a + 1} * ${input.b}", "(input.a + 1) * input.b"),
    ] {
        assert_eq!(meant_as_expression(text, &scope()).as_deref(), Some(meant), "{text}");
    }
    for text in ["input", "main", "other.a", "input. a", "input.a b", "input.", "inputs.a", "1.5"] {
        assert_eq!(meant_as_expression(text, &scope()), None, "{text}");
    }
    for text in ["${input.a}-${input.b}", "${input.a} of ${input.b}", "my-input.txt", "size(x)"] {
        assert_eq!(meant_as_expression(text, &scope()), None, "{text}");
    }
}

#[test]
fn maps_keep_the_later_of_two_equal_keys_however_they_are_made() {
    let entries = [("b", 1), ("a", 2), ("b", 3)];
    let collected: Map =
        entries.iter().map(|(key, value)| (Key::from(*key), Value::Int(*value))).collect();
    let mut inserted = Map::default();
    for (key, value) in entries {
        inserted.insert(key.into(), Value::Int(value));
    }
    for mut map in [collected, inserted] {
        assert_eq!(Value::from(map.clone()).to_json(), r#"{"a":2,"b":3}"#);
        assert_eq!(map.remove("a"), Some(Value::Int(2)));
        assert_eq!(
            (map.get("a"), map.get_key(&"b".into()), map.len()),
            (None, Some(&Value::Int(3)), 1)
        );
    }
    let twice = vec![("a".into(), Value::Null), ("a".into(), Value::Null)];
    assert_eq!(Map::from_unique(twice).err(), Some("a".into()));
}

#[test]
fn a_large_map_in_reverse_order_is_made_at_once() {
    let count = 200_000;
    let map: Map = (0..count).rev().map(|number| (Key::Int(number), Value::Null)).collect();
    assert_eq!(map.len() as i64, count);
    let mut other = Map::default();
    other.merge(&map);
    other.merge(&map);
    assert_eq!(other.len() as i64, count);
}

#[test]
fn numbers_meet_in_equality_and_order() {
    let big = Value::Int(9_007_199_254_740_993);
    let near = Value::Double(9_007_199_254_740_992.0);
    assert_eq!(Value::Int(1), Value::Double(1.0));
    assert_eq!(Value::Int(1).compare(&Value::Double(1.5)), Some(Ordering::Less));
    // Comparing counts both as doubles; sorting must be exact to be an order at all.
    assert_eq!(big.compare(&near), Some(Ordering::Equal));
    assert_eq!(big.total_order(&near), Ordering::Greater);
    assert_eq!(Value::text("1").compare(&Value::Int(1)), None);
    assert_eq!(Value::Double(f64::NAN).compare(&Value::Int(1)), None);
}

#[test]
fn the_total_order_is_one() {
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Double(f64::NEG_INFINITY),
        Value::Int(i64::MIN),
        Value::Int(0),
        Value::Double(0.5),
        Value::Int(i64::MAX),
        Value::Double(1e300),
        Value::Double(f64::NAN),
        Value::text("a"),
        Value::list(vec![]),
        Value::list(vec![Value::Int(1)]),
        Value::map([("a", Value::Int(1))]),
        Value::Optional(None),
        Value::some(Value::Null),
    ];
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            assert_eq!(a.total_order(b), i.cmp(&j), "{a:?} and {b:?}");
        }
    }
}

#[test]
fn one_text_evaluates_without_a_scope() {
    let roots = [("x".into(), json(r#"{"a":[1,2]}"#))];
    let mut fuel = Fuel(1_000);
    assert_eq!(eval_text("x.a.sum()", &roots, &mut fuel), Ok(Value::Int(3)));
    assert!(fuel.0 < 1_000);
    let kind = |source: &str| match eval_text(source, &roots, &mut Fuel(1_000)) {
        Ok(value) => panic!("{source} yields {value:?}"),
        Err(TextError::Faults(faults)) => (faults[0].kind, faults[0].help.is_some()),
        Err(TextError::Failed(error)) => (error.kind, false),
    };
    assert_eq!(kind("siez(x)"), ("unknown_function", true));
    assert_eq!(kind("y"), ("unknown_root", true));
    assert_eq!(kind("1 +"), ("syntax", false));
    assert_eq!(kind("1u"), ("uint", true));
    assert_eq!(kind("1 / 0"), ("divide_by_zero", false));
    assert_eq!(kind("x.b"), ("no_such_field", false));
}

#[test]
fn fuel_is_shared_between_evaluations() {
    let program = program("input.a + input.b");
    let roots = [json(r#"{"a":1,"b":2}"#), Value::Null];
    let mut fuel = Fuel(12);
    assert!(program.eval(&roots, &mut fuel).is_ok());
    assert!(program.eval(&roots, &mut fuel).is_ok());
    assert_eq!(program.eval(&roots, &mut fuel).map_err(|error| error.kind), Err("fuel"));
    assert_eq!(fuel.0, 0);
}
