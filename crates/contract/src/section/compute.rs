//! `compute_operations`: a pipeline of pure steps.

use super::fields::Fields;
use super::reading::Reading;
use crate::diagnostic::code;
use crate::model::{ComputeOperation, ComputeStep, ComputeWork, Contract, Word};
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`compute_operations`") else {
        return;
    };
    fields.descriptive(&["version", "operation_version", "description"]);
    let name = fields.word("operation_name");
    let input = fields.cel("input");
    let output = fields.cel("output");
    let mut steps: Vec<ComputeStep<'a>> = Vec::new();
    let mut is_whole =
        fields.get("pipeline").is_some_and(|list| matches!(list.tree, Tree::List(_)));
    for item in fields.items("pipeline") {
        let Some(next) = step(fields.reading, item) else {
            is_whole = false;
            continue;
        };
        if steps.iter().any(|step| step.name.value == next.name.value) {
            let message = format!("two steps are called `{}`", next.name.as_str());
            fields.reading.findings.error(code::DUPLICATE_NAME, next.name.at, message);
        }
        steps.push(next);
    }
    fields.not_built(&["input_schema_ref", "output_schema_ref"]);
    fields.not_enforced(&["pipeline_timeout_ms"]);
    if fields.get("pipeline").is_none() {
        fields.missing("pipeline");
    }
    let at = fields.head();
    fields.close();
    contract.compute = Some(ComputeOperation { at, name, input, output, steps, is_whole });
}

fn step<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<ComputeStep<'a>> {
    let mut fields = Fields::open(reading, node, "the step")?;
    let name = fields.required_word("step_name");
    fields.descriptive(&["description"]);
    let kind = fields.required_word("step_type")?;
    let enabled = fields.flag("enabled").is_none_or(|flag| flag.value);
    let work = match kind.as_str() {
        "expression" => expression(&mut fields),
        "mapping" => mapping(&mut fields),
        _ => {
            unknown_type(&mut fields, &kind);
            return None;
        }
    };
    fields.close();
    Some(ComputeStep { name: name?, enabled, work: work? })
}

/// Kinds of step that exist and are not performed yet.
const NOT_BUILT: [&str; 10] = [
    "transformation",
    "validation",
    "conditional",
    "parallel",
    "filter",
    "map",
    "reduce",
    "template",
    "decision_table",
    "type_conversion",
];

fn unknown_type(fields: &mut Fields<'_, '_, '_, '_>, kind: &Word) {
    if NOT_BUILT.contains(&kind.as_str()) {
        let name = format!("step_type: {}", kind.as_str());
        fields.reading.findings.not_built(kind.at, &name);
        return;
    }
    let message = format!("unknown step_type `{}`", kind.as_str());
    fields
        .reading
        .findings
        .error(code::BAD_VALUE, kind.at, message)
        .help("it is `expression` or `mapping`");
}

fn expression<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<ComputeWork<'a>> {
    let Some(node) = fields.get("expression_config") else {
        fields.missing("expression_config");
        return None;
    };
    let mut inner = Fields::open(fields.reading, node, "`expression_config`")?;
    let value = inner.data("value");
    let set = inner.free("set");
    let has_set = inner.get("set").is_some();
    if value.is_some() == has_set {
        let at = inner.head();
        inner
            .reading
            .findings
            .error(code::BAD_VALUE, at, "an expression step has either `value` or `set`")
            .help("`value` replaces the value, `set` adds to it");
    }
    inner.close();
    value.map(ComputeWork::Replace).or(Some(ComputeWork::Add(set)).filter(|_| has_set))
}

fn mapping<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<ComputeWork<'a>> {
    let Some(node) = fields.get("mapping_config") else {
        fields.missing("mapping_config");
        return None;
    };
    let mut inner = Fields::open(fields.reading, node, "`mapping_config`")?;
    if inner.get("field_mappings").is_none() {
        inner.missing("field_mappings");
    }
    let fields = inner.free("field_mappings");
    inner.close();
    Some(ComputeWork::Mapping(fields))
}
