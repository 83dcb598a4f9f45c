//! Names of topics as older grammars had them.

use crate::topic;

/// Prefixes that named the environment, which is no part of a topic any more.
const PLACEHOLDERS: [&str; 8] = [
    "{env}.",
    "{environment}.",
    "{namespace}.",
    "{tenant}.",
    "${env.ENV}.",
    "${env.ENVIRONMENT}.",
    "${env.ONEX_ENV}.",
    "${env.ONEX_ENVIRONMENT}.",
];
/// The same, spelled out.
const ENVIRONMENTS: [&str; 7] =
    ["dev.", "staging.", "prod.", "test.", "local.", "development.", "production."];

/// The topic that an older name means; `None` when none is meant.
pub(in crate::dialect) fn read(written: &str) -> Option<String> {
    if topic::parse(written).is_ok() {
        return Some(written.to_owned());
    }
    let mut name = written;
    let prefix = |name: &str| {
        PLACEHOLDERS
            .iter()
            .chain(&ENVIRONMENTS)
            .find_map(|p| name.starts_with(p).then_some(p.len()))
    };
    while let Some(length) = prefix(name) {
        name = &name[length..];
    }
    let name = match name.strip_prefix("onex.int.") {
        Some(rest) => format!("onex.intent.{rest}"),
        None => name.to_owned(),
    };
    topic::parse(&name).is_ok().then_some(name)
}

/// Words as one segment of a topic.
pub(in crate::dialect) fn segment(words: &str) -> String {
    let mut out = String::new();
    for c in words.chars() {
        match c.is_ascii_alphanumeric() {
            true => out.push(c.to_ascii_lowercase()),
            false if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    let out = out.trim_end_matches('-');
    match out.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => out.to_owned(),
        false => format!("x{out}"),
    }
}

/// The third segment from its end: the event of a topic.
pub(in crate::dialect) fn event(topic: &str) -> &str {
    topic.split('.').nth(3).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_taken_off_and_old_words_read() {
        for (written, meant) in [
            ("onex.evt.a.b.v1", Some("onex.evt.a.b.v1")),
            ("dev.onex.evt.a.b.v1", Some("onex.evt.a.b.v1")),
            ("{env}.{namespace}.onex.evt.a.b.v1", Some("onex.evt.a.b.v1")),
            ("onex.int.a.b.v1", Some("onex.intent.a.b.v1")),
            ("postgres-query-completed", None),
            ("node.introspected.v1", None),
        ] {
            assert_eq!(read(written).as_deref(), meant, "{written}");
        }
        assert_eq!(segment("ack_received.Now"), "ack-received-now");
    }
}
