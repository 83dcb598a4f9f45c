//! Arithmetic and comparisons.

use alloc::format;
use alloc::string::String;

use super::{Checker, operation};
use crate::Type;
use crate::syntax::{Binary, Id};

impl Checker<'_> {
    pub(super) fn binary(&mut self, id: Id, sign: Binary, left: Id, right: Id) -> Type {
        let (left, right) = (self.expr(left), self.expr(right));
        match sign {
            Binary::Equal | Binary::NotEqual => {
                if !left.can_equal(&right) {
                    let message = format!("{left} and {right} can never be equal");
                    self.error("never_equal", self.ast.range(id), message, advice(&left, &right));
                }
                Type::Bool
            }
            Binary::In => self.contains(id, &left, &right),
            Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
                if pairs(&left, &right, |a, b| comparable(a, b).then_some(Type::Bool)).is_none() {
                    self.refuse(id, sign, &left, &right);
                }
                Type::Bool
            }
            _ => match pairs(&left, &right, |a, b| arithmetic(sign, a, b)) {
                Some(result) => result,
                None => {
                    self.refuse(id, sign, &left, &right);
                    Type::Dyn
                }
            },
        }
    }

    fn refuse(&mut self, id: Id, sign: Binary, left: &Type, right: &Type) {
        let message = format!("no such overload: {}", operation(sign, left, right));
        self.error("no_overload", self.ast.range(id), message, advice(left, right));
    }

    fn contains(&mut self, id: Id, item: &Type, collection: &Type) -> Type {
        let mut fits = collection.is_never();
        let mut never = false;
        for member in collection.members() {
            let can_equal = match member {
                Type::Dyn => true,
                Type::List(inner) => item.can_equal(inner),
                Type::Map(key, _) => item.can_equal(key),
                Type::Object(_) => item.can_equal(&Type::String),
                _ => continue,
            };
            fits |= can_equal;
            never |= !can_equal;
        }
        if !fits && never {
            let message = format!("{item} can never be in {collection}");
            self.error("never_equal", self.ast.range(id), message, None);
        } else if !fits {
            self.refuse(id, Binary::In, item, collection);
        }
        Type::Bool
    }

    pub(super) fn negate(&mut self, id: Id, operand: Id) -> Type {
        let ty = self.expr(operand);
        let result = |member: &Type| match member {
            Type::Int | Type::Double | Type::Duration | Type::Dyn => Some(member.clone()),
            _ => None,
        };
        if ty.is_never() {
            return ty;
        }
        let found = Type::union(ty.members().iter().filter_map(result));
        if found.is_never() {
            self.error("no_overload", self.ast.range(id), format!("no such overload: -{ty}"), None);
            return Type::Dyn;
        }
        found
    }
}

/// What an operation yields over all pairs of members that it takes; none when it takes none.
fn pairs(left: &Type, right: &Type, result: impl Fn(&Type, &Type) -> Option<Type>) -> Option<Type> {
    if left.is_never() || right.is_never() {
        return Some(Type::Dyn);
    }
    let mut found: Option<Type> = None;
    for a in left.members() {
        for b in right.members() {
            if let Some(ty) = result(a, b) {
                found = Some(found.map_or(ty.clone(), |sum| sum.join(&ty)));
            }
        }
    }
    found
}

fn comparable(a: &Type, b: &Type) -> bool {
    use Type::{Bool, Bytes, Double, Duration, Dyn, Int, String, Timestamp};
    match (a, b) {
        (Dyn, Dyn) => true,
        (Dyn, other) | (other, Dyn) => {
            matches!(other, Bool | Int | Double | String | Bytes | Timestamp | Duration)
        }
        (Int | Double, Int | Double) => true,
        (Bool, Bool)
        | (String, String)
        | (Bytes, Bytes)
        | (Timestamp, Timestamp)
        | (Duration, Duration) => true,
        _ => false,
    }
}

fn arithmetic(sign: Binary, a: &Type, b: &Type) -> Option<Type> {
    use Type::{Bytes, Double, Duration, Dyn, Int, List, String, Timestamp};
    let sum = sign == Binary::Add;
    let difference = sign == Binary::Subtract;
    Some(match (a, b) {
        (Int, Int) => Int,
        (Int | Double, Int | Double) if sign != Binary::Remainder => Double,
        (String, String) if sum => String,
        (Bytes, Bytes) if sum => Bytes,
        (List(a), List(b)) if sum => Type::list(a.join(b)),
        (Timestamp, Duration) if sum || difference => Timestamp,
        (Duration, Timestamp) if sum => Timestamp,
        (Timestamp, Timestamp) if difference => Duration,
        (Duration, Duration) if sum || difference => Duration,
        (Dyn, String | Bytes) if sum => b.clone(),
        (String | Bytes, Dyn) if sum => a.clone(),
        (Dyn, Dyn | Int | Double) | (Int | Double, Dyn) => Dyn,
        (Dyn, List(_)) | (List(_), Dyn) if sum => Type::list(Dyn),
        (Dyn, Timestamp | Duration) | (Timestamp | Duration, Dyn) if sum || difference => Dyn,
        _ => return None,
    })
}

/// What to do about two types that do not go together.
fn advice(left: &Type, right: &Type) -> Option<String> {
    let one_is = |wanted: &Type| left == wanted || right == wanted;
    let text = if !one_is(&Type::String) {
        return None;
    } else if one_is(&Type::Timestamp) {
        "times in JSON are text: read it with `timestamp(...)`"
    } else if one_is(&Type::Duration) {
        "durations in JSON are text: read it with `duration(...)`"
    } else if one_is(&Type::Int) {
        "convert one of them: `int(...)` or `string(...)`"
    } else if one_is(&Type::Double) {
        "convert one of them: `double(...)` or `string(...)`"
    } else {
        return None;
    };
    Some(text.into())
}
