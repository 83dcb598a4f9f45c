//! The sections that are a schema: `input_model` and `output_model`. What a schema may be is
//! judged where names are looked up.

use super::reading::Reading;
use crate::model::Contract;
use crate::yaml::Node;

pub(super) fn read_input<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
    contract: &mut Contract<'a>,
) {
    contract.input_model = Some(reading.data(node));
}

pub(super) fn read_output<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
    contract: &mut Contract<'a>,
) {
    contract.output_model = Some(reading.data(node));
}
