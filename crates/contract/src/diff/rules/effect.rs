//! Effects: a pending intent stays with the graph that sent it, so policies change without harm;
//! what others wait for does not.

use super::super::rule::{Case, Judge, Judged, Rule, compatible, parts, rule, whole};
use super::super::verdict::Verdict::{Breaking, Compatible, NeedsDrain};
use super::PAYLOAD;

const UNDER_WAY: &str = "intents under way keep the old one";

pub(super) const RULES: &[Rule] = &[
    rule(
        "effect_operations",
        Judge::Each(
            (Compatible, "it had nothing to perform before"),
            (NeedsDrain, "dead letters of its operations can no longer be redriven"),
            (Compatible, UNDER_WAY),
        ),
    ),
    parts("effect_operations.operations", compatible(UNDER_WAY)),
    rule(
        "effect_operations.operations[]",
        Judge::Each(
            (Compatible, "nothing asked for it before"),
            (NeedsDrain, "dead letters of the operation can no longer be redriven"),
            (Compatible, UNDER_WAY),
        ),
    ),
    rule(
        "effect_operations.operations[].on_intent",
        compatible("a pending intent stays with the graph that sent it"),
    ),
    rule("effect_operations.operations[].on_topic", Judge::Elsewhere),
    rule("effect_operations.operations[].idempotent", Judge::By(idempotent)),
    rule("effect_operations.operations[].idempotency_key", KEY),
    rule("effect_operations.operations[].io_config", compatible(UNDER_WAY)),
    rule("effect_operations.operations[].io_config.headers.Idempotency-Key", KEY),
    rule(
        "effect_operations.operations[].ordered",
        compatible("intents that wait in line are performed in the order sent"),
    ),
    whole("effect_operations.operations[].retry_policy", compatible(RETRY)),
    whole("effect_operations.operations[].circuit_breaker", compatible("breakers begin closed")),
    rule(
        "effect_operations.operations[].operation_timeout_ms",
        compatible("intents under way keep their deadline"),
    ),
    whole(
        "effect_operations.operations[].response_handling.success_codes",
        compatible("answers to intents under way are judged as before"),
    ),
    rule(
        "effect_operations.operations[].response_handling.outcome",
        Judge::Each(
            (Compatible, "a fact more"),
            (Breaking, "who waits for the fact gets none"),
            (Compatible, "the fact is told differently"),
        ),
    ),
    rule("effect_operations.operations[].response_handling.outcome.event", Judge::Elsewhere),
    parts("effect_operations.operations[].response_handling.outcome.payload", PAYLOAD),
    parts("effect_operations.operations[].response_handling.refusals", compatible("a fact more")),
    rule("effect_operations.operations[].response_handling.refusals[]", Judge::By(refusal)),
    rule(
        "effect_operations.operations[].response_handling.refusals[].outcome",
        Judge::Each(
            (Compatible, "a fact more"),
            (Breaking, "who waits for the fact gets none"),
            (Compatible, "the fact is told differently"),
        ),
    ),
    rule(
        "effect_operations.operations[].response_handling.refusals[].outcome.event",
        Judge::Elsewhere,
    ),
    parts("effect_operations.operations[].response_handling.refusals[].outcome.payload", PAYLOAD),
    rule(
        "effect_operations.operations[].on_exhausted",
        Judge::Each(
            (Compatible, "a fact more"),
            (Breaking, "who waits for the fact gets none when attempts are used up"),
            (Compatible, "the fact is told differently"),
        ),
    ),
    rule("effect_operations.operations[].on_exhausted.event", Judge::Elsewhere),
    parts("effect_operations.operations[].on_exhausted.payload", PAYLOAD),
];

const RETRY: &str = "intents under way keep their schedule";

/// The key by which a target knows a request again.
const KEY: Judge = Judge::Always(
    NeedsDrain,
    "an attempt whose outcome is unknown is repeated under another key: the target would do it twice",
);

fn idempotent(case: &Case<'_, '_>) -> Judged {
    let says = case.difference.new.map(|node| matches!(node.tree, crate::yaml::Tree::Bool(true)));
    match says {
        Some(true) => Judged::new(Compatible, "a new intent may be attempted again"),
        Some(false) => {
            let reason = "a new intent is attempted once; after a crash it may be in doubt";
            Judged::new(Compatible, reason)
        }
        None => {
            Judged::new(Compatible, "whether an intent may be attempted again follows its kind")
        }
    }
}

fn refusal(case: &Case<'_, '_>) -> Judged {
    let had_outcome = case.difference.old.is_some_and(|node| node.get("outcome").is_some());
    match (case.difference.old, case.difference.new) {
        (Some(_), None) if had_outcome => {
            Judged::new(Breaking, "who waits for the fact gets none: the answer is a dead letter")
        }
        (Some(_), None) => Judged::new(Compatible, "the answer is judged by its status alone"),
        (None, _) => Judged::new(Compatible, "an answer that was a dead letter has an outcome"),
        _ => Judged::new(Compatible, "the fact is told differently"),
    }
}
