//! Any text: compiled as an expression against roots of which nothing is known, evaluated with
//! little fuel, and judged for whether it can hold.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onex_expr::{Fuel, Known, Place, Program, Root, Scope, Template, Type, Value, never_all_hold};

fuzz_target!(|text: &str| {
    let root = |name: &str| Root::new(name, Type::Dyn);
    let scope = Scope { roots: vec![root("payload"), root("state")], constants: Vec::new() };
    let payload = Value::map([("a", Value::Int(1)), ("b", Value::list(vec![Value::text("x")]))]);
    let roots = [payload, Value::Null];
    let compiled = Program::compile(text, &scope);
    for fault in &compiled.faults {
        assert!(fault.range.start <= fault.range.end && fault.range.end <= text.len());
        assert!(text.is_char_boundary(fault.range.start) && text.is_char_boundary(fault.range.end));
    }
    if let Some(program) = compiled.value {
        let first = program.eval(&roots, &mut Fuel(10_000));
        let second = program.eval(&roots, &mut Fuel(10_000));
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        if never_all_hold(&[text], &|_| Known::default()) {
            assert_ne!(first.ok(), Some(Value::Bool(true)), "said never to hold");
        }
    }
    let _ = Template::compile(text, Place::Data, &scope);
});
