//! Intents: each type has exactly one performer.

use super::meant;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::At;
use crate::section::is_name;
use crate::system::{IntentUse, System};

fn places(uses: &IntentUse) -> impl Iterator<Item = At> {
    let emitters = uses.emitters.iter().copied();
    emitters.chain(uses.performers.iter().map(|performer| performer.at))
}

/// A name that cannot stand in a topic once its dots and underscores are hyphens.
pub(super) fn bad_name(system: &System<'_>, findings: &mut Findings<'_>) {
    for (intent, uses) in system.intents.iter().filter(|(intent, _)| !is_name(intent)) {
        for at in places(uses) {
            let message = format!("`{intent}` cannot be an intent type");
            findings
                .error(code::BAD_INTENT, at, message)
                .help("use lower-case words that begin with a letter, joined by `.`, `_` or `-`");
        }
    }
}

/// An intent that nobody performs.
pub(super) fn no_performer(system: &System<'_>, findings: &mut Findings<'_>) {
    let performed = |(name, uses): (&'_ onex_expr::Text, &IntentUse)| {
        (!uses.performers.is_empty()).then(|| name.to_string())
    };
    let known: Vec<String> = system.intents.iter().filter_map(performed).collect();
    for (intent, uses) in system.intents.iter().filter(|(_, uses)| uses.performers.is_empty()) {
        if findings.may_be_unread(intent) {
            continue;
        }
        for at in &uses.emitters {
            let help = meant(intent, known.iter().map(String::as_str), || {
                format!("write `on_intent: {intent}` on an operation of an effect")
            });
            let message = format!("nobody performs the intent `{intent}`");
            findings.error(code::NO_PERFORMER, *at, message).help(help);
        }
    }
}

/// An intent that two perform.
pub(super) fn two_performers(system: &System<'_>, findings: &mut Findings<'_>) {
    for (intent, uses) in &system.intents {
        let Some((first, others)) = uses.performers.split_first() else {
            continue;
        };
        for other in others {
            let node = system.contracts[first.node].name.as_str();
            let message = format!("`{node}` performs the intent `{intent}` too");
            findings
                .error(code::TWO_PERFORMERS, other.at, message)
                .help("an intent has one performer: give one of them another type")
                .related(first.at, "the other one");
        }
    }
}
