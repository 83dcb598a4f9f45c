//! Values and the expression language: JSON in and out, CEL (lexer, parser, checker,
//! evaluator with fuel) and templates.
//!
//! Knows nothing of contracts, clocks, files or randomness.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod json;
pub mod program;
pub mod scope;
pub mod template;
pub mod types;
pub mod value;

pub use program::{Compiled, EvalError, Fault, Fuel, Program, Severity};
pub use scope::Scope;
pub use smol_str::SmolStr as Text;
pub use template::{Place, Template};
pub use types::{Field, ObjectType, Type};
pub use value::{Key, Map, Value};
