//! Whether conditions can hold at all: what they ask of each path against what is known of it.
//!
//! Only what is certain is told. Anything that is not a comparison of a path with a literal counts
//! as possibly true, unless its opposite is asked for as well.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::syntax::{self, Ast, Binary, Expr, Id};
use crate::{Text, Value};

/// What is known of the value at a path.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every value it may have.
    pub values: Option<Vec<Value>>,
    /// It is no less.
    pub least: Option<f64>,
    /// It is no more.
    pub most: Option<f64>,
}

/// The last step of a path that means how many items, entries or characters a value has.
pub const SIZE: Text = Text::new_static("size()");

/// The most combinations of `||` looked at.
const BRANCHES_MAX: usize = 64;

/// Whether no value makes all of these conditions true at once. `known` tells what is known at a
/// path, the root first: `["payload", "kind"]`.
pub fn never_all_hold(conditions: &[&str], known: &dyn Fn(&[Text]) -> Known) -> bool {
    let mut branches: Vec<Branch> = vec![Branch::new()];
    for condition in conditions {
        let (ast, root, faults) = syntax::parse(condition);
        if !faults.is_empty() {
            return false;
        }
        let asked = Asked { ast: &ast, text: condition };
        branches = product(branches, asked.demands(root, true));
    }
    branches.iter().all(|branch| is_contradiction(branch, known))
}

/// Demands that must all be met.
type Branch = Vec<Demand>;

#[derive(Clone, Debug)]
enum Demand {
    /// The constant `false`.
    Never,
    /// The path compares so with the value.
    Compares(Vec<Text>, Comparison, Value),
    /// The path is, or is not, one of the values.
    IsOneOf(Vec<Text>, bool, Vec<Value>),
    /// What stands there, `has(a.b)` or a call, is so.
    Holds(Text, bool),
}

/// A condition as it is written.
#[derive(Clone, Copy)]
struct Asked<'a> {
    ast: &'a Ast,
    text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Asked<'_> {
    /// What must hold for the expression to be true, or false: one branch a way.
    fn demands(self, id: Id, truth: bool) -> Vec<Branch> {
        let ast = self.ast;
        let demand = match ast.expr(id) {
            Expr::Not(operand) => return self.demands(*operand, !truth),
            Expr::And(operands) => return self.join(operands, truth, truth),
            Expr::Or(operands) => return self.join(operands, truth, !truth),
            Expr::Literal(Value::Bool(value)) if *value != truth => Some(Demand::Never),
            Expr::Binary(Binary::In, left, right) => {
                let sides = path(ast, *left).zip(list(ast, *right));
                sides.map(|(path, values)| Demand::IsOneOf(path, truth, values))
            }
            Expr::Binary(sign, left, right) => compared(ast, *sign, (*left, *right), truth),
            _ => path(ast, id)
                .map(|path| Demand::Compares(path, Comparison::Equal, Value::Bool(truth))),
        };
        vec![vec![demand.unwrap_or_else(|| Demand::Holds(self.text[ast.range(id)].into(), truth))]]
    }

    fn join(self, operands: &[Id], truth: bool, all: bool) -> Vec<Branch> {
        let each = operands.iter().map(|operand| self.demands(*operand, truth));
        match all {
            true => each.fold(vec![Branch::new()], product),
            false => each.flatten().collect(),
        }
    }
}

fn product(left: Vec<Branch>, right: Vec<Branch>) -> Vec<Branch> {
    if left.len() * right.len() > BRANCHES_MAX {
        return left;
    }
    let with = |one: &Branch| {
        let one = one.clone();
        right.iter().map(move |other| one.iter().chain(other).cloned().collect::<Branch>())
    };
    left.iter().flat_map(with).collect()
}

fn compared(ast: &Ast, sign: Binary, (left, right): (Id, Id), truth: bool) -> Option<Demand> {
    let comparison = comparison(sign).map(|c| if truth { c } else { c.opposite() })?;
    let (path, comparison, value) = match (ast.expr(left), ast.expr(right)) {
        (_, Expr::Literal(value)) => path(ast, left).map(|path| (path, comparison, value)),
        (Expr::Literal(value), _) => {
            path(ast, right).map(|path| (path, comparison.turned(), value))
        }
        _ => None,
    }?;
    Some(Demand::Compares(path, comparison, value.clone()))
}

fn comparison(sign: Binary) -> Option<Comparison> {
    Some(match sign {
        Binary::Equal => Comparison::Equal,
        Binary::NotEqual => Comparison::NotEqual,
        Binary::Less => Comparison::Less,
        Binary::LessEqual => Comparison::LessEqual,
        Binary::Greater => Comparison::Greater,
        Binary::GreaterEqual => Comparison::GreaterEqual,
        _ => return None,
    })
}

