//! Values and the expression language: JSON in and out, CEL (lexer, parser, checker,
//! evaluator with fuel) and templates.
//!
//! Knows nothing of contracts, clocks, files or randomness.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod json;
pub mod value;

pub mod scope;
pub mod types;

pub mod fault;
mod never;
pub mod program;
pub mod template;
pub mod time;

mod check;
mod eval;
mod function;
mod plan;
mod syntax;

pub use fault::{Compiled, EvalError, Fault, Severity};
pub use function::function_names;
pub use never::{Known, SIZE, never_all_hold};
pub use program::{Fuel, Program, TextError, eval_text};
pub use scope::{Root, Scope};
pub use smol_str::SmolStr as Text;
pub use syntax::{DEPTH_MAX, LITERALS_MAX, SOURCE_MAX};
pub use template::{Place, Template, meant_as_expression};
pub use types::{Field, ObjectType, Type};
pub use value::{Key, Map, Value};

/// The start of a text, short enough for a message: payloads must not leak into errors.
pub(crate) fn brief(text: &str) -> alloc::string::String {
    const BYTES_MAX: usize = 60;
    if text.len() <= BYTES_MAX {
        return text.into();
    }
    let end = (0..=BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    alloc::format!("{}...", &text[..end])
}
