//! Types and names, before anything runs. Where nothing is known the type is `Dyn`, and what can
//! only be seen while running is left to the evaluator.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::scope::Found;
use crate::syntax::{Ast, Binary, Expr, Id};
use crate::{Fault, Scope, Text, Type, Value, function};

mod call;
mod fold;
mod operator;
mod presence;
mod select;
mod signature;
mod suggest;

use presence::Path;

/// The type of what an expression yields, and everything that is wrong with it.
pub(crate) fn check(ast: &Ast, root: Id, scope: &Scope) -> (Type, Vec<Fault>) {
    let mut checker = Checker {
        ast,
        scope,
        faults: Vec::new(),
        locals: Vec::new(),
        locals_made: 0,
        present: Vec::new(),
        warned: Vec::new(),
    };
    let output = checker.expr(root).settled();
    (output, checker.faults)
}

struct Checker<'a> {
    ast: &'a Ast,
    scope: &'a Scope,
    faults: Vec<Fault>,
    locals: Vec<Local>,
    locals_made: usize,
    /// Paths that are known to be there at this point.
    present: Vec<Path>,
    /// Paths already warned about.
    warned: Vec<Path>,
}

/// A variable of a macro; its number tells it from others of the same name.
struct Local {
    name: Text,
    ty: Type,
    number: usize,
}

impl<'a> Checker<'a> {
    fn error(
        &mut self,
        kind: &'static str,
        range: Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let fault = Fault { help, ..Fault::error(kind, range, message) };
        self.faults.push(fault);
    }

    fn expr(&mut self, id: Id) -> Type {
        let ast = self.ast;
        match ast.expr(id) {
            Expr::Literal(value) => Type::of(value),
            Expr::Ident { .. } | Expr::Select { .. } => self.path(id),
            Expr::Has { operand, field, field_range } => {
                self.has(*operand, field, field_range.clone())
            }
            Expr::Index { operand, index, optional } => self.index(id, *operand, *index, *optional),
            Expr::Call { target, name, name_range, args } => {
                self.call(id, *target, name, name_range, args)
            }
            Expr::List(items) => Type::list(Type::union(items.iter().map(|item| {
                let ty = self.expr(item.value);
                self.item_type(ty, item.optional, item.value)
            }))),
            Expr::Map(entries) => {
                let (mut keys, mut values) = (Type::never(), Type::never());
                for entry in entries {
                    keys = keys.join(&self.key(entry.key));
                    let ty = self.expr(entry.value);
                    values = values.join(&self.item_type(ty, entry.optional, entry.value));
                }
                Type::Map(keys.into(), values.into())
            }
            Expr::Not(operand) => {
                self.condition(*operand);
                Type::Bool
            }
            Expr::Negate(operand) => self.negate(id, *operand),
            Expr::Binary(sign, left, right) => self.binary(id, *sign, *left, *right),
            Expr::And(operands) => self.chain(operands, true),
            Expr::Or(operands) => self.chain(operands, false),
            Expr::Ternary(condition, then, otherwise) => {
                self.ternary(*condition, *then, *otherwise)
            }
            Expr::Fold(fold) => self.fold(id, fold),
            Expr::Bind { name, value, body } => {
                let ty = self.expr(*value);
                self.within([(name.clone(), ty)], |this| this.expr(*body))
            }
            Expr::Error => Type::Dyn,
        }
    }

    /// What an item adds to its list or map: of a `?` item, what its optional holds.
    fn item_type(&mut self, ty: Type, optional: bool, id: Id) -> Type {
        if !optional {
            return ty;
        }
        let inner = ty.members().iter().filter_map(|member| match member {
            Type::Optional(inner) => Some((**inner).clone()),
            Type::Dyn => Some(Type::Dyn),
            _ => None,
        });
        let inner: Vec<Type> = inner.collect();
        if inner.is_empty() && !ty.is_never() {
            let message = format!("a `?` item must be an optional, this is {ty}");
            self.error("no_overload", self.ast.range(id), message, None);
        }
        Type::union(inner)
    }

    fn key(&mut self, id: Id) -> Type {
        let ty = self.expr(id);
        let fits = [Type::String, Type::Int, Type::Bool].iter().any(|kind| ty.can_be(kind));
        if !fits {
            let message = format!("a key must be a string, an int or a bool, this is {ty}");
            self.error("no_overload", self.ast.range(id), message, None);
        }
        ty
    }

