//! `compute_operations`, or `compute`: a pipeline of steps.

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    translate::Translation,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::{Reading, one_of};
use crate::yaml::{Node, Tree};

/// Translates the section.
pub(super) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    for key in ["compute_operations", "compute"] {
        let Some(section) = fields.get(key) else { continue };
        let is_pipeline = section.get("pipeline").is_some();
        if made.out.has("compute_operations") || !is_pipeline {
            fields.not_enforced(if key == "compute" {
                &["compute"]
            } else {
                &["compute_operations"]
            });
            continue;
        }
        let span = fields.key_span(key);
        let mut foreign = None;
        if let Some(section) = pipeline(fields.reading, section, &mut foreign) {
            made.out.free("compute_operations".into(), &span, section);
            made.runs |= made.kind == Some(Kind::Compute) && foreign.is_none();
            made.foreign = made.foreign.take().or(foreign);
            let publishes = made.topics.publish.len() == 1;
            made.topics.subscribe.iter_mut().for_each(|listed| listed.used = publishes);
        }
    }
}

/// Translates a pipeline; `foreign` when a step of it is nothing that can be performed here.
fn pipeline(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    foreign: &mut Option<Node>,
) -> Option<Node> {
    let mut fields = Fields::open(reading, section, "`compute_operations`")?;
    let mut out = Made::new(&section.span);
    out.keep(&mut fields, &["operation_name", "input", "output"]);
    let list = fields.get("pipeline")?;
    let mut steps = Vec::new();
    for item in fields.items("pipeline") {
        unknown_steps(fields.reading, item, list);
        steps.extend(step(fields.reading, item, foreign));
    }
    out.put("pipeline", node(Tree::List(steps), &list.span));
    fields.descriptive(&["version", "operation_version", "subcontract_version", "description"]);
    fields.not_enforced(&["input_schema_ref", "output_schema_ref", "pipeline_timeout_ms"]);
    fields.close();
    Some(out.done())
}

/// Paths of a mapping to a step that the pipeline does not have.
fn unknown_steps(reading: &mut Reading<'_, '_>, item: &Node, pipeline: &Node) {
    let mappings = item.get("mapping_config").and_then(|config| config.get("field_mappings"));
    for path in mappings.map_or(&[][..], Node::entries).iter().map(|entry| &entry.value) {
        let written = path.as_str().unwrap_or_default();
        let Some(name) = written.strip_prefix("$.steps.").and_then(|rest| rest.split('.').next())
        else {
            continue;
        };
        let is = |step: &Node| step.get("step_name").and_then(Node::as_str) == Some(name);
        if !pipeline.items().iter().any(is) {
            reading
                .error(code::BAD_PATH, path, format!("there is no step `{name}`"))
                .help("write `$.steps.NAME.output` with the name of an earlier step");
        }
    }
}

const STEPS: [&str; 4] = ["transformation", "mapping", "validation", "expression"];

fn step(reading: &mut Reading<'_, '_>, item: &Node, foreign: &mut Option<Node>) -> Option<Node> {
    let mut fields = Fields::open(reading, item, "the step")?;
    let mut out = Made::new(&item.span);
    out.keep(&mut fields, &["step_name"]);
    let kind = fields.required_word("step_type")?;
    let lower = kind.as_str().to_ascii_lowercase();
    let made = match lower.as_str() {
        "validation" => {
            // Older hosts passed the value through, whatever the schema said.
            fields.not_enforced(&["validation_config"]);
            Some(expression(text("value", &item.span)))
        }
        "transformation" => transformation(&mut fields, item, foreign),
        "mapping" => mapping(&mut fields),
        "expression" => {
            out.text("step_type", "expression", &kind.at.span());
            out.keep(&mut fields, &["expression_config"]);
            None
        }
        other => {
            out.keep(&mut fields, &["step_type"]);
            let message = format!("unknown step_type `{other}`");
            let help = format!("it is {}", one_of(&STEPS));
            fields.reading.findings.refuse(code::BAD_VALUE, kind.at, message).help(help);
            None
        }
    };
    for (key, value) in made.into_iter().flatten() {
        match key {
            "step_type" => out.put(key, text(value.as_str().unwrap_or_default(), &kind.at.span())),
            _ => out.put(key, value),
        }
    }
    out.keep(&mut fields, &["enabled"]);
    fields.descriptive(&["version", "description"]);
    fields.not_enforced(&["validation_config"]);
    fields.close();
    Some(out.done())
}

