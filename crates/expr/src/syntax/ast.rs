//! The syntax tree: nodes in one vector, children by index, so that dropping it needs no recursion.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crate::{Text, Value};

/// A node's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u32);

impl Id {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ast {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    expr: Expr,
    range: Range<usize>,
    depth: usize,
}

impl Ast {
    /// Adds a node; its depth is one more than its deepest child's.
    pub(crate) fn add(&mut self, expr: Expr, range: Range<usize>) -> Id {
        let mut depth = 0;
        expr.for_each_child(|child| depth = depth.max(self.depth(child)));
        self.nodes.push(Node { expr, range, depth: depth + 1 });
        Id(self.nodes.len() as u32 - 1)
    }

    pub(crate) fn expr(&self, id: Id) -> &Expr {
        &self.nodes[id.index()].expr
    }

    pub(crate) fn range(&self, id: Id) -> Range<usize> {
        self.nodes[id.index()].range.clone()
    }

    pub(crate) fn depth(&self, id: Id) -> usize {
        self.nodes[id.index()].depth
    }

    pub(crate) fn set_range(&mut self, id: Id, range: Range<usize>) {
        self.nodes[id.index()].range = range;
    }
}

#[derive(Debug)]
pub(crate) enum Expr {
    Literal(Value),
    Ident {
        name: Text,
        absolute: bool,
    },
    /// `operand.field`, `operand.?field`
    Select {
        operand: Id,
        field: Text,
        field_range: Range<usize>,
        optional: bool,
    },
    /// `has(operand.field)`
    Has {
        operand: Id,
        field: Text,
        field_range: Range<usize>,
    },
    /// `operand[index]`, `operand[?index]`
    Index {
        operand: Id,
        index: Id,
        optional: bool,
    },
    /// `name(args)`, `target.name(args)`
    Call {
        target: Option<Id>,
        name: Text,
        name_range: Range<usize>,
        args: Box<[Id]>,
    },
    List(Box<[Item]>),
    Map(Box<[Entry]>),
    Not(Id),
    Negate(Id),
    Binary(Binary, Id, Id),
    And(Box<[Id]>),
    Or(Box<[Id]>),
    Ternary(Id, Id, Id),
    Fold(Box<Fold>),
    /// `cel.bind(name, value, body)`
    Bind {
        name: Text,
        value: Id,
        body: Id,
    },
    /// What could not be read; a fault says why.
    Error,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) value: Id,
    pub(crate) optional: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Id,
    pub(crate) value: Id,
    pub(crate) optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterEqual => ">=",
            Binary::In => "in",
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Remainder => "%",
        }
    }
}

/// A macro that evaluates a body once an item.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) kind: FoldKind,
    pub(crate) range: Id,
    pub(crate) first: Text,
    pub(crate) second: Option<Text>,
    pub(crate) filter: Option<Id>,
    pub(crate) body: Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// `map` and `transformList`
    List,
    /// `transformMap`
    MapValues,
    /// `transformMapEntry`
    MapEntries,
    SortBy,
    /// `optMap`: the range is an optional.
    OptMap,
    /// `optFlatMap`
    OptFlatMap,
}

impl Expr {
    /// Calls back with every child.
    pub(crate) fn for_each_child(&self, mut visit: impl FnMut(Id)) {
        match self {
            Expr::Literal(_) | Expr::Ident { .. } | Expr::Error => {}
            Expr::Select { operand, .. } | Expr::Has { operand, .. } => visit(*operand),
            Expr::Not(operand) | Expr::Negate(operand) => visit(*operand),
            Expr::Index { operand: a, index: b, .. }
            | Expr::Binary(_, a, b)
            | Expr::Bind { value: a, body: b, .. } => {
                visit(*a);
                visit(*b);
            }
            Expr::Call { target, args, .. } => target.iter().chain(args).for_each(|id| visit(*id)),
            Expr::List(items) => items.iter().for_each(|item| visit(item.value)),
            Expr::Map(entries) => entries.iter().for_each(|entry| {
                visit(entry.key);
                visit(entry.value);
            }),
            Expr::And(operands) | Expr::Or(operands) => operands.iter().for_each(|id| visit(*id)),
            Expr::Ternary(a, b, c) => [a, b, c].into_iter().for_each(|id| visit(*id)),
            Expr::Fold(fold) => {
                visit(fold.range);
                fold.filter.iter().for_each(|id| visit(*id));
                visit(fold.body);
            }
        }
    }
}
