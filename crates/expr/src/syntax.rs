//! Text to syntax tree: lexer, literals, parser, macros. Knows no names and no types.

mod ast;
mod lexer;
mod literal;
mod macros;
mod parser;

pub(crate) use ast::{Ast, Binary, Expr, Fold, FoldKind, Id};
pub(crate) use lexer::{Lexer, Token};
pub(crate) use parser::parse;

/// The longest text of an expression, in bytes.
pub const SOURCE_MAX: usize = 32 * 1024;
/// The deepest tree, in nodes from the root to a leaf: everything that walks a tree recurses.
pub const DEPTH_MAX: usize = 160;
/// The most items and entries that the list and map literals of one expression may have together.
pub const LITERALS_MAX: usize = 4096;
/// The most syntax faults reported of one text.
const FAULTS_MAX: usize = 8;
