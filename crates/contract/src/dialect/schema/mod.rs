//! Types: definitions in two older languages, and the classes that models name.

pub(in crate::dialect) mod definitions;
pub(in crate::dialect) mod models;
pub(in crate::dialect) mod type_language;
