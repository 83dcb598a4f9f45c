//! What topics carry, against what is read of it: each message that a contract makes is a call of
//! whoever hears it, where no schema says what the topic carries.

use std::collections::BTreeMap;

use onex_expr::{Text, Type};

use super::callers::{self, Call, Called};
use super::told::{Subject, Told};
use super::{Linker, node_index};
use crate::model::At;
use crate::system::{Consumer, ConsumerKind};

/// One form of a topic's messages, and where it is made.
type Form = (Type, At);

/// The calls that the messages of contracts are.
pub(super) fn calls(linker: &mut Linker<'_, '_, '_>) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut listening: BTreeMap<usize, BTreeMap<Text, Vec<Form>>> = BTreeMap::new();
    for (topic, forms) in forms(linker) {
        let consumers = linker.system.topics.get(&topic).map_or(&[][..], |uses| &uses.consumers);
        for consumer in consumers.iter().filter(|consumer| !declares(linker, consumer, &topic)) {
            match called(linker, consumer, &topic) {
                Some(Called::Heard(..)) => {
                    let heard = listening.entry(consumer.node).or_default();
                    heard.insert(topic.clone(), forms.clone());
                }
                Some(called) => calls.extend(forms.iter().map(|(made, at)| Call {
                    called: called.clone(),
                    made: made.clone(),
                    at: *at,
                })),
                None => {}
            }
        }
    }
    for (node, heard) in listening {
        calls.extend(heard_calls(linker, node, &heard));
    }
    calls
}

/// The forms of the messages of each topic whose payload no producer declares.
fn forms(linker: &Linker<'_, '_, '_>) -> BTreeMap<Text, Vec<Form>> {
    let mut forms: BTreeMap<Text, Vec<Form>> = BTreeMap::new();
    for Told { subject, at, ty } in &linker.told {
        if let Subject::Message(topic) = subject
            && *ty != Type::Dyn
            && linker.system.producer_schema(topic).is_none()
        {
            let forms = forms.entry(topic.clone()).or_default();
            if !forms.iter().any(|(_, place)| place == at) {
                forms.push((ty.clone(), *at));
            }
        }
    }
    forms
}

/// Whether the one who hears it says itself what it wants.
fn declares(linker: &Linker<'_, '_, '_>, consumer: &Consumer, topic: &Text) -> bool {
    let contract = &linker.system.contracts[consumer.node];
    let entries = contract.event_bus.subscribe.iter().filter(|e| e.topic.value == *topic);
    let mut wanted = entries.filter_map(|entry| linker.system.wanted(contract, entry));
    consumer.kind != ConsumerKind::Run && wanted.next().is_some()
}

/// What a message calls in the one who hears it.
fn called(linker: &Linker<'_, '_, '_>, consumer: &Consumer, topic: &Text) -> Option<Called> {
    let contract = &linker.system.contracts[consumer.node];
    let node = node_index(consumer.node)?;
    match consumer.kind {
        ConsumerKind::Operation(operation) => {
            Some(Called::Operation(node, u16::try_from(operation).ok()?))
        }
        ConsumerKind::Run => Some(Called::Heard(node, topic.clone())),
        ConsumerKind::Subscription if contract.state_machine.is_some() => {
            Some(Called::Heard(node, topic.clone()))
        }
        ConsumerKind::Subscription if contract.compute.is_some() => Some(Called::Compute(node)),
        ConsumerKind::Subscription => {
            let workflow = contract.workflow.as_ref()?;
            let mut entries = contract.event_bus.subscribe.iter();
            let begins = entries.any(|e| e.topic.value == *topic && workflow.begins(e));
            begins.then_some(Called::Run(node))
        }
    }
}

/// The calls of a node that hears all these topics: none when nothing goes wrong with the first
/// form of each, the second of each and so on, which spares linking it once for every topic.
fn heard_calls(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    heard: &BTreeMap<Text, Vec<Form>>,
) -> Vec<Call> {
    let Some(index) = node_index(node) else {
        return Vec::new();
    };
    let most = heard.values().map(Vec::len).max().unwrap_or_default();
    let mut calls = Vec::new();
    for nth in 0..most {
        let round: BTreeMap<Text, Form> = heard
            .iter()
            .filter_map(|(topic, forms)| Some((topic.clone(), forms.get(nth)?.clone())))
            .collect();
        let types = round.iter().map(|(topic, (ty, _))| (topic.clone(), ty.clone())).collect();
        if callers::goes_wrong(linker, index, types) {
            calls.extend(round.into_iter().map(|(topic, (made, at))| Call {
                called: Called::Heard(index, topic),
                made,
                at,
            }));
        }
    }
    calls
}
