//! `handler_routing`: tables that name handlers of another system.
//!
//! Which handler does the work is kept for whoever reads the findings; a node that has nothing
//! else to run is external.

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, text},
    translate::Translation,
};
use crate::graph::Kind;
use crate::model::At;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::suggest;
use crate::yaml::{Node, Tree};

/// A handler that is named.
struct Handler {
    name: String,
    module: Option<String>,
    at: At,
}

/// Reads the tables.
pub(super) fn read(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let mut handlers = Vec::new();
    let mut heard = Vec::new();
    if let Some(section) = fields.get("handler_routing") {
        let at = fields.key_at("handler_routing");
        table(fields.reading, section, &mut handlers, &mut heard);
        unheard(fields.reading, made, &heard);
        let message = "`handler_routing` is not enforced: it names handlers of another system";
        fields.reading.findings.note(code::NOT_ENFORCED, at, message);
    }
    handlers.extend(class_at(fields.node(), fields.reading));
    if made.kind.is_none() {
        return;
    }
    if let Some(first) = handlers.first() {
        made.foreign = Some(text(first.name.as_str(), &first.at.span()));
    }
    if made.runs || made.foreign.is_none() {
        return;
    }
    tell(fields.reading, made, &handlers);
    // What is shown of the node must not look as if it could run here; where a section names what is
    // foreign, it says so itself.
    let named = || handlers.first().map(|first| text(first.name.as_str(), &first.at.span()));
    let table = fields.get("handler_routing").cloned().or_else(|| named().map(named_alone));
    if let Some(table) = table {
        made.out.put("handler_routing", table);
    }
}

/// A table that names one handler.
fn named_alone(handler: Node) -> Node {
    let mut table = Made::new(&handler.span);
    table.put("default_handler", handler);
    table.done()
}

/// `handler_class` of a handler contract, or the entry point of a node's own class.
fn class_at(root: &Node, reading: &Reading<'_, '_>) -> Option<Handler> {
    let found = ["handler_class", "entrypoint"].iter().find_map(|key| root.get(key));
    let specified = || root.get("node_specification")?.get("main_node_class");
    // A handler contract may say no more than its own id: then that is the handler.
    let itself = || root.get("handler_id").filter(|_| root.get("node_type").is_none());
    let node = found.or_else(specified).or_else(itself)?;
    let name = node.as_str()?.to_owned();
    Some(Handler { name, module: None, at: reading.at(&node.span) })
}

fn table(
    reading: &mut Reading<'_, '_>,
    section: &Node,
    handlers: &mut Vec<Handler>,
    heard: &mut Vec<String>,
) {
    let Some(mut fields) = Fields::open(reading, section, "`handler_routing`") else { return };
    if let Some(strategy) = fields.word("routing_strategy")
        && !STRATEGIES.contains(&strategy.as_str().to_ascii_lowercase().as_str())
    {
        let message = format!("unknown routing_strategy `{}`", strategy.as_str());
        let help = suggest::did_you_mean(strategy.as_str(), STRATEGIES);
        fields.reading.findings.warning(code::BAD_VALUE, strategy.at, message).help_if(help);
    }
    for item in fields.items("handlers") {
        handlers.extend(entry(fields.reading, item, heard));
    }
    if let Some(default) = fields.word("default_handler") {
        let (module, name) = match default.as_str().split_once(':') {
            Some((module, name)) => (Some(module.to_owned()), name),
            None => (None, default.as_str()),
        };
        handlers.push(Handler { name: name.to_owned(), module, at: default.at });
    }
    fields.descriptive(&[
        "aggregation_strategy",
        "description",
        "execution_mode",
        "handler_dependencies",
        "max_timeout_seconds",
        "partial_failure_handling",
        "version",
    ]);
    fields.close();
}

const STRATEGIES: [&str; 5] =
    ["payload_type_match", "operation_match", "topic_match", "topic_pattern", "handler_type_match"];

