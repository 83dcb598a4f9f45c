//! `definitions`: JSON Schemas by name.

use super::reading::Reading;
use crate::model::Contract;
use crate::yaml::Node;

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    contract.definitions = reading.free(node, "`definitions`");
}
