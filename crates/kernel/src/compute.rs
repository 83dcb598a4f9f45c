//! A compute's result: its pipeline, evaluated within the step that uses it.

use alloc::vec::Vec;

use onex_contract::graph::roots::compute::{COUNT, INPUT, STEPS, VALUE};
use onex_contract::graph::{Compute, ComputeStep, ComputeWork};
use onex_contract::schema::Schema;
use onex_expr::{EvalError, Fuel, Key, Map, Template, Text, Value};

use crate::ask;

/// Why a compute has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputeFault {
    /// `invalid_input`, `invalid_output`, `expression_error`, `exceeded`.
    pub code: Text,
    /// For people.
    pub message: Text,
    /// The pipeline step.
    pub step: Option<Text>,
}

/// Evaluates the pipeline.
pub fn evaluate(compute: &Compute, input: &Value, fuel: &mut u64) -> Result<Value, ComputeFault> {
    check(compute.input.as_ref(), input, "invalid_input")?;
    let mut left = Fuel(*fuel);
    let result = run(compute, input, &mut left);
    *fuel = left.0;
    let value = result?;
    check(compute.output.as_ref(), &value, "invalid_output")?;
    Ok(value)
}

fn run(compute: &Compute, input: &Value, fuel: &mut Fuel) -> Result<Value, ComputeFault> {
    let mut roots: [Value; COUNT] = core::array::from_fn(|_| Value::Null);
    roots[INPUT] = input.clone();
    roots[VALUE] = input.clone();
    let keeps_outputs = compute.steps.iter().any(reads_steps);
    let mut outputs = Map::default();
    for step in &compute.steps {
        roots[VALUE] = apply(step, &roots, fuel).map_err(|error| ComputeFault {
            code: ask::code(&error).into(),
            message: Text::new(&error.message),
            step: Some(step.name.clone()),
        })?;
        if keeps_outputs {
            let output = Value::map([("output", roots[VALUE].clone())]);
            outputs.insert(Key::String(step.name.clone()), output);
            roots[STEPS] = Value::Map(outputs.clone().into());
        }
    }
    Ok(core::mem::replace(&mut roots[VALUE], Value::Null))
}

fn check(schema: Option<&Schema>, value: &Value, code: &str) -> Result<(), ComputeFault> {
    let verdict = schema.map_or(Ok(()), |schema| schema.validate(value));
    verdict.map_err(|misfits| ComputeFault {
        code: code.into(),
        message: Text::new(ask::misfits(&misfits)),
        step: None,
    })
}

/// The value after a step.
fn apply(step: &ComputeStep, roots: &[Value], fuel: &mut Fuel) -> Result<Value, EvalError> {
    match &step.work {
        ComputeWork::Replace(template) => ask::data(template, roots, fuel),
        ComputeWork::Mapping(fields) => fill(Map::default(), fields, roots, fuel),
        ComputeWork::Add(fields) => match &roots[VALUE] {
            Value::Map(value) => fill(value.as_ref().clone(), fields, roots, fuel),
            other => Err(EvalError {
                kind: "no_overload",
                message: alloc::format!("`set` adds to a map, the value is {}", other.kind_name()),
                range: 0..0,
            }),
        },
    }
}

/// Whether a step reads what earlier ones yielded.
fn reads_steps(step: &ComputeStep) -> bool {
    match &step.work {
        ComputeWork::Replace(template) => template.uses(STEPS),
        ComputeWork::Mapping(fields) | ComputeWork::Add(fields) => {
            fields.iter().any(|(_, template)| template.uses(STEPS))
        }
    }
}

/// Every field is computed before any is set: they all see the value as it was.
fn fill(
    mut map: Map,
    fields: &[(Text, Template)],
    roots: &[Value],
    fuel: &mut Fuel,
) -> Result<Value, EvalError> {
    let mut rendered = Vec::with_capacity(fields.len());
    for (name, template) in fields {
        if let Some(value) = template.render(roots, fuel)? {
            rendered.push((name, value));
        }
    }
    for (name, value) in rendered {
        map.insert(Key::String(name.clone()), value);
    }
    Ok(Value::Map(map.into()))
}