type Parts = Vec<(&'static str, Node)>;

/// A step whose value is this.
fn expression(value: Node) -> Parts {
    let at = value.span.clone();
    let mut config = Made::new(&at);
    config.put("value", value);
    vec![("step_type", text("expression", &at)), ("expression_config", config.done())]
}

fn mapping(fields: &mut Fields<'_, '_, '_, '_>) -> Option<Parts> {
    let Some(config) = fields.get("mapping_config") else {
        // The step says what it is, and the normal form what it lacks.
        return Some(vec![("step_type", text("mapping", &fields.node().span))]);
    };
    let mut inner = Fields::open(fields.reading, config, "`mapping_config`")?;
    let mut out = Made::new(&config.span);
    out.keep(&mut inner, &["field_mappings"]);
    inner.descriptive(&["config_type", "version"]);
    inner.close();
    Some(vec![("step_type", text("mapping", &config.span)), ("mapping_config", out.done())])
}

fn transformation(
    fields: &mut Fields<'_, '_, '_, '_>,
    item: &Node,
    foreign: &mut Option<Node>,
) -> Option<Parts> {
    let kind = fields.word("transformation_type");
    let config = fields.get("transformation_config");
    let option = |key: &str| config.and_then(|config| config.get(key));
    let word = |key: &str| option(key).and_then(Node::as_str);
    let named = kind.as_ref().map_or("identity".to_owned(), |kind| kind.value.to_ascii_lowercase());
    let mode = word("mode").map_or("both".to_owned(), str::to_ascii_lowercase);
    if let ("trim", false, Some(written)) = (&*named, TRIMS.contains(&&*mode), option("mode")) {
        let at = fields.reading.at(&written.span);
        let message = format!("unknown mode `{mode}` of the transformation `trim`");
        let help = format!("it is {}", one_of(&TRIMS));
        fields.reading.findings.refuse(code::BAD_VALUE, at, message).help(help);
        return Some(expression(text("value", &item.span)));
    }
    let cel = match named.as_str() {
        "identity" => Some("value".to_owned()),
        "json_path" => {
            let path = word("path").unwrap_or("$");
            if selected(path).is_none() {
                let at = fields.reading.at(&option("path").unwrap_or(item).span);
                let message = format!("`{path}` is no path over the value");
                let help = "write `$`, or `$.a.b` with the names of fields";
                fields.reading.findings.refuse(code::BAD_PATH, at, message).help(help);
            }
            // A path that cannot be read is refused: what stands for it never runs.
            Some(selected(path).unwrap_or_else(|| "value".to_owned()))
        }
        "trim" if mode == "both" => Some("value.trim()".to_owned()),
        _ => None,
    };
    if let Some(cel) = cel {
        fields.acts(&["transformation_type"]);
        option("path").iter().chain(&option("mode")).for_each(|n| fields.reading.acted(&n.span));
        return Some(expression(text(cel, &item.span)));
    }
    if let Some(kind) = kind {
        let is_off = item.get("enabled").is_some_and(|n| matches!(n.tree, Tree::Bool(false)));
        let message = format!("nothing here performs the transformation `{}`", kind.as_str());
        let help = format!("the node is left out, the others run; {}", instead(&named));
        fields.reading.findings.warning(code::STEP_NOT_NATIVE, kind.at, message).help(help);
        if is_off {
            return Some(expression(text("value", &item.span)));
        }
        foreign.get_or_insert_with(|| text(kind.value, &kind.at.span()));
    }
    // It stays as it is written: a host without it says so.
    let mut parts = Vec::new();
    for key in ["step_type", "transformation_type", "transformation_config"] {
        parts.extend(item.get(key).map(|value| (key, value.clone())));
    }
    Some(parts)
}

/// What to write where a transformation means something that no function does: changes of case
/// beyond ASCII, patterns, forms of Unicode.
fn instead(transformation: &str) -> &'static str {
    match transformation {
        "case_conversion" => {
            "of ASCII letters, a step of the type `expression` does it: `value.upperAscii()`, \
             `value.lowerAscii()`"
        }
        "regex" => {
            "where the pattern is plain text, a step of the type `expression` does it: \
             `value.replace('old', 'new')`"
        }
        "normalize_unicode" => {
            "no function does it: let the sender, or a service that an effect asks"
        }
        _ => "say in a step of the type `expression` what it does",
    }
}

/// Which ends of a text are trimmed.
const TRIMS: [&str; 3] = ["both", "left", "right"];

/// CEL for a path over the value; what begins with `_` is nobody else's.
fn selected(path: &str) -> Option<String> {
    let path = path.strip_prefix('$')?;
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let sound = path.is_empty() || path.split('.').skip(1).all(is_name) && path.starts_with('.');
    sound.then(|| format!("value{path}"))
}
