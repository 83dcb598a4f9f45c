//! Computes: a pipeline of templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_expr::{Field, ObjectType, Place, Scope, Template, Text, Type};

use super::Linker;
use super::expression::{Expressions, Want};
use super::scope::Roots;
use super::types::{self, object};
use crate::diagnostic::code;
use crate::graph::roots::compute as slot;
use crate::graph::{Compute, ComputeStep, ComputeWork};
use crate::model::{self, ComputeOperation, Contract, Data, Word};
use crate::system::default_publication;
use crate::yaml::Tree;

/// Links a compute, with the type of its last value; `None` when something in it could not be.
pub(super) fn link(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    declared: &ComputeOperation<'_>,
) -> Option<(Compute, Type)> {
    let input = linker.system.schema_of(declared.input.as_ref()).cloned();
    let output = linker.system.schema_of(declared.output.as_ref()).cloned();
    let declared_type = input.as_ref().map(|schema| schema.ty().clone());
    let input_type = linker.input().or(declared_type).unwrap_or(Type::Dyn);
    let mut expressions = linker.expressions(node);
    let mut value = input_type.clone();
    // One map that grows: a copy of it for each step would make long pipelines slow.
    let mut earlier = Arc::new(ObjectType { name: None, fields: BTreeMap::new(), open: false });
    let mut steps = Some(Vec::new());
    for step in declared.steps.iter().filter(|step| step.enabled) {
        let roots = Roots::new(&slot::NAMES)
            .with(slot::INPUT, input_type.clone())
            .with(slot::VALUE, value.clone())
            .with(slot::STEPS, Type::Object(earlier.clone()));
        let work = work(&mut expressions, &step.work, roots.scope());
        value = work.as_ref().map_or(Type::Dyn, |work| output_type(work, &value));
        drop(roots);
        let ended = Field { ty: object([("output", value.clone())]), required: true };
        Arc::make_mut(&mut earlier).fields.insert(step.name.value.clone(), ended);
        match (work, &mut steps) {
            (Some(work), Some(steps)) => {
                steps.push(ComputeStep { name: step.name.value.clone(), work });
            }
            _ => steps = None,
        }
    }
    // Of a pipeline that could not be read the last value is not known.
    if let Some(output) = output.as_ref().filter(|_| declared.is_whole) {
        linker.fits(&value, output, declared.at, "the last step's value", "`output`");
    }
    let compute = Compute {
        operation: declared.name.as_ref().map_or(contract.name.value.clone(), |n| n.value.clone()),
        input,
        output,
        steps: steps?,
        publish_topic: default_publication(contract).map(|topic| topic.value.clone()),
    };
    Some((compute, value))
}

fn work(
    expressions: &mut Expressions<'_, '_>,
    work: &model::ComputeWork<'_>,
    scope: &Scope,
) -> Option<ComputeWork> {
    match work {
        model::ComputeWork::Replace(data) => {
            expressions.cel(*data, Want::Any, scope).map(ComputeWork::Replace)
        }
        model::ComputeWork::Add(set) => fields(expressions, set, scope).map(ComputeWork::Add),
        model::ComputeWork::Mapping(set) => {
            mappings(expressions, set, scope).map(ComputeWork::Mapping)
        }
    }
}

/// Named data.
pub(super) fn fields(
    expressions: &mut Expressions<'_, '_>,
    fields: &[(Word, Data<'_>)],
    scope: &Scope,
) -> Option<Vec<(Text, Template)>> {
    let compiled: Vec<_> = fields
        .iter()
        .map(|(name, data)| {
            expressions.data(*data, Place::Data, scope).map(|item| (name.value.clone(), item))
        })
        .collect();
    compiled.into_iter().collect()
}

/// Mappings hold data, or a path such as `$.input.a` or `$.steps.x.output`.
fn mappings(
    expressions: &mut Expressions<'_, '_>,
    fields: &[(Word, Data<'_>)],
    scope: &Scope,
) -> Option<Vec<(Text, Template)>> {
    let mut compiled = Some(Vec::new());
    for (name, data) in fields {
        let template = match path(data) {
            Some(Ok(cel)) => expressions.translated(&cel, data.at, scope),
            Some(Err(())) => {
                expressions
                    .findings
                    .error(code::BAD_PATH, data.at, "this is no path of a mapping")
                    .help("write `$.input.a`, `$.steps.NAME.output`, or data with `${}`");
                None
            }
            None => expressions.data(*data, Place::Data, scope),
        };
        match (template, &mut compiled) {
            (Some(template), Some(all)) => all.push((name.value.clone(), template)),
            _ => compiled = None,
        }
    }
    compiled
}

/// The CEL of a path; `None` when the text is no path at all.
fn path(data: &Data<'_>) -> Option<Result<String, ()>> {
    let Tree::String(text) = &data.node.tree else {
        return None;
    };
    let path = text.strip_prefix("$.").or_else(|| {
        text.strip_prefix('$').filter(|rest| rest.starts_with("input") || rest.starts_with("steps"))
    })?;
    let mut parts = path.split('.');
    let root = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let is_name = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if !rest.iter().all(is_name) {
        return Some(Err(()));
    }
    Some(match (root, rest.as_slice()) {
        ("input", _) => Ok(path.to_owned()),
        ("steps", [_, "output", ..]) => Ok(path.to_owned()),
        ("steps", [name]) => Ok(format!("steps.{name}.output")),
        _ => Err(()),
    })
}

fn output_type(work: &ComputeWork, value: &Type) -> Type {
    match work {
        ComputeWork::Replace(template) => types::of_template(template),
        ComputeWork::Add(set) => types::with_fields(value, set),
        ComputeWork::Mapping(set) => types::with_fields(&object([]), set),
    }
}
