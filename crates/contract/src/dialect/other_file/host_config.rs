//! `runtime_config.yaml`: the settings of an old host. Ours are in `onex.toml`.

use crate::diagnostic::code;
use crate::dialect::{
    identity::version,
    other_file::part,
    topic::name as topic_name,
    translate::{Translated, Verdict},
};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::topic;
use crate::yaml::Node;

/// Reads the file; what of it has a place in `onex.toml` is told.
pub(in crate::dialect) fn read(reading: &mut Reading<'_, '_>, root: &Node) -> Translated {
    part::tell(reading, root, "the settings of an old host");
    if let Some(mut fields) = Fields::open(reading, root, "the settings") {
        fields.descriptive(&["name", "description", "contract_version", "version"]);
        if let Some(node) = fields.get("contract_version")
            && version::read(node).is_none()
        {
            fields.reading.error(code::BAD_VERSION, node, "this is no semantic version");
        }
        for key in ["input_topic", "output_topic"] {
            let Some(word) = fields.word(key) else { continue };
            if let (None, Err(fault)) =
                (topic_name::read(word.as_str()), topic::parse(word.as_str()))
            {
                let message = format!("`{}`: {fault}", word.as_str());
                fields.reading.findings.warning(code::BAD_TOPIC, word.at, message);
            }
        }
        for (key, instead) in SETTINGS {
            moved(&mut fields, key, instead);
        }
        fields.not_enforced(&["group_id", "consumer_group", "metadata", "node_version"]);
        fields.not_enforced(&["input_topic", "output_topic"]);
        fields.close();
    }
    Translated { root: None, verdict: Verdict::Inert }
}

/// Settings, and where they are now.
const SETTINGS: [(&str, &str); 9] = [
    ("event_bus", "messages are in the host's own log"),
    ("contract_registry", "contracts are read when the host starts"),
    ("local_ingress", "every host answers over HTTP, see [http] in `onex.toml`"),
    ("pattern_b_broker", "a message on a topic begins the work"),
    ("handlers", "effects are allowed in [effects] of `onex.toml`"),
    ("logging", "see [log] in `onex.toml`"),
    ("shutdown", "the host waits for what is under way"),
    ("health", "every host answers on /health"),
    ("profiles", "a host runs every contract of its folder"),
];

fn moved(fields: &mut Fields<'_, '_, '_, '_>, key: &'static str, instead: &str) {
    if fields.get(key).is_some() {
        let at = fields.key_at(key);
        let message = format!("`{key}` is not enforced: {instead}");
        fields.reading.findings.note(code::NOT_ENFORCED, at, message);
    }
}