    /// Runs with variables bound, innermost last.
    fn within<T>(
        &mut self,
        locals: impl IntoIterator<Item = (Text, Type)>,
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.locals.len();
        for (name, ty) in locals {
            self.locals_made += 1;
            self.locals.push(Local { name, ty, number: self.locals_made });
        }
        let result = run(self);
        self.locals.truncate(before);
        result
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    /// Must be able to be true or false.
    fn condition(&mut self, id: Id) {
        let ty = self.expr(id);
        if !ty.can_be(&Type::Bool) {
            let message = format!("this must be true or false, but it is {ty}");
            self.error("no_overload", self.ast.range(id), message, None);
        }
    }

    /// `&&` (with `sense` true) and `||`: later operands know what the earlier ones have shown.
    fn chain(&mut self, operands: &[Id], sense: bool) -> Type {
        let before = self.present.len();
        for operand in operands {
            self.condition(*operand);
            let shown = self.shown(*operand, sense);
            self.present.extend(shown);
        }
        self.present.truncate(before);
        Type::Bool
    }

    fn ternary(&mut self, condition: Id, then: Id, otherwise: Id) -> Type {
        self.condition(condition);
        let mut branch = |sense, id| {
            let before = self.present.len();
            let shown = self.shown(condition, sense);
            self.present.extend(shown);
            let ty = self.expr(id);
            self.present.truncate(before);
            ty
        };
        let then = branch(true, then);
        then.join(&branch(false, otherwise))
    }

    /// A name, as far as it is one: the type, and how many of the fields behind it belong to it.
    fn name(
        &mut self,
        name: &Text,
        absolute: bool,
        fields: &[&str],
        range: Range<usize>,
    ) -> (Type, usize) {
        if !absolute && let Some(local) = self.local(name) {
            return (local.ty.clone(), 0);
        }
        match self.scope.find(name, fields) {
            Some((Found::Constant(value), used)) => (Type::of(&value), used),
            Some((Found::Root(slot), used)) => {
                let root = &self.scope.roots[slot];
                if !root.here {
                    let message = format!("`{name}` cannot be used in this place");
                    let help = self.names_here();
                    self.error("root_out_of_place", range, message, help);
                    return (Type::Dyn, used);
                }
                (root.ty.clone(), used)
            }
            None => match function::type_name(name, fields) {
                Some(("uint", _)) => {
                    self.error(
                        "uint",
                        range,
                        "there is no uint: whole numbers are ints".into(),
                        None,
                    );
                    (Type::Dyn, 0)
                }
                Some((_, used)) => (Type::Type, used),
                None => {
                    self.unknown_root(name, range);
                    (Type::Dyn, fields.len())
                }
            },
        }
    }

    fn unknown_root(&mut self, name: &str, range: Range<usize>) {
        let here = self.scope.roots.iter().filter(|root| root.here).map(|root| root.name.as_str());
        let constants = self.scope.constants.iter().map(|(name, _)| name.as_str());
        let locals = self.locals.iter().map(|local| local.name.as_str());
        let help = suggest::closest(name, here.chain(constants).chain(locals))
            .map(|found| format!("did you mean `{found}`?"))
            .or_else(|| self.names_here());
        self.error("unknown_root", range, format!("there is no `{name}` here"), help);
    }

    fn names_here(&self) -> Option<String> {
        let here = self.scope.roots.iter().filter(|root| root.here).map(|root| root.name.as_str());
        let names: Vec<&str> =
            here.chain(self.scope.constants.iter().map(|(name, _)| name.as_str())).collect();
        (!names.is_empty()).then(|| format!("there are: {}", names.join(", ")))
    }

    /// The value of an expression that only reads constants.
    fn constant(&self, id: Id) -> Option<&'a Value> {
        match self.ast.expr(id) {
            Expr::Ident { name, .. } if self.local(name).is_none() => {
                self.scope.constants.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            Expr::Select { operand, field, .. } => self.constant(*operand)?.get(field),
            _ => None,
        }
    }
}

/// A literal text.
fn literal_text(ast: &Ast, id: Id) -> Option<&Text> {
    match ast.expr(id) {
        Expr::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// `int + string` and the like, for messages.
fn operation(sign: Binary, left: &Type, right: &Type) -> String {
    format!("{} {} {}", left, sign.sign(), right)
}
