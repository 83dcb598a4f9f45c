//! The tree that is evaluated: names are slots, constants are folded, functions are found.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crate::function::Function;
use crate::syntax::{Binary, FoldKind};
use crate::{Text, Value};

mod build;

pub(crate) use build::build;

/// An operation's index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct At(u32);

#[derive(Debug)]
pub(crate) struct Plan {
    root: At,
    ops: Vec<Op>,
    ranges: Vec<Range<usize>>,
    /// Bit n: the root in slot n is read.
    pub(crate) uses: u64,
    /// Every static path below a root.
    pub(crate) paths: Vec<(usize, Vec<Text>)>,
    /// Whether lists or maps are made, whose size and depth must then be looked at.
    pub(crate) builds: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            root: At(0),
            ops: Vec::new(),
            ranges: Vec::new(),
            uses: 0,
            paths: Vec::new(),
            builds: false,
        }
    }
}

impl Plan {
    pub(crate) fn root(&self) -> At {
        self.root
    }

    /// The value of a plan that is one.
    pub(crate) fn constant(&self) -> Option<&Value> {
        match self.op(self.root) {
            Op::Const(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn op(&self, at: At) -> &Op {
        &self.ops[at.0 as usize]
    }

    pub(crate) fn range(&self, at: At) -> Range<usize> {
        self.ranges[at.0 as usize].clone()
    }

    /// Where the next operation will stand.
    fn next(&self) -> At {
        At(self.ops.len() as u32)
    }

    fn add(&mut self, op: Op, range: Range<usize>) -> At {
        let at = self.next();
        self.ops.push(op);
        self.ranges.push(range);
        at
    }

    fn replace(&mut self, at: At, op: Op) {
        self.ops[at.0 as usize] = op;
    }
}

#[derive(Debug)]
pub(crate) enum Op {
    Const(Value),
    /// A root, or a field below it.
    Path {
        slot: usize,
        fields: Box<[Text]>,
    },
    /// A variable of a macro, counted from the innermost.
    Local(usize),
    Select {
        operand: At,
        field: Text,
    },
    SelectOptional {
        operand: At,
        field: Text,
    },
    Has {
        operand: At,
        field: Text,
    },
    Index {
        operand: At,
        index: At,
    },
    IndexOptional {
        operand: At,
        index: At,
    },
    Not(At),
    Negate(At),
    And(Box<[At]>),
    Or(Box<[At]>),
    Ternary(At, At, At),
    Binary(Binary, At, At),
    List(Box<[(At, bool)]>),
    Map(Box<[(At, At, bool)]>),
    Call {
        function: &'static Function,
        args: Box<[At]>,
    },
    /// What an optional holds, else something else: `or` (which yields an optional), `orValue`.
    OrElse {
        operand: At,
        otherwise: At,
        unwrap: bool,
    },
    /// `matches` with a pattern known at load.
    Matches {
        text: At,
        regex: Box<regex::Regex>,
    },
    Fold(Box<Fold>),
    Bind {
        value: At,
        body: At,
    },
    /// Fails when reached: a name that nothing bears.
    Fail {
        kind: &'static str,
        message: Box<str>,
    },
}

#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) kind: FoldKind,
    pub(crate) range: At,
    /// Whether the body sees an index or key besides the item.
    pub(crate) two: bool,
    pub(crate) filter: Option<At>,
    pub(crate) body: At,
}
