//! The everyday expressions and templates of contracts.

use onex_expr::{Fuel, Place, Program, Root, Scope, Template, Type, Value};

fn scope() -> Scope {
    let names = ["payload", "state", "entity"];
    Scope { roots: names.map(|name| Root::new(name, Type::Dyn)).into(), constants: Vec::new() }
}

fn roots() -> Vec<Value> {
    [
        r#"{"order_id":"o-1","amount":250,"status":"active","lines":[{"sku":"a","qty":2,"price":5},{"sku":"b","qty":1,"price":7}]}"#,
        r#"{"total":17}"#,
        r#"{"key":"o-1"}"#,
    ]
    .iter()
    .map(|json| Value::from_json(json).expect("the text is JSON"))
    .collect()
}

fn eval(source: &str) -> String {
    let compiled = Program::compile(source, &scope());
    let Some(program) = compiled.value else {
        return format!("{:?}", compiled.faults);
    };
    match program.eval(&roots(), &mut Fuel(10_000)) {
        Ok(value) => value.to_json(),
        Err(error) => error.kind.into(),
    }
}

fn render(source: &str) -> String {
    let compiled = Template::compile(source, Place::Data, &scope());
    let Some(template) = compiled.value else {
        return format!("{:?}", compiled.faults);
    };
    match template.render(&roots(), &mut Fuel(10_000)) {
        Ok(value) => value.map_or("none".into(), |value| value.to_json()),
        Err(error) => error.kind.into(),
    }
}

#[test]
fn guards_and_mappings_of_the_design_page_evaluate() {
    let cases = [
        ("payload.amount > 100.0 && payload.status == \"active\"", "true"),
        ("size(payload.lines) > 0", "true"),
        ("payload.lines.map(l, l.price * l.qty).sum()", "17"),
        ("payload.lines.filter(l, l.qty > 1)[0].sku", "\"a\""),
        ("payload.lines.exists(l, l.sku == 'b') ? 'yes' : 'no'", "\"yes\""),
        ("has(payload.note)", "false"),
        ("payload.note", "no_such_field"),
        ("payload.lines.all(l, l.price < 6) || true", "true"),
        ("[1, 2.5, 'x'][1]", "2.5"),
        ("{'a': 1}['b']", "no_such_key"),
        ("9223372036854775807 + 1", "overflow"),
    ];
    for (source, expected) in cases {
        assert_eq!(eval(source), expected, "{source}");
    }
}

#[test]
fn templates_keep_types_alone_and_make_text_in_longer_text() {
    let cases = [
        ("main", "\"main\""),
        ("${state.total}", "17"),
        ("${payload.lines.map(l, {'sku': l.sku})}", r#"[{"sku":"a"},{"sku":"b"}]"#),
        ("order ${entity.key} costs ${state.total}", "\"order o-1 costs 17\""),
        ("$${not.me}", "\"${not.me}\""),
        ("${'}' + \"{\"}!", "\"}{!\""),
    ];
    for (source, expected) in cases {
        assert_eq!(render(source), expected, "{source}");
    }
}
