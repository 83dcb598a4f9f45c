//! What the host gives, against what contracts take: names that nothing reads are misspelled.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, code};
use crate::findings::Findings;
use crate::link::Linked;
use crate::section::reading::did_you_mean;
use crate::suggest::nearest;
use crate::system::System;
use crate::topic::parse;

/// A value of `[config]` or `[config.<node>]` that no contract reads.
pub(super) fn config(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    let nodes: Vec<&str> = system.contracts.iter().map(|contract| contract.name.as_str()).collect();
    let every: BTreeSet<&str> =
        linked.values.iter().flat_map(|v| &v.used_config).map(|name| name.as_str()).collect();
    for (node, values) in &system.host.config {
        let own = system.find(node).and_then(|at| linked.values.get(at));
        let read: BTreeSet<&str> = match (node.as_str(), own) {
            ("", _) => every.clone(),
            (_, Some(own)) => own.used_config.iter().map(|name| name.as_str()).collect(),
            // A table is a value of that name as well.
            (name, None) if every.contains(name) => continue,
            (name, None) => {
                let key = format!("config.{name}");
                let what = format!("no node is called `{name}`, and no contract reads `{key}`");
                let known = nodes.iter().chain(&every).copied();
                tell(system, (code::CONFIG_UNREAD, &key), &what, nearest(name, known), findings);
                continue;
            }
        };
        for name in values.keys().filter(|name| !read.contains(name.as_str())) {
            let is_table = node.is_empty() && system.host.config.contains_key(name);
            let key = if node.is_empty() {
                format!("config.{name}")
            } else {
                format!("config.{node}.{name}")
            };
            let what = match node.as_str() {
                "" => format!("no contract reads `config.{name}`"),
                node => format!("`{node}` does not read `config.{name}`"),
            };
            if !is_table {
                let meant = nearest(name, read.iter().copied());
                tell(system, (code::CONFIG_UNREAD, &key), &what, meant, findings);
            }
        }
    }
}

/// A topic of `[ingress] allow` that no contract names, or that is none.
pub(super) fn ingress(system: &System<'_>, findings: &mut Findings<'_>) {
    for topic in &system.host.ingress_allow {
        if system.topics.contains_key(topic.as_str()) {
            continue;
        }
        let meant = nearest(topic, system.topics.keys().map(|name| name.as_str()));
        if let (Err(wrong), Some(place)) = (parse(topic), system.host.places.get("ingress.allow")) {
            let what = format!("`{topic}` is no topic: {wrong}");
            let help = meant.map_or_else(|| wrong.remedy(topic), did_you_mean);
            let found =
                Diagnostic::error(&place.source, code::WRONG_SETTING, place.span.clone(), what);
            findings.push(found.with_help(help));
            continue;
        }
        let what = format!("no contract names the topic `{topic}`");
        tell(system, (code::INGRESS_UNKNOWN, "ingress.allow"), &what, meant, findings);
    }
}

/// Reports at the place where the host was told.
fn tell(
    system: &System<'_>,
    (code, key): (&'static str, &str),
    what: &str,
    meant: Option<&str>,
    findings: &mut Findings<'_>,
) {
    let Some(place) = system.host.places.get(key) else { return };
    let help = match meant {
        Some(name) => did_you_mean(name),
        None => "leave it out, or correct the name".to_owned(),
    };
    let found = Diagnostic::warning(&place.source, code, place.span.clone(), what);
    findings.push(found.with_help(help));
}
