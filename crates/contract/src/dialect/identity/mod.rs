//! `name`, `node_type`, versions: who the node is, in the many ways in which it was said.

pub(in crate::dialect) mod version;

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{made::text, recognise::HANDLER, translate::Translation};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::{KINDS, is_name, missing_kind};
use crate::suggest;
use crate::yaml::{Node, Tree};

/// Takes who the node is.
pub(in crate::dialect) fn translate(
    fields: &mut Fields<'_, '_, '_, '_>,
    made: &mut Translation,
    dialect: &str,
    stem: &str,
) {
    kind(fields, made, dialect);
    translate_named(fields, made, dialect, stem);
}

/// The same, of what is known to be a kind of node.
pub(in crate::dialect) fn translate_named(
    fields: &mut Fields<'_, '_, '_, '_>,
    made: &mut Translation,
    dialect: &str,
    stem: &str,
) {
    name(fields, made, dialect, stem);
    versions(fields, made);
    if let Some(description) = fields.word("description") {
        made.out.text("description", description.value, &description.at.span());
    }
}

/// Keys that name the node, the one that counts first.
const NAMES: [&str; 5] = ["name", "node_name", "handler_name", "contract_name", "handler_id"];

fn name(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation, dialect: &str, stem: &str) {
    let given: Vec<_> = NAMES.iter().filter_map(|key| fields.word(key)).collect();
    let written = match given.first() {
        Some(word) => (word.value.to_string(), word.at.span()),
        None => inner_name(fields.node()).unwrap_or_else(|| {
            nameless(fields, dialect);
            (stem.to_owned(), made.head.clone())
        }),
    };
    let (written, at) = written;
    let name = usable(&written);
    if name != written && !given.is_empty() {
        let place = fields.reading.at(&at);
        let message = format!("`{written}` cannot be the name of a node: it is read as `{name}`");
        fields.reading.findings.warning(code::BAD_NAME, place, message);
    }
    if let (Some(name), Some(other)) = (fields.word("name"), fields.word("node_name"))
        && name.value != other.value
    {
        let message = format!("`node_name` says `{}`, `name` counts", other.as_str());
        fields
            .reading
            .findings
            .warning(code::NAMES_DISAGREE, other.at, message)
            .help("keep `name` only")
            .related(name.at, "the name");
    }
    // The same name, said again.
    for word in given.iter().filter(|word| usable(word.as_str()) == name) {
        fields.reading.acted(&word.at.span());
    }
    made.out.put("name", text(name.as_str(), &at));
    made.name = Text::from(name);
}

fn nameless(fields: &mut Fields<'_, '_, '_, '_>, dialect: &str) {
    let at = fields.head();
    let message = "the contract has no `name`: it is called as its file";
    // The strict dialect tells a contract by its fingerprint and had no key for a name.
    if dialect == "G5" {
        fields.reading.findings.warning(code::MISSING_NAME, at, message);
    } else {
        fields
            .reading
            .findings
            .refuse(code::MISSING_NAME, at, "the contract has no `name`")
            .help("add `name: <node>`; other contracts and topics use it");
    }
}

/// Where sections name the node: the path of keys to it.
const INNER_NAMES: [&[&str]; 8] = [
    &["node_identity", "name"],
    &["node_specification", "node_name"],
    &["state_machine", "state_machine_name"],
    &["state_transitions", "state_machine_name"],
    &["workflow_coordination", "workflow_definition", "workflow_metadata", "workflow_name"],
    &["effect_operations", "subcontract_name"],
    &["compute_operations", "operation_name"],
    &["compute", "operation_name"],
];

fn inner_name(root: &Node) -> Option<(String, std::ops::Range<usize>)> {
    INNER_NAMES.iter().find_map(|path| {
        let node = path.iter().try_fold(root, |node, key| node.get(key))?;
        Some((node.as_str()?.to_owned(), node.span.clone()))
    })
}

/// A name that can stand in a topic: words of letters and digits.
pub(in crate::dialect) fn usable(written: &str) -> String {
    if is_name(written) {
        return written.to_owned();
    }
    let mut name = String::new();
    let mut small = false;
    for c in written.chars() {
        if c.is_ascii_uppercase() && small {
            name.push('_');
        }
        small = c.is_ascii_lowercase() || c.is_ascii_digit();
        match c.is_ascii_alphanumeric() {
            true => name.push(c.to_ascii_lowercase()),
            false if matches!(c, '-' | '.') => name.push(c),
            false => name.push('_'),
        }
    }
    let words: Vec<&str> = name.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("_");
    name.truncate(90);
    let name = name.trim_end_matches('_');
    match name.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => name.to_owned(),
        false => format!("node_{name}").trim_end_matches('_').to_owned(),
    }
}

