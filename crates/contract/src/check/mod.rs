//! Rules about one contract and about the whole system. A rule only adds findings.
//!
//! One family a file, one function a rule, one line a rule in [`RULES`] or, where it
//! judges compiled expressions, in [`LINKED_RULES`].

mod attempts;
mod capability;
mod compensation;
mod edge;
mod effect;
mod fan_out;
mod given;
mod guard;
mod host;
mod identity;
mod intent;
mod late_outcome;
mod patience;
mod reachable;
mod reducer;
mod rounds;
mod route;
mod schedule;
mod shadow;
mod spelling;
mod topic;
mod workflow;

use crate::findings::Findings;
use crate::graph::Kind;
use crate::link::Linked;
use crate::system::System;

/// One rule.
type Rule = fn(&System<'_>, &mut Findings<'_>);

/// Every rule, by family.
const RULES: &[Rule] = &[
    identity::wrong_section,
    identity::inert,
    reducer::unknown_state,
    reducer::duplicate_name,
    reducer::unknown_trigger,
    reducer::ambiguous,
    reducer::leaves_terminal,
    reducer::timeout_unhandled,
    reducer::timeout_never_fires,
    reducer::bad_timeout,
    reducer::nothing_heard,
    reachable::unreachable_state,
    reachable::dead_end,
    reachable::never_acts,
    shadow::never_tried,
    late_outcome::late_outcome,
    late_outcome::unanswered,
    late_outcome::failure_unheard,
    workflow::empty,
    workflow::duplicate_step,
    workflow::unknown_dependency,
    workflow::cycle,
    workflow::unknown_node,
    workflow::unknown_operation,
    workflow::unknown_trigger,
    workflow::step_type,
    workflow::no_failed_outcome,
    workflow::waits_too_long,
    route::only_by_api,
    route::never_begun,
    route::unused_compute,
    compensation::unsaid,
    compensation::nothing_to_undo,
    effect::unknown_kind,
    effect::io_config,
    effect::body_missing,
    effect::duplicate_operation,
    effect::retry_not_idempotent,
    effect::breaker_too_slow,
    effect::no_status,
    effect::code_twice,
    effect::never_triggered,
    capability::compared,
    host::not_allowed,
    host::path_not_allowed,
    given::ingress,
    patience::attempt,
    patience::retries,
    patience::workflow,
    patience::state,
    attempts::amplified,
    intent::bad_name,
    intent::no_performer,
    intent::two_performers,
    topic::bad_topic,
    topic::unlisted,
    topic::listed_twice,
    topic::never_published,
    topic::not_taken,
    topic::entries_and_exits,
    topic::command_shared,
    schedule::bad_cron,
    schedule::unknown_timezone,
    schedule::too_frequent,
    edge::producers_disagree,
    edge::misfit,
];

/// One rule about compiled expressions.
type LinkedRule = fn(&System<'_>, &Linked, &mut Findings<'_>);

/// Every rule that needs expressions compiled.
const LINKED_RULES: &[LinkedRule] = &[
    guard::never_holds,
    guard::never_runs,
    fan_out::unbounded_actions,
    fan_out::unbounded_steps,
    rounds::endless,
    rounds::multiplies,
    given::config,
];

/// Applies every rule.
pub(crate) fn check(system: &System<'_>, findings: &mut Findings<'_>) {
    for rule in RULES {
        rule(system, findings);
    }
}

/// Applies every rule about what was linked.
pub(crate) fn check_linked(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    for rule in LINKED_RULES {
        rule(system, linked, findings);
    }
}

/// The help that names what was probably meant, or another.
fn meant<'n>(
    word: &str,
    names: impl IntoIterator<Item = &'n str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match crate::suggest::nearest(word, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => otherwise(),
    }
}

/// What a reader calls a kind.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Effect => "an effect",
        Kind::Compute => "a compute",
        Kind::Reducer => "a reducer",
        Kind::Orchestrator => "an orchestrator",
    }
}
