//! `config`: names of host values with their type and default.

use super::reading::Reading;
use crate::model::Contract;
use crate::yaml::Node;

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    contract.config = reading.free(node, "`config`");
}
