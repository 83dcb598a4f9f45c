//! JSON Schema 2020-12 over the one `Value`.
//!
//! As in contracts, a string where a schema may stand names a definition, and `{from: node, name:
//! X}` one of another node. In reading order: [`Definitions`] every named schema, [`check()`] what
//! is wrong with one as written, `reference` what a name or `$ref` means, `weight` how much one has
//! a validator do, `translate` to plain JSON Schema, `ty` to an expression type, `json` how the validator reads our values, `misfit` what it
//! says of them.
//!
//! `format` and `content*` only describe, as the standard has it; remote references are refused.

mod check;
mod definitions;
pub(crate) mod fit;
mod json;
mod keyword;
mod misfit;
mod place;
mod reference;
mod translate;
mod ty;
mod weight;

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use onex_expr::{Type, Value};

use crate::yaml::Node;

pub use check::check;
pub use definitions::Definitions;
pub(crate) use place::parts_at;

use json::OurJson;
use reference::Scope;

/// How many misfits of one value are told.
pub const MISFITS_MAX: usize = 16;

/// A compiled schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: Option<String>,
    ty: Type,
    document: Value,
    validator: Validator<OurJson>,
}

/// One way in which a value does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// JSON pointer into the value, `` for the whole.
    pub at: String,
    /// What is expected there, without content of the value longer than 64 bytes.
    pub message: String,
}

/// Why there is no schema; [`check()`] tells the same with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SchemaError {}

/// The node and definition that a reference names; `None` when the schema itself stands there.
pub(crate) fn named<'n>(owner: &'n str, node: &'n Node) -> Option<(&'n str, &'n str)> {
    reference::of_other_node(node).or_else(|| Some((owner, node.as_str()?)))
}

impl Schema {
    /// Compiles what stands where a schema may stand in a contract of the node `owner`: a name, a
    /// reference to another node's definition, or the schema itself.
    pub fn compile(
        owner: &str,
        node: &Node,
        definitions: &Definitions<'_>,
    ) -> Result<Schema, SchemaError> {
        let scope = Scope { owner, root: node };
        let name = node.as_str().or_else(|| reference::of_other_node(node).map(|(_, name)| name));
        weight::check(scope, node, definitions)
            .map_err(|heavy| SchemaError { message: heavy.told() })?;
        let document = translate::document(scope, definitions)?;
        let ty = ty::of(scope, definitions);
        Schema::build(name.map(str::to_owned), ty, document)
    }

    /// Compiles the definition of a name.
    pub fn named(
        owner: &str,
        name: &str,
        definitions: &Definitions<'_>,
    ) -> Result<Schema, SchemaError> {
        let node = Node::new(crate::yaml::Tree::String(name.into()));
        Schema::compile(owner, &node, definitions)
    }

    /// Compiles a schema that names no definitions but its own `$defs`.
    pub fn from_value(schema: &Value) -> Result<Schema, SchemaError> {
        Schema::compile("", &Node::from_value(schema), &Definitions::default())
    }

    /// Compiles a schema given as JSON text.
    pub fn from_json(schema: &str) -> Result<Schema, SchemaError> {
        let value = Value::from_json(schema).map_err(|error| SchemaError {
            message: format!("not JSON at byte {}: {}", error.at, error.message),
        })?;
        Schema::from_value(&value)
    }

    fn build(name: Option<String>, ty: Type, document: Value) -> Result<Schema, SchemaError> {
        let validator = jsonschema::options_for::<OurJson>()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(false)
            .offline()
            .build(&json::to_serde(&document))
            .map_err(|error| SchemaError { message: error.to_string() })?;
        Ok(Schema { inner: Arc::new(Inner { name, ty, document, validator }) })
    }

    /// What the schema says of the value: `Ok` or at most [`MISFITS_MAX`] misfits.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<Misfit>> {
        if self.inner.validator.is_valid(value) {
            return Ok(());
        }
        let errors = self.inner.validator.iter_errors(value).take(MISFITS_MAX);
        Err(errors.map(|error| misfit::of(&error)).collect())
    }

    /// The expression type of a value that fits.
    pub fn ty(&self) -> &Type {
        &self.inner.ty
    }

    /// The definition's name.
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// The schema itself as plain JSON Schema, with every named definition under `$defs`.
    pub fn document(&self) -> &Value {
        &self.inner.document
    }
}
