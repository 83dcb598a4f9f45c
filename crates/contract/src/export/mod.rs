//! The system as others read it: a picture, a description of its messages, and the schema by which
//! editors know contracts.
//!
//! In reading order: [`picture`] what there is to draw, then one file a form: [`json`],
//! [`mermaid`], [`dot`], [`svg`], [`asyncapi`]; and [`json_schema`] of contracts. Everything is
//! text in a stable order; nothing here judges.

pub mod asyncapi;
pub mod dot;
pub mod json;
pub mod json_schema;
pub mod mermaid;
pub mod picture;
pub mod svg;

pub use picture::Picture;
