//! Files that are no contract of a node: parts, read models, settings of a host.

pub(in crate::dialect) mod host_config;
pub(in crate::dialect) mod part;
pub(in crate::dialect) mod projector;
