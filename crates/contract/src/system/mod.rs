//! All contracts together, with every name looked up: who hears and who publishes a topic, who
//! emits and who performs an intent, what each schema reference means.
//!
//! Rules judge it and the linker compiles it; it changes nothing and reports only what cannot be
//! looked up at all.

mod idempotency;
mod intents;
mod schemas;
mod topics;

use std::collections::BTreeMap;

use onex_expr::Text;

pub(crate) use idempotency::{idempotent, verb};
pub(crate) use intents::{IntentUse, PerformerRef};
pub(crate) use topics::{
    Consumer, ConsumerKind, TopicUse, default_publication, event_segment, published,
};

use crate::catalog::{Catalog, HostValues};
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::Kind;
use crate::model::{
    At, Contract, Data, EffectOperation, EffectOperations, StateMachine, SubscribeTopic, TIMEOUT,
    Word, Work, Workflow,
};
use crate::schema::Schema;
use schemas::Schemas;

/// The whole.
pub(crate) struct System<'a> {
    /// Every contract, by name, each name once.
    pub contracts: Vec<Contract<'a>>,
    /// Every topic that is named anywhere.
    pub topics: BTreeMap<Text, TopicUse>,
    /// Every intent type that is named anywhere.
    pub intents: BTreeMap<Text, IntentUse>,
    /// What the host can perform.
    pub catalog: &'a Catalog,
    /// What the host gives.
    pub host: &'a HostValues,
    schemas: Schemas,
    /// Where the schema stands that producers declare for a topic.
    declared: BTreeMap<Text, At>,
}

impl<'a> System<'a> {
    /// Puts contracts together.
    pub(crate) fn new(
        contracts: Vec<Contract<'a>>,
        catalog: &'a Catalog,
        host: &'a HostValues,
        findings: &mut Findings<'_>,
    ) -> System<'a> {
        let contracts = each_name_once(contracts, findings);
        let schemas = Schemas::resolve(&contracts, findings);
        let topics = topics::collect(&contracts);
        let intents = intents::collect(&contracts);
        let declared = declared(&contracts, &schemas);
        System { contracts, topics, intents, catalog, host, schemas, declared }
    }

    /// Index of a contract by name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.contracts.binary_search_by(|contract| contract.name.as_str().cmp(name)).ok()
    }

    /// What a schema reference means; `None` when it could not be resolved.
    pub(crate) fn schema(&self, reference: &Data<'_>) -> Option<&Schema> {
        self.schemas.get(reference.at)
    }

    /// What an optional schema reference means.
    pub(crate) fn schema_of(&self, reference: Option<&Data<'_>>) -> Option<&Schema> {
        reference.and_then(|reference| self.schema(reference))
    }

    /// The schema that producers declare for a topic: the first, by node name.
    pub(crate) fn producer_schema(&self, topic: &str) -> Option<&Schema> {
        self.schemas.get(*self.declared.get(topic)?)
    }

    /// What a subscriber demands of a topic's messages.
    pub(crate) fn wanted(
        &self,
        contract: &Contract<'a>,
        entry: &SubscribeTopic<'a>,
    ) -> Option<&Schema> {
        let compute = contract.compute.as_ref().and_then(|compute| compute.input.as_ref());
        self.schema(entry.payload.as_ref().or(contract.input_model.as_ref()).or(compute)?)
    }

    /// Every state machine.
    pub(crate) fn machines(&self) -> impl Iterator<Item = (&Contract<'a>, &StateMachine<'a>)> {
        self.contracts.iter().filter_map(|c| Some((c, c.state_machine.as_ref()?)))
    }

    /// Every workflow.
    pub(crate) fn workflows(&self) -> impl Iterator<Item = (&Contract<'a>, &Workflow<'a>)> {
        self.contracts.iter().filter_map(|c| Some((c, c.workflow.as_ref()?)))
    }

    /// Every effect.
    pub(crate) fn effects(&self) -> impl Iterator<Item = (&Contract<'a>, &EffectOperations<'a>)> {
        self.contracts.iter().filter_map(|c| Some((c, c.effect.as_ref()?)))
    }

    /// Every operation of every effect.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&Contract<'a>, &EffectOperation<'a>)> {
        self.effects().flat_map(|(contract, effect)| {
            effect.operations.iter().map(move |operation| (contract, operation))
        })
    }

    /// The triggers that steps of workflows give to a reducer, each name once.
    pub(crate) fn step_triggers(&self, reducer: &str) -> Vec<&Word> {
        let mut triggers: Vec<&Word> = Vec::new();
        for step in self.workflows().flat_map(|(_, workflow)| &workflow.nodes) {
            if let Some(Work::Reduce { node, trigger }) = &step.work
                && node.as_str() == reducer
                && trigger.as_str() != TIMEOUT
                && !triggers.iter().any(|known| known.value == trigger.value)
            {
                triggers.push(trigger);
            }
        }
        triggers
    }

    /// The effect and operation that a step or compensation means: the only operation when none
    /// is named. `None` when either does not exist, which a rule reports.
    pub(crate) fn operation(
        &self,
        node: &Word,
        operation: Option<&Word>,
    ) -> Option<(usize, usize)> {
        let at = self.find(node.as_str())?;
        let effect = self.contracts[at].effect.as_ref()?;
        match operation {
            Some(name) => effect.find(name.as_str()).map(|index| (at, index)),
            None => (effect.operations.len() == 1).then_some((at, 0)),
        }
    }

    /// Names of the nodes of a kind.
    pub(crate) fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.contracts
            .iter()
            .filter(move |contract| contract.kind.value == kind)
            .map(|contract| contract.name.as_str())
    }
}

/// For each topic the first place, by node name, that declares a schema which could be resolved.
fn declared(contracts: &[Contract<'_>], schemas: &Schemas) -> BTreeMap<Text, At> {
    let mut declared = BTreeMap::new();
    for entry in contracts.iter().flat_map(|contract| &contract.event_bus.publish) {
        if let Some(data) = entry.payload.as_ref().filter(|data| schemas.get(data.at).is_some()) {
            declared.entry(entry.topic.value.clone()).or_insert(data.at);
        }
    }
    declared
}

/// Sorts by name; of several contracts with one name the first counts.
fn each_name_once<'a>(
    mut contracts: Vec<Contract<'a>>,
    findings: &mut Findings<'_>,
) -> Vec<Contract<'a>> {
    contracts.sort_by(|a, b| (&a.name.value, a.name.at).cmp(&(&b.name.value, b.name.at)));
    let mut kept: Vec<Contract<'a>> = Vec::with_capacity(contracts.len());
    for contract in contracts {
        match kept.last() {
            Some(first) if first.name.value == contract.name.value => {
                let message = format!("another node is called `{}` too", contract.name.as_str());
                findings
                    .error(code::DUPLICATE_NODE, contract.name.at, message)
                    .help("rename one of the two")
                    .related(first.name.at, "the other one");
            }
            _ => kept.push(contract),
        }
    }
    kept
}
