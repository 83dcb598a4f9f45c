//! What effects reach, against what the host lets them reach.

use std::net::IpAddr;

use crate::catalog::EffectKind;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{At, Contract};
use crate::system::System;
use crate::yaml::Tree;

/// A URL whose host is written in the contract, or given by `config`, and not allowed.
pub(super) fn not_allowed(system: &System<'_>, findings: &mut Findings<'_>) {
    for Reaching { contract, kind, allow, template, at } in reaching(system, |kind| kind.url_fields)
    {
        let Some(target) = target(system, contract, template) else {
            continue;
        };
        if !allows(allow, &target) {
            let message = format!("this host does not let `{kind}` reach {target}");
            findings
                .warning(code::HOST_NOT_ALLOWED, at, message)
                .help(format!("add it in onex.toml: [effects.{kind}] allow = [..., \"{target}\"]"));
        }
    }
}

/// A path that is written in the contract, or begins with a value of `config`, and lies in no
/// folder that the host lets effects use.
pub(super) fn path_not_allowed(system: &System<'_>, findings: &mut Findings<'_>) {
    for Reaching { contract, kind, allow, template, at } in
        reaching(system, |kind| kind.path_fields)
    {
        let Some(path) = resolved(system, contract, template) else {
            continue;
        };
        let message = if path.split('/').any(|name| name == "..") {
            format!("`{kind}` never goes up with `..`")
        } else if !is_below(&path, allow) {
            format!("this host does not let `{kind}` reach {path}")
        } else {
            continue;
        };
        findings.warning(code::HOST_NOT_ALLOWED, at, message).help(format!(
            "name a file below an allowed folder, or add its folder in onex.toml: [effects.{kind}] allow = [...]"
        ));
    }
}

/// A text of an operation that says what its effect reaches.
struct Reaching<'s> {
    contract: &'s Contract<'s>,
    kind: &'s str,
    allow: &'s [String],
    template: &'s str,
    at: At,
}

/// Every such text in the fields that `fields` names, where the host says what may be reached.
fn reaching<'s>(
    system: &'s System<'_>,
    fields: fn(&EffectKind) -> &'static [&'static str],
) -> impl Iterator<Item = Reaching<'s>> {
    system.operations().flat_map(move |(contract, operation)| {
        let kind = operation.io.kind.as_str();
        let known = system.catalog.effects.get(kind).zip(system.host.allow.get(kind));
        known.into_iter().flat_map(move |(known, allow)| {
            let names = fields(known);
            let given = operation.io.fields.iter();
            let given = given.filter(move |(field, _)| names.contains(&field.as_str()));
            given.filter_map(move |(_, data)| match &data.node.tree {
                Tree::String(template) => {
                    Some(Reaching { contract, kind, allow, template, at: data.at })
                }
                _ => None,
            })
        })
    })
}

/// Whether a path is relative, which is meant from an allowed folder, or may be below one: what
/// comes after a `${` is not known.
fn is_below(path: &str, allow: &[String]) -> bool {
    let known = path.split("${").next().unwrap_or_default();
    if !known.starts_with('/') {
        return true;
    }
    allow.iter().any(|folder| {
        let folder = folder.trim_end_matches('/');
        let inside =
            known.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside || (known.len() < path.len() && folder.starts_with(known))
    })
}

/// A template that begins with `config` as it is on this host; `None` when the value is not known.
fn resolved(system: &System<'_>, contract: &Contract<'_>, template: &str) -> Option<String> {
    match template.strip_prefix("${config.").and_then(|t| t.split_once('}')) {
        Some((name, rest)) => Some(format!("{}{rest}", config(system, contract, name)?)),
        None => Some(template.to_owned()),
    }
}

/// `host:port` of a URL template, when its beginning is known.
fn target(system: &System<'_>, contract: &Contract<'_>, template: &str) -> Option<String> {
    let url = resolved(system, contract, template)?;
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.is_empty() || authority.contains(['$', '@']) {
        return None;
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    Some(if has_port { authority.to_owned() } else { format!("{authority}:{port}") })
}

/// The text that `config.<name>` has on this host.
fn config(system: &System<'_>, contract: &Contract<'_>, name: &str) -> Option<String> {
    let given = [contract.name.as_str(), ""]
        .into_iter()
        .find_map(|node| system.host.config.get(node)?.get(name)?.as_str().map(str::to_owned));
    let default = || {
        let (_, data) = contract.config.iter().find(|(key, _)| key.as_str() == name)?;
        data.node.as_str().map(str::to_owned)
    };
    given.or_else(default)
}

/// Whether the list names the target, or an address range or `loopback` covers it. A name that is
/// not listed may still lead to an allowed address when it is used; only `localhost` surely does.
fn allows(allow: &[String], target: &str) -> bool {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || bare == "localhost"
        || bare.ends_with(".localhost");
    allow.iter().any(|entry| match entry.as_str() {
        "loopback" => loopback,
        // Ranges are judged when the address is known.
        range if range.contains('/') => bare.parse::<IpAddr>().is_ok(),
        named => named.eq_ignore_ascii_case(target),
    })
}
