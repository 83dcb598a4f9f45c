//! How long the hot paths take: `cargo bench -p onex-expr`. No harness: a loop long enough, the
//! best of some runs, because other work on the machine only ever adds.

#![allow(clippy::print_stdout)] // A benchmark's result is what it prints.

use std::hint::black_box;
use std::time::Instant;

use onex_expr::{Fuel, Place, Program, Root, Scope, Template, Type, Value, json};

const MESSAGE: &str = r#"{"order_id":"o-10231","customer":"c-77","amount":250.5,"status":"active","lines":[{"sku":"apple","qty":2,"price":5},{"sku":"pear","qty":1,"price":7}],"placed_at":"2026-01-31T12:00:00Z","note":null,"vip":true}"#;

fn measure<T>(name: &str, mut run: impl FnMut() -> T) {
    const RUNS: usize = 7;
    const TIMES: u32 = 50_000;
    let best = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..TIMES {
                black_box(run());
            }
            start.elapsed() / TIMES
        })
        .min()
        .unwrap_or_default();
    println!("{name:<36} {best:>10.1?}");
}

fn main() {
    let scope = Scope { roots: vec![Root::new("payload", Type::Dyn)], constants: Vec::new() };
    let payload = Value::from_json(MESSAGE).expect("the message is JSON");
    let roots = [payload.clone()];
    let limits = json::Limits::default();
    println!("message of {} bytes", MESSAGE.len());
    measure("json: parse", || json::parse(black_box(MESSAGE.as_bytes()), &limits));
    measure("json: parse, serde_json to compare", || {
        serde_json::from_slice::<serde_json::Value>(black_box(MESSAGE.as_bytes())).is_ok()
    });
    let mut out = Vec::with_capacity(1024);
    measure("json: write", || {
        out.clear();
        json::write(black_box(&payload), &mut out);
        out.len()
    });
    let expressions = [
        ("guard: two clauses", "payload.amount > 100.0 && payload.status == \"active\""),
        ("guard: exists", "payload.lines.exists(l, l.qty > 1)"),
        ("guard: has and optional", "has(payload.vip) && payload.?note.hasValue()"),
        ("mapping: sum of products", "payload.lines.map(l, l.price * l.qty).sum()"),
        ("mapping: list of maps", "payload.lines.map(l, {'sku': l.sku, 'qty': l.qty})"),
        ("mapping: hour in a time zone", "timestamp(payload.placed_at).getHours('Europe/Berlin')"),
        ("mapping: matches", "payload.order_id.matches('^o-[0-9]+$')"),
    ];
    for (name, source) in expressions {
        let program = Program::compile(source, &scope).value.expect("the expression compiles");
        measure(name, || program.eval(black_box(&roots), &mut Fuel(100_000)));
    }
    let source = "order ${payload.order_id} of ${payload.customer}: ${payload.amount}";
    let template =
        Template::compile(source, Place::Data, &scope).value.expect("the template compiles");
    measure("template: text of three values", || {
        template.render(black_box(&roots), &mut Fuel(100_000))
    });
    measure("compile: two clauses", || Program::compile(black_box(expressions[0].1), &scope));
}
