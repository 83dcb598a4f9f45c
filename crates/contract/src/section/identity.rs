//! `name`, `node_type`, `contract_version`, `description`: what every contract says of itself.

use onex_expr::Text;

use super::fields::Fields;
use crate::diagnostic::code;
use crate::graph::Kind;
use crate::model::{At, Contract, EventBus, Located, Word};
use crate::suggest;
use crate::yaml::{Node, Tree};

/// Node types by the word that names them in the normal form.
pub(crate) const KINDS: [(&str, Kind); 4] = [
    ("effect", Kind::Effect),
    ("compute", Kind::Compute),
    ("reducer", Kind::Reducer),
    ("orchestrator", Kind::Orchestrator),
];

/// Reads who the contract is; `None` when its kind cannot be told.
pub(super) fn read<'a>(fields: &mut Fields<'a, '_, '_, '_>, stem: &str) -> Option<Contract<'a>> {
    let name = name(fields, stem);
    let kind = kind(fields);
    let version = version(fields);
    let description = fields.word("description").map(|word| word.value).unwrap_or_default();
    Some(Contract {
        name,
        root: fields.node(),
        normal_form: "".into(),
        kind: kind?,
        foreign: None,
        version,
        description,
        capabilities: Vec::new(),
        config: Vec::new(),
        definitions: Vec::new(),
        input_model: None,
        output_model: None,
        event_bus: EventBus::default(),
        subscribed_intents: Vec::new(),
        state_machine: None,
        effect: None,
        compute: None,
        workflow: None,
        sections: Vec::new(),
    })
}

fn name(fields: &mut Fields<'_, '_, '_, '_>, stem: &str) -> Word {
    let head = fields.head();
    if fields.get("name").is_none() {
        fields
            .reading
            .findings
            .error(code::MISSING_NAME, head, "the contract has no `name`")
            .help("add `name: <node>`; other contracts and topics use it");
    } else if let Some(name) = fields.word("name") {
        if !is_name(name.as_str()) {
            let message = format!("`{}` cannot be the name of a node", name.as_str());
            fields.reading.findings.error(code::BAD_NAME, name.at, message).help(NAME_HELP);
        }
        return name;
    }
    Located { value: Text::from(stem), at: head }
}

/// Whether a name may stand in a topic once `_` and `.` are hyphens.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split(['_', '-', '.']).all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// How a name is written.
pub(super) const NAME_HELP: &str =
    "use lower-case words that begin with a letter, joined by `_`, `-` or `.`";

/// The longest name in bytes.
const NAME_MAX: usize = 100;

fn kind(fields: &mut Fields<'_, '_, '_, '_>) -> Option<Located<Kind>> {
    let head = fields.head();
    if fields.get("node_type").is_none() {
        missing_kind(fields, head);
        return None;
    }
    let word = fields.word("node_type")?;
    let found = KINDS.iter().find(|(name, _)| *name == word.as_str());
    if let Some((_, kind)) = found {
        return Some(Located { value: *kind, at: word.at });
    }
    let message = format!("unknown node_type `{}`", word.as_str());
    let nearest = suggest::nearest(word.as_str(), KINDS.iter().map(|(name, _)| *name));
    let help = match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => "it is one of effect, compute, reducer, orchestrator".to_owned(),
    };
    fields.reading.findings.error(code::UNKNOWN_NODE_TYPE, word.at, message).help(help);
    None
}

/// Reports that the kind is not said, and the key that was probably meant to say it.
pub(crate) fn missing_kind(fields: &mut Fields<'_, '_, '_, '_>, head: At) {
    let keys = fields.node().entries().iter().map(|entry| entry.key.as_str());
    // A key of the language that is spelled right means what it says.
    let others = keys.filter(|key| *key != "node_type" && !KNOWN.contains(key));
    let near = others.filter(|key| suggest::nearest(key, ["node_type"]).is_some());
    let near = suggest::nearest("node_type", near).map(str::to_owned);
    let at = near.as_ref().map_or(head, |key| fields.key_at(key));
    let help = match near {
        Some(key) => format!("did you mean `node_type` where it says `{key}`?"),
        None => "add `node_type:` effect, compute, reducer or orchestrator".to_owned(),
    };
    let message = "the contract has no `node_type`";
    fields.reading.findings.error(code::MISSING_NODE_TYPE, at, message).help(help);
}

/// Keys of some dialect that are near to `node_type` and mean something else.
const KNOWN: [&str; 4] = ["node_name", "node_id", "contract_type", "event_type"];

fn version(fields: &mut Fields<'_, '_, '_, '_>) -> Text {
    let head = fields.head();
    let Some(node) = fields.get("contract_version") else {
        fields
            .reading
            .findings
            .error(code::MISSING_VERSION, head, "the contract has no `contract_version`")
            .help("add `contract_version: 1.0.0`");
        return UNKNOWN_VERSION;
    };
    if let Some(version) = version_text(node) {
        return version;
    }
    fields
        .reading
        .error(code::BAD_VERSION, node, "this is no semantic version")
        .help("write `1.0.0`, or {major: 1, minor: 0, patch: 0}");
    UNKNOWN_VERSION
}

/// Stands for a version that could not be read; an error has been reported.
const UNKNOWN_VERSION: Text = Text::new_static("0.0.0");

/// A version as text, from text or from a mapping of its parts.
pub(crate) fn version_text(node: &Node) -> Option<Text> {
    match &node.tree {
        Tree::String(text) => is_version(text).then(|| text.clone()),
        Tree::Map(entries) => {
            let known =
                |key: &str| ["major", "minor", "patch", "prerelease", "build"].contains(&key);
            if !entries.iter().all(|entry| known(&entry.key)) {
                return None;
            }
            let number = |key: &str| match node.get(key)?.tree {
                Tree::Int(value) if value >= 0 => Some(value),
                _ => None,
            };
            let mut text =
                format!("{}.{}.{}", number("major")?, number("minor")?, number("patch")?);
            for (key, mark) in [("prerelease", '-'), ("build", '+')] {
                if let Some(Tree::String(part)) = node.get(key).map(|node| &node.tree) {
                    text.push(mark);
                    text.push_str(part);
                }
            }
            is_version(&text).then(|| Text::from(text))
        }
        _ => None,
    }
}

/// Semantic Versioning 2.0.0: `major.minor.patch`, then `-prerelease` and `+build`.
fn is_version(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(a, b)| (a, Some(b)));
    let (core, prerelease) = rest.split_once('-').map_or((rest, None), |(a, b)| (a, Some(b)));
    let is_number = |part: &str| {
        !part.is_empty()
            && part.len() <= 9
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let is_label = |label: &str| {
        label.split('.').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    };
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && prerelease.is_none_or(is_label)
        && build.is_none_or(is_label)
}