fn entry(reading: &mut Reading<'_, '_>, item: &Node, heard: &mut Vec<String>) -> Option<Handler> {
    let mut fields = Fields::open(reading, item, "the handler's entry")?;
    let model = fields.get("event_model").and_then(|model| model.get("name").or(Some(model)));
    heard.extend(model.and_then(Node::as_str).map(plain));
    for key in ["event_type", "payload_type"] {
        heard.extend(fields.word(key).map(|word| plain(word.as_str())));
    }
    let flat = fields.word("handler_class").or_else(|| fields.word("handler_name"));
    let module = fields.word("handler_module").map(|word| word.value.to_string());
    let at = fields.head();
    let handler = match fields.get("handler").map(|node| (node, &node.tree)) {
        Some((node, Tree::String(name))) => {
            Some(Handler { name: name.to_string(), module, at: fields.reading.at(&node.span) })
        }
        Some((node, Tree::Map(_))) => named(fields.reading, node),
        _ => flat.map(|word| Handler { name: word.value.to_string(), module, at: word.at }),
    };
    fields.descriptive(&ENTRY);
    fields.close();
    if handler.is_none() {
        let message = "the entry names no handler";
        reading.findings.warning(code::MISSING_KEY, at, message).help("add `handler`");
    }
    handler
}

/// Keys of an entry that only such a handler reads.
const ENTRY: [&str; 25] = [
    "backend",
    "category",
    "description",
    "direct_handler",
    "dynamic_backend_field",
    "handler_id",
    "handler_type",
    "input_fields",
    "input_model",
    "message_category",
    "message_type",
    "name",
    "operation",
    "operations",
    "output_events",
    "output_fields",
    "output_model",
    "priority",
    "state_decision_matrix",
    "state_transition",
    "supported_operations",
    "timeout_evaluation",
    "topic",
    "version",
    "zero_arg_constructible",
];

fn named(reading: &mut Reading<'_, '_>, node: &Node) -> Option<Handler> {
    let mut fields = Fields::open(reading, node, "`handler`")?;
    let name = fields.word("name").or_else(|| fields.word("class"));
    let module = fields.word("module").map(|word| word.value.to_string());
    fields.descriptive(&["handler_type", "description", "version", "class"]);
    fields.close();
    let name = name?;
    Some(Handler { name: name.value.to_string(), module, at: name.at })
}

/// The name of a message without the words around it.
fn plain(name: &str) -> String {
    name.strip_prefix("Model").unwrap_or(name).to_owned()
}

/// Events that are consumed and that no handler mentions.
fn unheard(reading: &mut Reading<'_, '_>, made: &Translation, heard: &[String]) {
    if heard.is_empty() {
        return;
    }
    for (event, span) in &made.topics.event_types {
        if !heard.contains(&plain(event)) {
            let at = reading.at(span);
            let message = format!("no handler mentions the event `{event}`");
            let help = suggest::did_you_mean(&plain(event), heard.iter().map(String::as_str));
            reading.findings.warning(code::EVENT_UNHEARD, at, message).help_if(help);
        }
    }
}

/// Says loudly which handler is missing.
fn tell(reading: &mut Reading<'_, '_>, made: &Translation, handlers: &[Handler]) {
    let [first, others @ ..] = handlers else { return };
    let module = match &first.module {
        Some(module) => format!(" of `{module}`"),
        None => String::new(),
    };
    let more = match others.len() {
        0 => String::new(),
        1 => " and one more".to_owned(),
        count => format!(" and {count} more"),
    };
    let section = match made.kind {
        Some(Kind::Effect) | None => "effect_operations",
        Some(Kind::Compute) => "compute_operations",
        Some(Kind::Reducer) => "state_machine",
        Some(Kind::Orchestrator) => "workflow_coordination",
    };
    let message =
        format!("`{}` needs the foreign handler `{}`{module}{more}", made.name, first.name);
    reading.findings.warning(code::FOREIGN_HANDLER, first.at, message).help(format!(
        "the node is left out of the running system, the others run; say in `{section}` what it does"
    ));
}
