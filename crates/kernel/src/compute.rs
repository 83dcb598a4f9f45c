//! A compute's result.

use onex_contract::graph::Compute;
use onex_expr::{Text, Value};

/// Why a compute has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputeFault {
    /// `invalid_input`, `invalid_output`, `expression_error`, `exceeded`.
    pub code: Text,
    /// For people.
    pub message: Text,
    /// The pipeline step.
    pub step: Option<Text>,
}

/// Evaluates the pipeline.
pub fn evaluate(
    _compute: &Compute,
    _input: &Value,
    _fuel: &mut u64,
) -> Result<Value, ComputeFault> {
    unimplemented!()
}
