//! Syntax tree to plan.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::{At, Fold, Op, Plan};
use crate::scope::Found;
use crate::syntax::{self, Ast, Expr, Id};
use crate::{Fault, Scope, Text, Value, eval, function};

/// Steps that folding one constant operation may take at load.
const FOLD_FUEL: u64 = 10_000;

/// Resolves names and folds constants. What is wrong with a constant is a fault.
pub(crate) fn build(ast: &Ast, root: Id, scope: &Scope) -> (Plan, Vec<Fault>) {
    let mut builder = Builder {
        ast,
        scope,
        plan: Plan::default(),
        locals: Vec::new(),
        tips: Vec::new(),
        faults: Vec::new(),
    };
    builder.plan.root = builder.expr(root);
    (builder.plan, builder.faults)
}

struct Builder<'a> {
    ast: &'a Ast,
    scope: &'a Scope,
    plan: Plan,
    locals: Vec<Text>,
    /// Which operations yield what stands at the end of which path read so far.
    tips: Vec<(At, usize)>,
    faults: Vec<Fault>,
}

impl Builder<'_> {
    fn expr(&mut self, id: Id) -> At {
        let ast = self.ast;
        let op = match ast.expr(id) {
            Expr::Literal(value) => Op::Const(value.clone()),
            Expr::Ident { .. } | Expr::Select { optional: false, .. } => return self.path(id),
            Expr::Select { operand, field, .. } => {
                Op::SelectOptional { operand: self.expr(*operand), field: field.clone() }
            }
            Expr::Has { operand, field, .. } => {
                Op::Has { operand: self.expr(*operand), field: field.clone() }
            }
            Expr::Index { operand, index, optional } => {
                let (operand, index) = (self.expr(*operand), self.expr(*index));
                if *optional {
                    Op::IndexOptional { operand, index }
                } else {
                    Op::Index { operand, index }
                }
            }
            Expr::Call { target, name, args, .. } => self.call(*target, name, args, ast.range(id)),
            Expr::List(items) => {
                self.plan.builds = true;
                Op::List(items.iter().map(|item| (self.expr(item.value), item.optional)).collect())
            }
            Expr::Map(entries) => {
                self.plan.builds = true;
                Op::Map(
                    entries
                        .iter()
                        .map(|e| (self.expr(e.key), self.expr(e.value), e.optional))
                        .collect(),
                )
            }
            Expr::Not(operand) => Op::Not(self.expr(*operand)),
            Expr::Negate(operand) => Op::Negate(self.expr(*operand)),
            Expr::Binary(sign, left, right) => {
                Op::Binary(*sign, self.expr(*left), self.expr(*right))
            }
            Expr::And(operands) => Op::And(operands.iter().map(|id| self.expr(*id)).collect()),
            Expr::Or(operands) => Op::Or(operands.iter().map(|id| self.expr(*id)).collect()),
            Expr::Ternary(a, b, c) => Op::Ternary(self.expr(*a), self.expr(*b), self.expr(*c)),
            Expr::Fold(fold) => self.fold(fold),
            Expr::Bind { name, value, body } => {
                let value = self.expr(*value);
                Op::Bind { value, body: self.within(&[name], |this| this.expr(*body)) }
            }
            Expr::Error => Op::Fail { kind: "syntax", message: "the expression has faults".into() },
        };
        self.add(op, ast.range(id))
    }

    fn within<T>(&mut self, names: &[&Text], read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.locals.len();
        self.locals.extend(names.iter().map(|name| (*name).clone()));
        let result = read(self);
        self.locals.truncate(before);
        result
    }

    fn fold(&mut self, fold: &syntax::Fold) -> Op {
        self.plan.builds = true;
        let range = self.expr(fold.range);
        let names: Vec<&Text> =
            [Some(&fold.first), fold.second.as_ref()].into_iter().flatten().collect();
        let (filter, body) =
            self.within(&names, |this| (fold.filter.map(|id| this.expr(id)), this.expr(fold.body)));
        Op::Fold(Box::new(Fold {
            kind: fold.kind,
            range,
            two: fold.second.is_some(),
            filter,
            body,
        }))
    }

    /// A name, or a chain of fields below one.
    fn path(&mut self, id: Id) -> At {
        let mut fields: Vec<(Text, Id)> = Vec::new();
        let mut at = id;
        loop {
            match self.ast.expr(at) {
                Expr::Select { operand, field, optional: false, .. } => {
                    fields.insert(0, (field.clone(), at));
                    at = *operand;
                }
                Expr::Ident { name, absolute } => {
                    return self.named(name, *absolute, at, id, fields);
                }
                _ => {
                    let operand = self.expr(at);
                    return self.select_all(operand, fields);
                }
            }
        }
    }

    /// `name.fields`, where `start` is the name's node and `end` that of the whole chain.
    fn named(
        &mut self,
        name: &Text,
        absolute: bool,
        start: Id,
        end: Id,
        mut fields: Vec<(Text, Id)>,
    ) -> At {
        let local = self.locals.iter().rev().position(|local| local == name && !absolute);
        if let Some(distance) = local {
            let local = self.plan.add(Op::Local(distance), self.ast.range(start));
            return self.select_all(local, fields);
        }
        let names: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
        match self.scope.find(name, &names) {
            Some((Found::Root(slot), used)) => {
                self.plan.uses |= 1 << slot;
                let fields: Box<[Text]> = fields.drain(used..).map(|(field, _)| field).collect();
                self.plan.paths.push((slot, fields.to_vec()));
                let at = self.plan.add(Op::Path { slot, fields }, self.ast.range(end));
                self.tips.push((at, self.plan.paths.len() - 1));
                at
            }
            Some((Found::Constant(value), used)) => {
                let constant = self.plan.add(Op::Const(value), self.ast.range(start));
                self.select_all(constant, fields.split_off(used))
            }
            None => match function::type_name(name, &names) {
                Some((ty, used)) => {
                    let constant =
                        self.plan.add(Op::Const(Value::Type(ty.into())), self.ast.range(start));
                    self.select_all(constant, fields.split_off(used))
                }
                None => {
                    let message = format!("there is no `{name}` here").into();
                    self.plan.add(Op::Fail { kind: "unknown_root", message }, self.ast.range(start))
                }
            },
        }
    }

    fn select_all(&mut self, operand: At, fields: Vec<(Text, Id)>) -> At {
        fields.into_iter().fold(operand, |operand, (field, id)| {
            let range = self.ast.range(id);
            self.add(Op::Select { operand, field }, range)
        })
    }

    /// What selects by a known name from the end of a path makes that path longer.
    fn extend_path(&mut self, at: At, op: &Op) {
        let (operand, field) = match op {
            Op::Select { operand, field }
            | Op::SelectOptional { operand, field }
            | Op::Has { operand, field } => (*operand, field),
            Op::Index { operand, index } | Op::IndexOptional { operand, index } => {
                match self.plan.op(*index) {
                    Op::Const(Value::String(field)) => (*operand, field),
                    _ => return,
                }
            }
            _ => return,
        };
        if let Some((_, path)) = self.tips.iter().rev().find(|(tip, _)| *tip == operand) {
            let path = *path;
            let field = field.clone();
            self.plan.paths[path].1.push(field);
            self.tips.push((at, path));
        }
    }

    fn call(&mut self, target: Option<Id>, name: &Text, args: &[Id], range: Range<usize>) -> Op {
        let taken =
            |first: &str| self.locals.iter().any(|local| local == first) || self.scope.has(first);
        let (function, on_target) = function::resolve(self.ast, target, name, taken);
        let Some(function) = function else {
            let message = format!("there is no function `{name}`").into();
            return Op::Fail { kind: "unknown_function", message };
        };
        let args: Box<[At]> = on_target.iter().chain(args).map(|id| self.expr(*id)).collect();
        self.plan.builds |= function.builds;
        if let ("or" | "orValue", [operand, otherwise]) = (function.name, &args[..]) {
            return Op::OrElse {
                operand: *operand,
                otherwise: *otherwise,
                unwrap: function.name == "orValue",
            };
        }
        if function.name == "matches"
            && let [text, pattern] = args[..]
            && let Op::Const(Value::String(pattern)) = self.plan.op(pattern)
        {
            match function::compile_regex(pattern) {
                Ok(regex) => {
                    return Op::Matches { text, regex: Box::new(regex) };
                }
                Err(error) => self.faults.push(Fault::error("bad_literal", range, error.message)),
            }
        }
        Op::Call { function, args }
    }

    /// Adds an operation, or its value where everything below it is constant.
    fn add(&mut self, op: Op, range: Range<usize>) -> At {
        let foldable = self.is_constant(&op);
        self.extend_path(self.plan.next(), &op);
        let at = self.plan.add(op, range);
        if foldable && let Some(value) = eval::constant(&self.plan, at, FOLD_FUEL) {
            self.plan.replace(at, Op::Const(value));
        }
        at
    }

    /// Whether everything below an operation is constant, but it itself still is to be computed.
    fn is_constant(&self, op: &Op) -> bool {
        let constant = |at: &At| matches!(self.plan.op(*at), Op::Const(_));
        match op {
            Op::Const(_)
            | Op::Path { .. }
            | Op::Local(_)
            | Op::Fail { .. }
            | Op::Fold(_)
            | Op::Bind { .. } => false,
            Op::Select { operand, .. }
            | Op::SelectOptional { operand, .. }
            | Op::Has { operand, .. } => constant(operand),
            Op::Index { operand, index } | Op::IndexOptional { operand, index } => {
                constant(operand) && constant(index)
            }
            Op::Not(operand) | Op::Negate(operand) | Op::Matches { text: operand, .. } => {
                constant(operand)
            }
            Op::And(operands) | Op::Or(operands) => operands.iter().all(constant),
            Op::Ternary(a, b, c) => constant(a) && constant(b) && constant(c),
            Op::OrElse { operand, otherwise, .. } => constant(operand) && constant(otherwise),
            Op::Binary(_, left, right) => constant(left) && constant(right),
            Op::List(items) => items.iter().all(|(value, _)| constant(value)),
            Op::Map(entries) => {
                entries.iter().all(|(key, value, _)| constant(key) && constant(value))
            }
            Op::Call { args, .. } => args.iter().all(constant),
        }
    }
}
