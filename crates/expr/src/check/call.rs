//! Calls: which function, which overload.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::signature::Signature;
use super::{Checker, suggest};
use crate::function::{self, Function, Style};
use crate::syntax::{Expr, Id};
use crate::{Text, Type};

/// Names that other languages have for functions of this one.
const ELSEWHERE: [(&str, &str); 16] = [
    ("any", "exists"),
    ("count", "size"),
    ("endswith", "endsWith"),
    ("float", "double"),
    ("includes", "contains"),
    ("len", "size"),
    ("length", "size"),
    ("lower", "lowerAscii"),
    ("parseInt", "int"),
    ("startswith", "startsWith"),
    ("str", "string"),
    ("strip", "trim"),
    ("toLowerCase", "lowerAscii"),
    ("toString", "string"),
    ("toUpperCase", "upperAscii"),
    ("upper", "upperAscii"),
];

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        id: Id,
        target: Option<Id>,
        name: &Text,
        name_range: &Range<usize>,
        args: &[Id],
    ) -> Type {
        let taken = |first: &str| self.local(first).is_some() || self.scope.has(first);
        let (function, on_target) = function::resolve(self.ast, target, name, taken);
        let Some(function) = function else {
            self.unknown_function(target, name, name_range.clone());
            // Faults inside the arguments are worth knowing all the same.
            args.iter().for_each(|arg| {
                self.expr(*arg);
            });
            return Type::Dyn;
        };
        let types: Vec<Type> = on_target.iter().chain(args).map(|id| self.expr(*id)).collect();
        let found =
            function.signatures.iter().filter_map(|text| Signature::parse(text).result(&types));
        let mut found: Vec<(bool, Type)> = found.collect();
        // An overload that takes the types as they are makes those needless that convert ints.
        if found.iter().any(|(exact, _)| *exact) {
            found.retain(|(exact, _)| *exact);
        }
        if found.is_empty() {
            self.refuse_call(id, function, &types, on_target.is_some());
            return Type::Dyn;
        }
        Type::union(found.into_iter().map(|(_, ty)| ty))
    }

    fn refuse_call(&mut self, id: Id, function: &Function, types: &[Type], on_target: bool) {
        let shown: Vec<String> = types.iter().map(|ty| format!("{ty}")).collect();
        let (target, args) = shown.split_at(usize::from(on_target));
        let dot = if on_target { "." } else { "" };
        let message = format!(
            "no such overload: {}{dot}{}({})",
            target.concat(),
            function.name,
            args.join(", ")
        );
        let takes: Vec<String> =
            function.signatures.iter().map(|text| format!("`{text}`")).collect();
        self.error(
            "no_overload",
            self.ast.range(id),
            message,
            Some(format!("it takes {}", takes.join(" or "))),
        );
    }

    fn unknown_function(&mut self, target: Option<Id>, name: &str, range: Range<usize>) {
        if name == "uint" && target.is_none() {
            let help = Some("use `int(...)`".into());
            self.error("uint", range, "there is no uint: whole numbers are ints".into(), help);
            return;
        }
        let space = target.and_then(|target| match self.ast.expr(target) {
            Expr::Ident { name, .. }
                if function::all().any(|f| f.name.starts_with(&format!("{name}."))) =>
            {
                Some(name)
            }
            _ => None,
        });
        if let (Some(target), None) = (target, space) {
            self.expr(target);
        }
        let full = space.map_or(String::from(name), |space| format!("{space}.{name}"));
        let other_style =
            if space.is_some() { None } else { function::find(name, target.is_none()) };
        let help = match other_style {
            Some(function) if function.style == Style::Method => {
                Some(format!("call it on its value: `x.{name}(...)`"))
            }
            Some(_) => Some(format!("call it with its value: `{name}(x)`")),
            None => self.similar(&full),
        };
        self.error("unknown_function", range, format!("there is no function `{full}`"), help);
    }

    fn similar(&self, name: &str) -> Option<String> {
        const MACROS: [&str; 13] = [
            "has",
            "all",
            "exists",
            "existsOne",
            "exists_one",
            "map",
            "filter",
            "sortBy",
            "optMap",
            "optFlatMap",
            "transformList",
            "transformMap",
            "transformMapEntry",
        ];
        if MACROS.contains(&name) {
            return Some(format!("`{name}` is a macro and takes other arguments"));
        }
        if let Some((_, ours)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
            return Some(format!("it is called `{ours}` here"));
        }
        let names = function::all().map(|function| function.name).chain(MACROS);
        suggest::closest(name, names).map(|found| format!("did you mean `{found}`?"))
    }
}
