//! When values are equal and which comes first.

use core::cmp::Ordering;

use super::Value;

/// CEL equality: numbers by their value whatever their kind, everything else by structure.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Double(a), Value::Double(b)) => a == b,
            (Value::Int(a), Value::Double(b)) | (Value::Double(b), Value::Int(a)) => {
                *a as f64 == *b
            }
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a == b)
            }
            (
                Value::Timestamp { seconds: a, nanos: m },
                Value::Timestamp { seconds: b, nanos: n },
            ) => a == b && m == n,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Optional(a), Value::Optional(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// Which of two values is smaller, as CEL's `<` sees it. None: they have no order, be it that
    /// their kinds have none (lists, maps, null), that they are of different kinds, or NaN.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
            (Value::Int(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
            (Value::Double(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Value::String(a), Value::String(b)) => Some(a.as_str().cmp(b.as_str())),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (
                Value::Timestamp { seconds: a, nanos: m },
                Value::Timestamp { seconds: b, nanos: n },
            ) => Some((a, m).cmp(&(b, n))),
            (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Whether `compare` can order values of this kind among themselves.
    pub fn is_ordered(&self) -> bool {
        matches!(
            self,
            Value::Int(_)
                | Value::Double(_)
                | Value::String(_)
                | Value::Bool(_)
                | Value::Bytes(_)
                | Value::Timestamp { .. }
                | Value::Duration(_)
        )
    }

    /// An order over all values, for sorting: by kind, numbers together and exact, NaN after
    /// every other number.
    pub fn total_order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Double(a), Value::Double(b)) => order_doubles(*a, *b),
            (Value::Int(a), Value::Double(b)) => order_int_double(*a, *b),
            (Value::Double(a), Value::Int(b)) => order_int_double(*b, *a).reverse(),
            (Value::List(a), Value::List(b)) => order_all(
                a.iter().zip(b.iter()).map(|(a, b)| a.total_order(b)),
                a.len().cmp(&b.len()),
            ),
            (Value::Map(a), Value::Map(b)) => order_all(
                a.iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.0.cmp(&b.0).then_with(|| a.1.total_order(&b.1))),
                a.len().cmp(&b.len()),
            ),
            (Value::Type(a), Value::Type(b)) => a.cmp(b),
            (Value::Optional(Some(a)), Value::Optional(Some(b))) => a.total_order(b),
            (Value::Optional(a), Value::Optional(b)) => a.is_some().cmp(&b.is_some()),
            _ => self.compare(other).unwrap_or_else(|| self.rank().cmp(&other.rank())),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) | Value::Double(_) => 2,
            Value::String(_) => 3,
            Value::Bytes(_) => 4,
            Value::Timestamp { .. } => 5,
            Value::Duration(_) => 6,
            Value::List(_) => 7,
            Value::Map(_) => 8,
            Value::Type(_) => 9,
            Value::Optional(_) => 10,
        }
    }
}

fn order_all(mut pairs: impl Iterator<Item = Ordering>, lengths: Ordering) -> Ordering {
    pairs.find(|order| order.is_ne()).unwrap_or(lengths)
}

fn order_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Exact, unlike `compare`: an order that rounds would not be transitive, and a sort needs that.
fn order_int_double(a: i64, b: f64) -> Ordering {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() || b >= TWO_63 {
        return Ordering::Less;
    }
    if b < -TWO_63 {
        return Ordering::Greater;
    }
    let floor = libm::floor(b);
    a.cmp(&(floor as i64)).then(if b > floor { Ordering::Less } else { Ordering::Equal })
}
