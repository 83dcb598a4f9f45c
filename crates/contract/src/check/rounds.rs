//! Messages that go round: a cycle of topics and intents in which every hop is certain.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{
    Action, ActionWork, At, Contract, StateMachine, Transition, TriggerRef, Work, Workflow,
};
use crate::system::{ConsumerKind, PerformerRef, System, default_publication, event_segment};

/// One hop: what comes of a message without any condition.
struct Hop<'s> {
    to: &'s str,
    at: At,
    /// Whether one message may become many.
    fans_out: bool,
}

/// The hops from each topic or intent type.
type Hops<'s> = BTreeMap<&'s str, Vec<Hop<'s>>>;

/// A cycle without a way out, and one in which messages multiply.
pub(super) fn endless(system: &System<'_>, findings: &mut Findings<'_>) {
    let hops = hops(system);
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for start in hops.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(path) = path_back(&hops, start) else {
            continue;
        };
        told.extend(path.iter().map(|hop| hop.to));
        let names: Vec<&str> =
            std::iter::once(*start).chain(path.iter().map(|hop| hop.to)).collect();
        let Some(last) = path.last() else { continue };
        let names = names.join(" -> ");
        if let Some(many) = path.iter().find(|hop| hop.fans_out) {
            let message = format!("each round makes more messages: {names}");
            findings
                .warning(code::MULTIPLIES, many.at, message)
                .help("take `for_each` out of the cycle, or break it with a condition");
        } else {
            findings
                .warning(
                    code::ENDLESS_ROUND,
                    last.at,
                    format!("messages go round for ever: {names}"),
                )
                .help("add a condition to one of the hops, or let it end in another topic");
        }
    }
}

/// A shortest way back to where it begins.
fn path_back<'h, 's>(hops: &'h Hops<'s>, start: &'s str) -> Option<Vec<&'h Hop<'s>>> {
    let mut came: BTreeMap<&str, (&str, &Hop<'s>)> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for hop in hops.get(at).into_iter().flatten() {
            if came.contains_key(hop.to) {
                continue;
            }
            came.insert(hop.to, (at, hop));
            if hop.to == start {
                let mut path = vec![hop];
                let mut back = at;
                while back != start {
                    let (before, hop) = came.get(back)?;
                    path.push(hop);
                    back = before;
                }
                path.reverse();
                return Some(path);
            }
            queue.push_back(hop.to);
        }
    }
    None
}

fn hops<'s>(system: &'s System<'_>) -> Hops<'s> {
    let mut hops = Hops::new();
    for (topic, uses) in &system.topics {
        let to = hops.entry(topic.as_str()).or_default();
        for consumer in &uses.consumers {
            let contract = &system.contracts[consumer.node];
            match consumer.kind {
                ConsumerKind::Operation(index) => operation(contract, index, to),
                ConsumerKind::Subscription if begins(contract, topic) => {
                    heard(contract, topic, to);
                }
                // A wait goes on with a run that there is: it begins nothing.
                ConsumerKind::Subscription | ConsumerKind::Run => {}
            }
        }
    }
    for (intent, uses) in &system.intents {
        let to = hops.entry(intent.as_str()).or_default();
        for PerformerRef { node, operation: performed, .. } in uses.performers.iter().copied() {
            let contract = &system.contracts[node];
            match (performed, &contract.workflow) {
                (Some(index), _) => operation(contract, index, to),
                (None, Some(run)) => workflow(run, to),
                (None, None) => {}
            }
        }
    }
    hops
}

/// Whether messages of a subscribed topic begin something in a node.
fn begins(contract: &Contract<'_>, topic: &str) -> bool {
    contract
        .workflow
        .as_ref()
        .is_none_or(|workflow| workflow.begun_by(contract).any(|begun| begun.as_str() == topic))
}

fn hop<'s>(to: &'s str, at: At) -> Hop<'s> {
    Hop { to, at, fans_out: false }
}

/// What a subscriber makes of a topic's message.
fn heard<'s>(contract: &'s Contract<'_>, topic: &str, hops: &mut Vec<Hop<'s>>) {
    if let Some(machine) = &contract.state_machine {
        reducer(contract, machine, topic, hops);
    } else if let Some(run) = &contract.workflow {
        workflow(run, hops);
    } else if contract.compute.is_some() {
        hops.extend(default_publication(contract).map(|topic| hop(topic.as_str(), topic.at)));
    }
}

