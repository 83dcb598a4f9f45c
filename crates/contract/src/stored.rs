//! What a graph is built from, as bytes that name it: normal forms and resolved, non-secret values.

use std::collections::BTreeMap;

use onex_expr::json::{self, Limits};
use onex_expr::{Key, Text, Value};

use crate::catalog::{Catalog, HostValues};
use crate::graph::{Body, Graph, GraphId};
use crate::link::Linked;
use crate::source::Source;
use crate::system::System;
use crate::{Checked, check};

/// Version of the bytes; another one is refused.
const FORMAT: i64 = 1;

/// The graph of a linked system.
pub(crate) fn graph(system: &System<'_>, linked: Linked) -> Graph {
    let stored = bytes(system, &linked);
    Graph {
        id: GraphId(*blake3::hash(&stored).as_bytes()),
        nodes: linked.nodes,
        topics: linked.topics,
        performers: linked.performers,
        schedules: linked.schedules,
        stored: stored.into(),
    }
}

fn bytes(system: &System<'_>, linked: &Linked) -> Vec<u8> {
    let mut contracts = Vec::new();
    let mut config = BTreeMap::new();
    let mut env: BTreeMap<Text, Value> = BTreeMap::new();
    for (node, values) in linked.nodes.iter().zip(&linked.values) {
        contracts.push(Value::text(&*node.normal_form));
        let used = values.used_config.iter();
        let resolved: Vec<(Text, Value)> = used
            .filter_map(|name| Some((name.clone(), values.config.get(name)?.clone())))
            .collect();
        if !resolved.is_empty() {
            config.insert(node.name.clone(), Value::map(resolved));
        }
        for name in &values.used_env {
            env.extend(values.env.get(name).map(|value| (name.clone(), value.clone())));
        }
    }
    let mut ingress: Vec<&str> = system.host.ingress_allow.iter().map(String::as_str).collect();
    ingress.sort_unstable();
    ingress.dedup();
    let value = Value::map([
        ("secrets", Value::list(secrets(linked))),
        ("format", Value::Int(FORMAT)),
        ("contracts", Value::list(contracts)),
        ("config", Value::map(config)),
        ("env", Value::map(env)),
        ("ingress", Value::list(ingress.into_iter().map(Value::text).collect())),
    ]);
    let mut out = Vec::new();
    json::write(&value, &mut out);
    out
}

/// Names of the secrets that operations read; their values are never stored.
fn secrets(linked: &Linked) -> Vec<Value> {
    let mut names: Vec<&Text> = Vec::new();
    for node in &linked.nodes {
        if let Body::Effect(effect) = &node.body {
            names.extend(effect.operations.iter().flat_map(|operation| &operation.secrets));
        }
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().cloned().map(Value::String).collect()
}

impl Graph {
    /// Builds a graph again from what it stored. It has the same id: the same values are used, not
    /// those that the host would give now.
    ///
    /// # Errors
    /// What checking found, when these bytes are damaged or no longer pass the check; bytes that
    /// cannot be read at all give a finding in a file called `stored graph`.
    #[expect(clippy::result_large_err, reason = "restoring happens once a start")]
    pub fn restore(stored: &[u8], catalog: &Catalog) -> Result<Graph, Checked> {
        let Some((sources, host)) = read(stored) else {
            return Err(unreadable(stored));
        };
        let mut checked = check(&sources, catalog, &host);
        match checked.graph.take() {
            Some(graph) if &*graph.stored == stored => Ok(graph),
            graph => Err(Checked { graph, ..checked }),
        }
    }
}

fn read(stored: &[u8]) -> Option<(Vec<Source>, HostValues)> {
    let value = json::parse(stored, &Limits::default()).ok()?;
    if value.get("format")?.as_int()? != FORMAT {
        return None;
    }
    let mut sources = Vec::new();
    for (index, text) in value.get("contracts")?.as_list()?.iter().enumerate() {
        sources.push(Source::new(format!("stored contract {index}"), text.as_str()?));
    }
    let mut host = HostValues { strict: true, ..HostValues::default() };
    for (node, values) in entries(value.get("config")?)? {
        host.config.insert(node.to_string(), owned(values, Value::clone)?);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    host.env = owned(value.get("env")?, text)?;
    host.secrets = value.get("secrets")?.as_list()?.iter().map(text).collect();
    host.ingress_allow = value.get("ingress")?.as_list()?.iter().map(text).collect();
    Some((sources, host))
}

fn entries(value: &Value) -> Option<impl Iterator<Item = (&Text, &Value)>> {
    Some(value.as_map()?.iter().filter_map(|(key, value)| match key {
        Key::String(name) => Some((name, value)),
        _ => None,
    }))
}

fn owned<T>(value: &Value, of: impl Fn(&Value) -> T) -> Option<BTreeMap<String, T>> {
    Some(entries(value)?.map(|(name, value)| (name.to_string(), of(value))).collect())
}

fn unreadable(stored: &[u8]) -> Checked {
    let source = Source::new("stored graph", stored);
    let message = "these bytes are no stored graph of this version";
    let finding = crate::diagnostic::Diagnostic::error(
        &source,
        crate::diagnostic::code::NOT_A_MAPPING,
        0..0,
        message,
    );
    Checked { diagnostics: vec![finding], nodes: Vec::new(), graph: None, told: Vec::new() }
}
