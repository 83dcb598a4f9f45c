//! Whatever the text, compiling and evaluating end: without panic, without running out of stack
//! (2 MiB, as threads have it), within fuel and memory.

use std::fmt::Write as _;
use std::thread;

use onex_expr::{Fuel, Place, Program, Root, Scope, Template, Type, Value, eval_text, json};

const STACK: usize = 2 * 1024 * 1024;

fn in_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread starts");
    thread.join().expect("the thread does not panic")
}

fn scope() -> Scope {
    Scope {
        roots: vec![Root::new("payload", Type::Dyn), Root::new("a", Type::Dyn)],
        constants: Vec::new(),
    }
}

/// The kind of the first fault, or of the evaluation's error, or `value`.
fn outcome(source: String) -> &'static str {
    in_small_stack(move || {
        let compiled = Program::compile(&source, &scope());
        match compiled.value {
            None => compiled.faults[0].kind,
            Some(program) => match program.eval(&[Value::Null, Value::Null], &mut Fuel(100_000)) {
                Ok(_) => "value",
                Err(error) => error.kind,
            },
        }
    })
}

#[test]
fn deep_texts_are_faults_and_never_overflow_the_stack() {
    let ternaries = |count: usize| "true ? 1 : ".repeat(count) + "2";
    let chain = |count: usize| format!("a{}", ".b".repeat(count));
    let around = |open: &str, close: &str, count: usize| {
        format!("{}1{}", open.repeat(count), close.repeat(count))
    };
    let cases = [
        (ternaries(2_900), "too_deep"),
        (ternaries(3_000), "too_long"),
        (chain(5_000), "too_deep"),
        (around("(", ")", 10_000), "too_deep"),
        (around("(", ")", 100_000), "too_long"),
        (around("[", "]", 10_000), "too_deep"),
        (around("{1:", "}", 5_000), "too_deep"),
        (around("size(", ")", 5_000), "too_deep"),
        (around("-(", ")", 5_000), "too_deep"),
        ("!".repeat(20_000) + "true", "too_deep"),
        ("1 + ".repeat(5_000) + "1", "too_deep"),
        ("a[".repeat(5_000), "too_deep"),
        ("[1].map(x, ".repeat(2_000), "too_deep"),
        ("[".to_string() + &"1,".repeat(5_000) + "1]", "too_long"),
    ];
    for (source, expected) in cases {
        let start: String = source.chars().take(20).collect();
        assert_eq!(outcome(source), expected, "{start}");
    }
}

#[test]
fn the_deepest_text_that_is_taken_runs_in_a_small_stack() {
    let depth = onex_expr::DEPTH_MAX;
    let cases = [
        "true ? 1 : ".repeat(depth - 2) + "2",
        format!("{}1{}", "(".repeat(depth - 1), ")".repeat(depth - 1)),
        format!("{}1{}", "size([".repeat(depth / 2 - 1), "])".repeat(depth / 2 - 1)),
        format!("{}true{}", "[1].exists(x, ".repeat(depth - 2), ")".repeat(depth - 2)),
        format!("{}1{}", "cel.bind(x, 1, ".repeat(depth - 1), ")".repeat(depth - 1)),
        format!("{}1{}", "{'a': ".repeat(60), "}".repeat(60)),
        format!(
            "{}optional.of(1){}",
            "optional.of(1).optFlatMap(x, ".repeat(depth - 2),
            ")".repeat(depth - 2)
        ),
        "true && ".repeat(3_000) + "true",
        "1 + ".repeat(depth - 1) + "1",
    ];
    for source in cases {
        let start: String = source.chars().take(20).collect();
        assert_eq!(outcome(source), "value", "{start}");
    }
}

#[test]
fn work_is_bounded_by_fuel_and_memory() {
    let doubling = |start: &str, step: &str, times: usize| {
        let mut source = String::new();
        for index in 0..times {
            let value = if index == 0 {
                start.into()
            } else {
                step.replace('#', &format!("v{}", index - 1))
            };
            let _ = write!(source, "cel.bind(v{index}, {value}, ");
        }
        format!("{source}v{}{}", times - 1, ")".repeat(times))
    };
    let range = "lists.range(200)";
    let cases = [
        (format!("{range}.all(a, {range}.all(b, {range}.all(c, a + b + c >= 0)))"), "fuel"),
        (doubling("'0123456789'", "# + #", 60), "too_large"),
        (doubling("[1]", "# + #", 60), "too_large"),
        (doubling("'x'", "[#, #]", 40), "too_large"),
        (doubling("[1]", "[#, #]", 60) + " == [1]", "too_large"),
        (format!("json.format({})", doubling("[1]", "[#, #]", 60)), "too_large"),
        ("'a'.replace('', '0123456789'.replace('', '0123456789'))".into(), "value"),
        ("lists.range(9223372036854775807)".into(), "too_large"),
        ("'%.99999f'.format([1.0])".into(), "bad_format"),
        ("'a'.matches('(a{1000}){1000}' + '')".into(), "bad_pattern"),
    ];
    for (source, expected) in cases {
        let start: String = source.chars().take(40).collect();
        let found = in_small_stack(move || match eval_text(&source, &[], &mut Fuel(5_000_000)) {
            Ok(_) => "value".to_string(),
            Err(onex_expr::TextError::Failed(error)) => error.kind.to_string(),
            Err(onex_expr::TextError::Faults(faults)) => faults[0].kind.to_string(),
        });
        assert_eq!(found, expected, "{start}");
    }
}