/// What an operation publishes when it succeeds.
fn operation<'s>(contract: &'s Contract<'_>, index: usize, hops: &mut Vec<Hop<'s>>) {
    let operations = contract.effect.as_ref().map_or(&[][..], |effect| &effect.operations);
    let outcome = operations.get(index).and_then(|operation| operation.response.outcome.as_ref());
    let default = default_publication(contract).filter(|_| outcome.is_none());
    hops.extend(outcome.map(|outcome| &outcome.topic).or(default).map(|t| hop(t.as_str(), t.at)));
}

/// What a run publishes when it completes.
fn workflow<'s>(workflow: &'s Workflow<'_>, hops: &mut Vec<Hop<'s>>) {
    hops.extend(
        workflow.outcomes.completed.iter().map(|end| hop(end.topic.as_str(), end.topic.at)),
    );
    for step in &workflow.nodes {
        let certain = step.condition.is_none() && step.skip_condition.is_none();
        if let (Some(Work::Publish { topic, .. }), true) = (&step.work, certain) {
            let fans_out = step.for_each.is_some();
            hops.push(Hop { fans_out, ..hop(topic.as_str(), topic.at) });
        }
    }
}

/// What a machine emits each time it hears a topic, as long as it goes on hearing it: in states
/// where an unguarded transition does so and leads to such a state again.
fn reducer<'s>(
    contract: &Contract<'_>,
    machine: &'s StateMachine<'_>,
    topic: &str,
    hops: &mut Vec<Hop<'s>>,
) {
    let taken: Vec<Option<&Transition<'_>>> = machine
        .states
        .iter()
        .enumerate()
        .map(|(at, _)| taken(contract, machine, at, topic))
        .map(|taken| taken.filter(|transition| is_unguarded(transition)))
        .collect();
    let mut stays: Vec<bool> = taken.iter().map(Option::is_some).collect();
    loop {
        let before = stays.clone();
        for (at, transition) in taken.iter().enumerate() {
            let leaves = |t: &Transition<'_>| t.to.is_some() && machine.states[at].terminal;
            let to = transition.filter(|t| !leaves(t)).and_then(|t| match &t.to {
                Some(to) => machine.find(to.as_str()),
                None => Some(at),
            });
            stays[at] &= to.is_some_and(|to| before[to]);
        }
        if stays == before {
            break;
        }
    }
    let reached = super::reachable::reached(machine);
    let round =
        taken.iter().zip(&stays).zip(&reached).filter(|((_, stays), reached)| **stays && **reached);
    for transition in round.filter_map(|((transition, _), _)| *transition) {
        hops.extend(transition.actions.iter().filter_map(emitted));
    }
}

fn emitted<'s>(action: &'s Action<'_>) -> Option<Hop<'s>> {
    let fans_out = action.for_each.is_some();
    let word = match &action.work {
        ActionWork::Intent { intent_type, .. } => intent_type,
        ActionWork::Event { topic, .. } => topic,
        _ => return None,
    };
    Some(Hop { fans_out, ..hop(word.as_str(), word.at) })
}

/// The transition tried first in a state.
fn taken<'m, 'a>(
    contract: &Contract<'_>,
    machine: &'m StateMachine<'a>,
    state: usize,
    topic: &str,
) -> Option<&'m Transition<'a>> {
    let hears = |t: &&Transition<'_>| match &t.trigger {
        TriggerRef::Topic { topic: named, .. } => named.as_str() == topic,
        TriggerRef::Name(name) => {
            event_segment(topic) == Some(name.as_str())
                && contract.event_bus.subscribe.iter().any(|entry| entry.topic.as_str() == topic)
        }
    };
    let exact = |t: &&Transition<'_>| matches!(t.from, crate::model::From::States(_));
    let candidates = || machine.leaving(state).filter(hears);
    let best = candidates().filter(exact).max_by_key(|t| t.priority);
    best.or_else(|| candidates().max_by_key(|t| t.priority))
}

fn is_unguarded(transition: &Transition<'_>) -> bool {
    transition.conditions.is_empty()
        && !matches!(&transition.trigger, TriggerRef::Topic { when: Some(_), .. })
}
