//! `intent_consumption`: intents that begin a run of an orchestrator.

use super::fields::Fields;
use super::reading::Reading;
use crate::model::Contract;
use crate::yaml::Node;

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`intent_consumption`") else {
        return;
    };
    contract.subscribed_intents = fields.words("subscribed_intents");
    fields.not_built(&["intent_routing_table"]);
    fields.close();
}