#[test]
fn a_value_that_grows_by_a_level_each_time_is_stopped() {
    let program = Program::compile("[a]", &scope()).value.expect("it compiles");
    let mut value = Value::Null;
    let mut levels = 0;
    while let Ok(deeper) = program.eval(&[Value::Null, value.clone()], &mut Fuel(10_000)) {
        value = deeper;
        levels += 1;
        assert!(levels < 1_000, "nothing stops it");
    }
    assert!(json::parse(value.to_json().as_bytes(), &json::Limits::default()).is_ok());
}

#[test]
fn deep_json_is_refused() {
    let text = "[".repeat(100_000) + &"]".repeat(100_000);
    let limits = json::Limits { depth_max: usize::MAX };
    let error =
        in_small_stack(move || json::parse(text.as_bytes(), &limits).expect_err("it is too deep"));
    assert_eq!(error.at, json::DEPTH_MAX);
}

/// A small generator, so that every run tries the same texts.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

const TOKENS: &[&str] = &[
    "payload",
    "a",
    ".",
    ".?",
    "[",
    "[?",
    "]",
    "(",
    ")",
    "{",
    "{?",
    "}",
    ",",
    ":",
    "?",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "in",
    "true",
    "null",
    "1",
    "2.5",
    "1u",
    "0x1F",
    "'text'",
    "b'\\xff'",
    "r\"raw\"",
    "'''three'''",
    "'",
    "\"",
    "`q`",
    "map",
    "filter",
    "all(x, ",
    "exists(i, v, ",
    "has(",
    "size(",
    "sum()",
    "format(",
    "cel.bind(v, ",
    "optional.of(",
    "orValue(",
    "math.",
    "greatest(",
    "timestamp('2026-01-01T00:00:00Z')",
    "duration('1h')",
    "é",
    "$",
    "${",
    "}",
    "\\",
    "//",
    "\n",
    "matches('(a+)+')",
    "split('')",
    "substring(1",
    "9223372036854775807",
];

fn try_text(text: &str) {
    let values = [
        Value::from_json(r#"{"b":[1,2.5,"x",null,{"c":true}]}"#).expect("it is JSON"),
        Value::list(Vec::new()),
    ];
    let compiled = Program::compile(text, &scope());
    for fault in &compiled.faults {
        assert!(text.get(fault.range.clone()).is_some(), "a fault's range is no part of {text:?}");
    }
    if let Some(program) = compiled.value
        && let Err(error) = program.eval(&values, &mut Fuel(20_000))
    {
        assert!(text.get(error.range.clone()).is_some(), "an error's range is no part of {text:?}");
    }
    for place in [Place::Data, Place::Url, Place::Path] {
        let compiled = Template::compile(text, place, &scope());
        for fault in &compiled.faults {
            assert!(
                text.get(fault.range.clone()).is_some(),
                "a fault's range is no part of {text:?}"
            );
        }
        if let Some(template) = compiled.value {
            let _ = template.render(&values, &mut Fuel(20_000));
        }
    }
    let _ = json::parse(text.as_bytes(), &json::Limits::default());
}

#[test]
fn token_soups_never_panic() {
    in_small_stack(|| {
        let mut numbers = Numbers(7);
        for _ in 0..20_000 {
            let count = 1 + numbers.below(14);
            let text: String = (0..count).map(|_| TOKENS[numbers.below(TOKENS.len())]).collect();
            try_text(&text);
            try_text(&format!("http://x/${{{text}}}"));
        }
    });
}

#[test]
fn random_bytes_never_panic() {
    in_small_stack(|| {
        let mut numbers = Numbers(11);
        for _ in 0..20_000 {
            let count = numbers.below(24);
            let bytes: Vec<u8> = (0..count).map(|_| numbers.below(256) as u8).collect();
            try_text(&String::from_utf8_lossy(&bytes));
            let _ = json::parse(&bytes, &json::Limits::default());
        }
    });
}

#[test]
fn errors_show_little_of_the_payload() {
    let secret = "s".repeat(500);
    let roots = vec![("payload".into(), Value::map([("x", Value::text(secret))]))];
    let sources = [
        "int(payload.x)",
        "timestamp(payload.x)",
        "duration(payload.x)",
        "{}[payload.x]",
        "bool(payload.x)",
        "{'a': 1}[payload.x]",
        "'a'.matches('(' + payload.x)",
        "('%?' + payload.x).format([1])",
        "json.parse(payload.x)",
        "timestamp('2026-01-01T00:00:00Z').getHours(payload.x)",
        "[{payload.x: 1, payload.x + '': 2}]",
        "-payload.x",
    ];
    for source in sources {
        let error = format!("{:?}", eval_text(source, &roots, &mut Fuel(100_000)));
        assert!(error.matches('s').count() < 64 + 40, "{source}: {error}");
    }
}
