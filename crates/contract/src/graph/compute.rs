//! A linked compute.

use onex_expr::{Template, Text};

use crate::schema::Schema;

/// A pure pipeline.
#[derive(Clone, Debug)]
pub struct Compute {
    /// `operation_name`.
    pub operation: Text,
    /// What it takes.
    pub input: Option<Schema>,
    /// What it yields.
    pub output: Option<Schema>,
    /// Steps in order; each one's input is the previous value.
    pub steps: Vec<ComputeStep>,
    /// Where the result of a message is published.
    pub publish_topic: Option<Text>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct ComputeStep {
    /// `step_name`.
    pub name: Text,
    /// What it does.
    pub work: ComputeWork,
}

/// What a compute step does.
#[derive(Clone, Debug)]
pub enum ComputeWork {
    /// `expression_config.value`: replaces the value.
    Replace(Template),
    /// `expression_config.set`: adds to the value, which must be a map.
    Add(Vec<(Text, Template)>),
    /// `mapping`: builds a map from input and earlier steps.
    Mapping(Vec<(Text, Template)>),
}
