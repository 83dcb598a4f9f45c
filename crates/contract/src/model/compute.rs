//! `compute_operations`: a pure pipeline.

use super::{At, Data, Word};

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct ComputeOperation<'a> {
    /// Where it stands.
    pub at: At,
    /// `operation_name`; the node's name when not given.
    pub name: Option<Word>,
    /// What it takes.
    pub input: Option<Data<'a>>,
    /// What it yields.
    pub output: Option<Data<'a>>,
    /// Steps in order.
    pub steps: Vec<ComputeStep<'a>>,
    /// Whether every step could be read.
    pub is_whole: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) struct ComputeStep<'a> {
    /// `step_name`
    pub name: Word,
    /// False: left out.
    pub enabled: bool,
    /// What it does.
    pub work: ComputeWork<'a>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum ComputeWork<'a> {
    /// `expression_config.value`
    Replace(Data<'a>),
    /// `expression_config.set`
    Add(Vec<(Word, Data<'a>)>),
    /// `mapping_config.field_mappings`
    Mapping(Vec<(Word, Data<'a>)>),
}
