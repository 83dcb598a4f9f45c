//! Messages that go round: a cycle of topics, intents, runs and timers which nothing ends.
//!
//! `certain` tells which conditions always hold, `hops` what comes of a message, `walk` follows
//! messages through the states of the machines that hear them.

mod certain;
mod hops;
mod loops;
mod walk;

use std::collections::BTreeSet;

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::link::Linked;
use crate::system::System;
use certain::Certain;
use hops::{Hops, Message, When};
use walk::{Step, rounds};

/// A cycle without a way out: first those that nothing ends, then those that go on while something
/// fails, then those that a timer keeps going.
pub(super) fn endless(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    let certain = Certain::of(system, linked);
    let mut told: BTreeSet<Message<'_>> = BTreeSet::new();
    let has_timers = system.machines().any(|(_, machine)| machine.has_timers());
    for timers in [false, true].into_iter().filter(|timers| has_timers || !timers) {
        for least in [When::Always, When::Failing] {
            let hops = Hops { system, certain: &certain, least, timers };
            for round in rounds(&hops) {
                report(&hops, &round, &mut told, findings);
            }
        }
    }
}

fn report<'s>(
    hops: &Hops<'s, '_>,
    round: &[Step<'s>],
    told: &mut BTreeSet<Message<'s>>,
    findings: &mut Findings<'_>,
) {
    if let Some(Message::Run(node)) = only_runs(round) {
        let name = hops.system.contracts[node].name.as_str();
        findings
            .error(
                code::ENDLESS_WORKFLOW,
                round[0].hop.at,
                format!("`{name}` begins itself without end"),
            )
            .help("give one of the steps on the way a `condition`");
        told.extend(round.iter().map(|step| step.from));
        return;
    }
    let multiplies = round.iter().any(|step| step.hop.fans_out);
    let timed = round.iter().any(|step| matches!(step.from, Message::Timer(_)));
    let known = round.iter().any(|step| told.contains(&step.from));
    let Some(last) = round.last().filter(|_| !multiplies && !known) else { return };
    // One that a timer keeps going and something else may end is a reminder.
    if timed && hops.may_be_left(round) {
        return;
    }
    told.extend(round.iter().map(|step| step.from));
    let fails = round.iter().any(|step| step.hop.when == When::Failing);
    let what = if fails { "as long as something fails, messages" } else { "messages" };
    let message = format!("{what} go round for ever: {}", path(hops.system, round));
    findings
        .warning(code::ENDLESS_ROUND, last.hop.at, message)
        .help("add a condition to one of the hops, or let it end in another topic");
}

/// A cycle in which one message becomes many, whatever else it asks.
pub(super) fn multiplies(system: &System<'_>, linked: &Linked, findings: &mut Findings<'_>) {
    if !fans_out(system) {
        return;
    }
    let certain = Certain::of(system, linked);
    let hops = Hops { system, certain: &certain, least: When::Sometimes, timers: false };
    let mut told: BTreeSet<Message<'_>> = BTreeSet::new();
    for round in rounds(&hops) {
        let Some(many) = round.iter().find(|step| step.hop.fans_out) else { continue };
        // Runs that begin one for each part of a whole end where there are no parts.
        if only_runs(&round).is_some() || round.iter().any(|step| told.contains(&step.from)) {
            continue;
        }
        told.extend(round.iter().map(|step| step.from));
        let message = format!("each round makes more messages: {}", path(system, &round));
        findings
            .warning(code::MULTIPLIES, many.hop.at, message)
            .help("take `for_each` out of the cycle, or let it end in another topic");
    }
}

/// Whether anything makes several messages of one.
fn fans_out(system: &System<'_>) -> bool {
    let mut actions = system.machines().flat_map(|(_, machine)| machine.actions());
    let mut steps = system.workflows().flat_map(|(_, workflow)| &workflow.nodes);
    actions.any(|action| action.for_each.is_some()) || steps.any(|step| step.for_each.is_some())
}

/// The first run of a round on which there is nothing else.
fn only_runs<'s>(round: &[Step<'s>]) -> Option<Message<'s>> {
    let all = round.iter().all(|step| matches!(step.from, Message::Run(_)));
    round.first().map(|step| step.from).filter(|_| all)
}

/// The names on a round, from its first back to it.
fn path(system: &System<'_>, round: &[Step<'_>]) -> String {
    let names = round.iter().filter_map(|step| step.from.name(system));
    let first = round.iter().find_map(|step| step.from.name(system));
    names.chain(first).collect::<Vec<_>>().join(" -> ")
}