/// Node types that older models list besides the four, and what each is nearest to.
const LEGACY: [(&str, Kind); 15] = [
    ("runtime_host", Kind::Effect),
    ("gateway", Kind::Effect),
    ("validator", Kind::Compute),
    ("transformer", Kind::Compute),
    ("aggregator", Kind::Reducer),
    ("function", Kind::Compute),
    ("tool", Kind::Effect),
    ("agent", Kind::Effect),
    ("model", Kind::Compute),
    ("plugin", Kind::Effect),
    ("schema", Kind::Compute),
    ("node", Kind::Effect),
    ("workflow", Kind::Orchestrator),
    ("service", Kind::Effect),
    ("unknown", Kind::Effect),
];

fn kind(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation, dialect: &str) {
    let said = fields.get("node_type").is_some();
    let word = match fields.word("node_type") {
        Some(word) => (word.value.to_string(), word.at.span()),
        None if said => return,
        None if dialect == HANDLER => archetype(fields.node(), made),
        None => {
            let at = fields.head();
            return missing_kind(fields, at);
        }
    };
    let (written, at) = word;
    let lower = written.to_ascii_lowercase();
    let plain = lower.strip_suffix("_generic").unwrap_or(&lower);
    let kind = KINDS.iter().find(|(name, _)| *name == plain).map(|(_, kind)| *kind);
    let legacy = LEGACY.iter().find(|(name, _)| *name == plain).map(|(_, kind)| *kind);
    let place = fields.reading.at(&at);
    if let (None, Some(kind)) = (kind, legacy) {
        let message =
            format!("`{written}` is no kind of node here: it is read as {}", word_of(kind));
        fields.reading.findings.warning(code::LEGACY_KIND, place, message);
    }
    made.head = at.clone();
    made.kind = kind.or(legacy);
    match made.kind {
        Some(kind) => made.out.text("node_type", word_of(kind), &at),
        None => {
            let message = format!("unknown node_type `{written}`");
            let nearest = suggest::nearest(plain, KINDS.iter().map(|(name, _)| *name));
            let help = match nearest {
                Some(name) => format!("did you mean `{name}`?"),
                None => "it is one of effect, compute, reducer, orchestrator".to_owned(),
            };
            fields.reading.findings.error(code::UNKNOWN_NODE_TYPE, place, message).help(help);
        }
    }
}

/// What a handler contract says of its node; most handlers are effects.
fn archetype(root: &Node, made: &Translation) -> (String, std::ops::Range<usize>) {
    let said = root.get("descriptor").and_then(|descriptor| descriptor.get("node_archetype"));
    match said {
        Some(Node { tree: Tree::String(word), span, .. }) => (word.to_string(), span.clone()),
        _ => ("effect".to_owned(), made.head.clone()),
    }
}

fn word_of(kind: Kind) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("effect", |(name, _)| name)
}

fn versions(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let (mut first, mut is_said) = (None, false);
    for key in ["contract_version", "node_version", "version", "schema_version"] {
        let Some(node) = fields.get(key) else { continue };
        is_said = true;
        match version::read(node) {
            Some(version) if first.is_none() => {
                fields.reading.acted(&node.span);
                first = Some((version, node.span.clone()));
            }
            Some(_) => {}
            None => {
                fields
                    .reading
                    .error(code::BAD_VERSION, node, "this is no semantic version")
                    .help("write `1.0.0`, or {major: 1, minor: 0, patch: 0}");
            }
        }
    }
    let (version, at) = first.unwrap_or_else(|| {
        let at = fields.head();
        if !is_said {
            let message = "the contract has no version: it counts as 0.0.0";
            fields.reading.findings.warning(code::MISSING_VERSION, at, message);
        }
        ("0.0.0".to_owned(), at.span())
    });
    made.out.text("contract_version", version, &at);
}

#[cfg(test)]
mod tests {
    use super::usable;

    #[test]
    fn every_name_becomes_one_that_can_stand_in_a_topic() {
        for (written, name) in [
            ("node_a", "node_a"),
            ("User Registration Reducer", "user_registration_reducer"),
            ("NodePostgresAdapter", "node_postgres_adapter"),
            ("core__a", "core_a"),
            ("1st", "node_1st"),
            ("", "node"),
        ] {
            assert_eq!(usable(written), name);
        }
    }
}
