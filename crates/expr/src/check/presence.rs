//! What is known to be there: after `has(a.b) && ...` nobody needs to be told that `a.b` may be
//! missing.

use alloc::vec::Vec;

use super::{Checker, literal_text};
use crate::Text;
use crate::syntax::{Binary, Expr, Id};

/// A variable or root, and fields below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Path {
    /// The number of a macro's variable; roots have 0.
    local: usize,
    names: Vec<Text>,
}

impl Path {
    /// The one field below a variable of a macro, if that is all there is.
    pub(super) fn field_of(&self, local: usize) -> Option<&Text> {
        match &self.names[..] {
            [_, field] if self.local == local => Some(field),
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// The path that an expression reads, if it is one.
    pub(super) fn path_of(&self, id: Id) -> Option<Path> {
        match self.ast.expr(id) {
            Expr::Ident { name, absolute } => {
                let local = if *absolute { None } else { self.local(name) };
                Some(Path {
                    local: local.map_or(0, |local| local.number),
                    names: Vec::from([name.clone()]),
                })
            }
            Expr::Select { operand, field, .. } => self.path_below(*operand, field),
            Expr::Index { operand, index, .. } => {
                self.path_below(*operand, literal_text(self.ast, *index)?)
            }
            _ => None,
        }
    }

    pub(super) fn path_below(&self, operand: Id, field: &Text) -> Option<Path> {
        let mut path = self.path_of(operand)?;
        path.names.push(field.clone());
        Some(path)
    }

    /// The paths that must be there if an expression turns out `sense`.
    pub(super) fn shown(&self, id: Id, sense: bool) -> Vec<Path> {
        let ast = self.ast;
        match (ast.expr(id), sense) {
            (Expr::Has { operand, field, .. }, true) => self.down_to(*operand, field),
            (Expr::Binary(Binary::In, key, operand), true) => match literal_text(ast, *key) {
                Some(field) => self.down_to(*operand, field),
                None => Vec::new(),
            },
            (Expr::Call { target: Some(target), name, .. }, true) if name == "hasValue" => {
                match ast.expr(*target) {
                    Expr::Select { operand, field, optional: true, .. } => {
                        self.down_to(*operand, field)
                    }
                    _ => Vec::new(),
                }
            }
            (Expr::Not(operand), sense) => self.shown(*operand, !sense),
            (Expr::And(operands), true) | (Expr::Or(operands), false) => {
                operands.iter().flat_map(|operand| self.shown(*operand, sense)).collect()
            }
            (Expr::And(operands), false) | (Expr::Or(operands), true) => {
                let mut each = operands.iter().map(|operand| self.shown(*operand, sense));
                let first = each.next().unwrap_or_default();
                each.fold(first, |mut common, other| {
                    common.retain(|path| other.contains(path));
                    common
                })
            }
            _ => Vec::new(),
        }
    }

    /// A field that is there, and everything on the way to it.
    fn down_to(&self, operand: Id, field: &Text) -> Vec<Path> {
        let Some(path) = self.path_below(operand, field) else {
            return Vec::new();
        };
        let prefixes = 2..=path.names.len();
        prefixes
            .map(|count| Path { local: path.local, names: path.names[..count].to_vec() })
            .collect()
    }
}