impl Comparison {
    fn opposite(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterEqual,
            Comparison::LessEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessEqual,
            Comparison::GreaterEqual => Comparison::Less,
        }
    }

    /// The same with its sides exchanged.
    fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessEqual => Comparison::GreaterEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterEqual => Comparison::LessEqual,
            same => same,
        }
    }

    fn holds(self, value: &Value, other: &Value) -> bool {
        let order = value.compare(other);
        match self {
            Comparison::Equal => order == Some(Ordering::Equal) || value == other,
            Comparison::NotEqual => order != Some(Ordering::Equal) && value != other,
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// `a.b.c`, `size(a.b.c)` and `a.b.c.size()`
fn path(ast: &Ast, id: Id) -> Option<Vec<Text>> {
    match ast.expr(id) {
        Expr::Ident { name, .. } => Some(vec![name.clone()]),
        Expr::Select { operand, field, optional: false, .. } => {
            let mut path = path(ast, *operand)?;
            path.push(field.clone());
            Some(path)
        }
        Expr::Call { target, name, args, .. } if *name == "size" => {
            let [of] = target.iter().chain(args).copied().collect::<Vec<_>>()[..] else {
                return None;
            };
            let mut path = path(ast, of)?;
            path.push(SIZE);
            Some(path)
        }
        _ => None,
    }
}

fn list(ast: &Ast, id: Id) -> Option<Vec<Value>> {
    let Expr::List(items) = ast.expr(id) else {
        return None;
    };
    let literal = |id: Id| match ast.expr(id) {
        Expr::Literal(value) => Some(value.clone()),
        _ => None,
    };
    items.iter().map(|item| literal(item.value).filter(|_| !item.optional)).collect()
}

fn is_contradiction(branch: &Branch, known: &dyn Fn(&[Text]) -> Known) -> bool {
    let mut of: BTreeMap<&[Text], Vec<&Demand>> = BTreeMap::new();
    let mut held: BTreeMap<&Text, bool> = BTreeMap::new();
    for demand in branch {
        match demand {
            Demand::Never => return true,
            Demand::Holds(text, truth) => {
                if *held.entry(text).or_insert(*truth) != *truth {
                    return true;
                }
            }
            Demand::Compares(path, ..) | Demand::IsOneOf(path, ..) => {
                of.entry(path).or_default().push(demand);
            }
        }
    }
    of.iter().any(|(path, demands)| {
        let mut known = known(path);
        if path.last() == Some(&SIZE) {
            known.least = Some(known.least.unwrap_or(0.0).max(0.0));
        }
        cannot_be(demands, known)
    })
}

/// Whether no value at one path meets its demands.
fn cannot_be(demands: &[&Demand], mut known: Known) -> bool {
    for demand in demands {
        let values = match demand {
            Demand::Compares(_, Comparison::Equal, value) => core::slice::from_ref(value),
            Demand::IsOneOf(_, true, values) => values.as_slice(),
            _ => continue,
        };
        known.values.get_or_insert_with(|| values.to_vec());
    }
    let meets = |value: &Value| {
        demands.iter().all(|demand| match demand {
            Demand::Compares(_, comparison, other) => comparison.holds(value, other),
            Demand::IsOneOf(_, truth, values) => {
                values.iter().any(|other| Comparison::Equal.holds(value, other)) == *truth
            }
            Demand::Never | Demand::Holds(..) => false,
        })
    };
    match known.values {
        Some(values) => {
            let above = |value: &Value| known.least.is_none_or(|least| !is_below(value, least));
            let below = |value: &Value| known.most.is_none_or(|most| !is_above(value, most));
            !values.iter().any(|value| above(value) && below(value) && meets(value))
        }
        None => is_empty_range(demands, known.least, known.most),
    }
}

fn is_below(value: &Value, least: f64) -> bool {
    value.as_double().is_some_and(|number| number < least)
}

fn is_above(value: &Value, most: f64) -> bool {
    value.as_double().is_some_and(|number| number > most)
}

/// Whether the bounds leave no number between them.
fn is_empty_range(demands: &[&Demand], least: Option<f64>, most: Option<f64>) -> bool {
    let mut low = (least.unwrap_or(f64::NEG_INFINITY), false);
    let mut high = (most.unwrap_or(f64::INFINITY), false);
    for demand in demands {
        let Demand::Compares(_, comparison, value) = demand else {
            continue;
        };
        let Some(number) = value.as_double() else {
            continue;
        };
        match comparison {
            Comparison::Greater if number >= low.0 => low = (number, true),
            Comparison::GreaterEqual if number > low.0 => low = (number, false),
            Comparison::Less if number <= high.0 => high = (number, true),
            Comparison::LessEqual if number < high.0 => high = (number, false),
            _ => {}
        }
    }
    low.0 > high.0 || (low.0 == high.0 && (low.1 || high.1))
}
