//! Signatures as the registry writes them: `list(A), A -> bool`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::Type;
use crate::types::values_of;

pub(super) struct Signature {
    params: Vec<Pattern>,
    /// Whether the last parameter may be there any number of times, once at least.
    repeats: bool,
    result: Pattern,
}

#[derive(Clone)]
enum Pattern {
    Known(Type),
    /// A type that is found from the arguments: A, B.
    Variable(usize),
    List(Box<Pattern>),
    Map(Box<Pattern>, Box<Pattern>),
    Optional(Box<Pattern>),
}

impl Signature {
    /// Reads a signature; the registry's are known to be well formed (a test reads them all).
    pub(super) fn parse(text: &str) -> Signature {
        let (params, result) = text.split_once("->").unwrap_or(("", text));
        let repeats = params.trim_end().ends_with("...");
        let params = split(params.trim().trim_end_matches("..."));
        Signature {
            params: params.into_iter().map(pattern).collect(),
            repeats,
            result: pattern(result.trim()),
        }
    }

    /// The result for arguments of these types, and whether no int had to count as a double.
    pub(super) fn result(&self, args: &[Type]) -> Option<(bool, Type)> {
        let fits = if self.repeats {
            args.len() >= self.params.len()
        } else {
            args.len() == self.params.len()
        };
        if !fits {
            return None;
        }
        let mut found = Match { variables: [Type::never(), Type::never()], exact: true };
        for (at, arg) in args.iter().enumerate() {
            let param = self.params.get(at).or(self.params.last())?;
            if !found.bind(param, arg) {
                return None;
            }
        }
        Some((found.exact, found.build(&self.result)))
    }
}

struct Match {
    variables: [Type; 2],
    exact: bool,
}

impl Match {
    fn bind(&mut self, pattern: &Pattern, ty: &Type) -> bool {
        if let Pattern::Variable(at) = pattern {
            self.variables[*at] = self.variables[*at].join(ty);
            return true;
        }
        if ty.is_never() || *ty == Type::Dyn {
            self.bind_unknown(pattern, ty);
            return true;
        }
        // Of one of several types it is enough that one fits.
        let fits = ty.members().iter().filter(|member| self.bind_member(pattern, member));
        fits.count() > 0
    }

    /// Nothing is known of the argument, so nothing of what is inside it.
    fn bind_unknown(&mut self, pattern: &Pattern, ty: &Type) {
        match pattern {
            Pattern::Known(_) => {}
            Pattern::Variable(at) => self.variables[*at] = self.variables[*at].join(ty),
            Pattern::List(inner) | Pattern::Optional(inner) => self.bind_unknown(inner, ty),
            Pattern::Map(key, value) => {
                self.bind_unknown(key, ty);
                self.bind_unknown(value, ty);
            }
        }
    }

    fn bind_member(&mut self, pattern: &Pattern, ty: &Type) -> bool {
        match (pattern, ty) {
            (Pattern::Known(Type::Double), Type::Int) => {
                self.exact = false;
                true
            }
            (Pattern::Known(wanted), ty) => ty.can_be(wanted),
            (Pattern::List(inner), Type::List(item))
            | (Pattern::Optional(inner), Type::Optional(item)) => self.bind(inner, item),
            (Pattern::Map(keys, values), Type::Map(key, value)) => {
                self.bind(keys, key) && self.bind(values, value)
            }
            (Pattern::Map(keys, values), Type::Object(object)) => {
                self.bind(keys, &Type::String) && self.bind(values, &values_of(object))
            }
            _ => false,
        }
    }

    fn build(&self, pattern: &Pattern) -> Type {
        match pattern {
            Pattern::Known(ty) => ty.clone(),
            Pattern::Variable(at) => self.variables[*at].clone(),
            Pattern::List(inner) => Type::list(self.build(inner)),
            Pattern::Map(key, value) => Type::Map(self.build(key).into(), self.build(value).into()),
            Pattern::Optional(inner) => Type::optional(self.build(inner)),
        }
    }
}

/// Splits at the commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut open) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            b',' if open == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        parts.push(last);
    }
    parts
}

fn pattern(text: &str) -> Pattern {
    if let Some((outer, rest)) = text.split_once('(') {
        let inner = split(rest.strip_suffix(')').unwrap_or(rest));
        let at = |index: usize| Box::new(pattern(inner.get(index).copied().unwrap_or("dyn")));
        return match outer {
            "list" => Pattern::List(at(0)),
            "map" => Pattern::Map(at(0), at(1)),
            _ => Pattern::Optional(at(0)),
        };
    }
    Pattern::Known(match text {
        "A" => return Pattern::Variable(0),
        "B" => return Pattern::Variable(1),
        "null" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Type,
        _ => Type::Dyn,
    })
}

#[cfg(test)]
mod tests {
    use super::{pattern, split};
    use crate::function;

    #[test]
    fn every_signature_of_the_registry_uses_known_words() {
        const WORDS: &[&str] = &[
            "A",
            "B",
            "bool",
            "int",
            "double",
            "string",
            "bytes",
            "timestamp",
            "duration",
            "type",
            "dyn",
            "list",
            "map",
            "optional",
            "",
        ];
        for function in function::all() {
            for text in function.signatures {
                assert!(text.contains("->"), "{text}");
                for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
                    assert!(WORDS.contains(&word), "{} has `{word}`", function.name);
                }
                let (params, result) = text.split_once("->").expect("it was asked for above");
                split(params).into_iter().chain([result.trim()]).for_each(|part| {
                    pattern(part);
                });
            }
        }
    }
}
