//! Sets of JSON types. A number is an integer or a fraction.

use onex_expr::Value;

/// A set of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NULL: Kinds = Kinds(1);
    pub(super) const BOOL: Kinds = Kinds(2);
    pub(super) const STRING: Kinds = Kinds(4);
    pub(super) const ARRAY: Kinds = Kinds(8);
    pub(super) const OBJECT: Kinds = Kinds(16);
    const INTEGER: Kinds = Kinds(32);
    const FRACTION: Kinds = Kinds(64);
    pub(super) const NUMBER: Kinds = Kinds(32 | 64);
    pub(super) const ALL: Kinds = Kinds(127);

    /// Those that a reader tells apart, in the order in which they are named.
    const NAMED: [(Kinds, &'static str); 8] = [
        (Kinds::NUMBER, "a number"),
        (Kinds::INTEGER, "an integer"),
        (Kinds::FRACTION, "a fraction"),
        (Kinds::STRING, "text"),
        (Kinds::BOOL, "a bool"),
        (Kinds::ARRAY, "a list"),
        (Kinds::OBJECT, "a map"),
        (Kinds::NULL, "null"),
    ];

    /// What a `type` keyword says.
    pub(super) fn of_keyword(ty: &Value) -> Kinds {
        match (ty.as_str(), ty.as_list()) {
            (Some(word), _) => Kinds::of_word(word),
            (_, Some(words)) => words
                .iter()
                .filter_map(Value::as_str)
                .fold(Kinds(0), |all, word| all.or(Kinds::of_word(word))),
            _ => Kinds::ALL,
        }
    }

    fn of_word(word: &str) -> Kinds {
        match word {
            "null" => Kinds::NULL,
            "boolean" => Kinds::BOOL,
            "string" => Kinds::STRING,
            "array" => Kinds::ARRAY,
            "object" => Kinds::OBJECT,
            "integer" => Kinds::INTEGER,
            "number" => Kinds::NUMBER,
            _ => Kinds::ALL,
        }
    }

    /// The type of a value.
    pub(super) fn of_value(value: &Value) -> Kinds {
        match value {
            Value::Null => Kinds::NULL,
            Value::Bool(_) => Kinds::BOOL,
            Value::Int(_) => Kinds::INTEGER,
            Value::Double(number) if number.fract() == 0.0 => Kinds::INTEGER,
            Value::Double(_) => Kinds::FRACTION,
            Value::List(_) => Kinds::ARRAY,
            Value::Map(_) => Kinds::OBJECT,
            _ => Kinds::STRING,
        }
    }

    pub(super) fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(super) fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    pub(super) fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any of the other set is in it.
    pub(super) fn has(self, other: Kinds) -> bool {
        !self.and(other).is_empty()
    }

    /// Its members one by one; numbers stay together.
    pub(super) fn each(self) -> Vec<Kinds> {
        let groups =
            [Kinds::NULL, Kinds::BOOL, Kinds::STRING, Kinds::ARRAY, Kinds::OBJECT, Kinds::NUMBER];
        groups.into_iter().map(|group| group.and(self)).filter(|kind| !kind.is_empty()).collect()
    }

    /// What a reader calls it: `text or null`.
    pub(super) fn name(self) -> String {
        let mut rest = self;
        let mut names = Vec::new();
        for (kinds, name) in Kinds::NAMED {
            if kinds.without(rest).is_empty() {
                rest = rest.without(kinds);
                names.push(name);
            }
        }
        names.join(" or ")
    }
}
