//! Who emits and who performs each intent type.

use std::collections::BTreeMap;

use onex_expr::Text;

use crate::model::{ActionWork, At, Contract};

/// One intent type's uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntentUse {
    /// The places of the actions that emit it.
    pub emitters: Vec<At>,
    /// Who performs it.
    pub performers: Vec<PerformerRef>,
}

/// One place that says it performs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerformerRef {
    /// Index of the contract.
    pub node: usize,
    /// The operation; `None`: a run of an orchestrator.
    pub operation: Option<usize>,
    /// Where it says so.
    pub at: At,
}

/// Collects every use of every intent type.
pub(super) fn collect(contracts: &[Contract<'_>]) -> BTreeMap<Text, IntentUse> {
    let mut intents: BTreeMap<Text, IntentUse> = BTreeMap::new();
    for (node, contract) in contracts.iter().enumerate() {
        for action in contract.state_machine.iter().flat_map(|machine| machine.actions()) {
            if let ActionWork::Intent { intent_type, .. } = &action.work {
                intents.entry(intent_type.value.clone()).or_default().emitters.push(intent_type.at);
            }
        }
        let operations = contract.effect.iter().flat_map(|effect| &effect.operations).enumerate();
        for (index, operation) in operations {
            if let Some(intent) = &operation.on_intent {
                let performer = PerformerRef { node, operation: Some(index), at: intent.at };
                intents.entry(intent.value.clone()).or_default().performers.push(performer);
            }
        }
        for intent in &contract.subscribed_intents {
            let performer = PerformerRef { node, operation: None, at: intent.at };
            intents.entry(intent.value.clone()).or_default().performers.push(performer);
        }
    }
    intents
}
