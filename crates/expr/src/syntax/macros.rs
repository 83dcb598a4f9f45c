//! Calls that are macros: they bind names, so they are recognised while parsing.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::ast::{Ast, Expr, Fold, FoldKind, Id};
use crate::{Fault, Text};

/// A call as the parser has read it.
pub(crate) struct Call<'a> {
    pub(crate) target: Option<Id>,
    pub(crate) name: &'a str,
    pub(crate) name_range: Range<usize>,
    pub(crate) args: Vec<Id>,
}

/// The macro that a call is, or the call itself; what is wrong with a macro's arguments goes to
/// the faults.
pub(crate) fn expand(ast: &Ast, call: Call<'_>, faults: &mut Vec<Fault>) -> Expr {
    let found = match call.target {
        None if call.name == "has" => Some(has(ast, &call)),
        Some(target) if call.name == "bind" && is_ident(ast, target, "cel") => {
            Some(bind(ast, &call))
        }
        Some(target) => fold(ast, target, &call),
        None => None,
    };
    match found {
        None => Expr::Call {
            target: call.target,
            name: call.name.into(),
            name_range: call.name_range,
            args: call.args.into(),
        },
        Some(Ok(expr)) => expr,
        Some(Err(fault)) => {
            faults.push(*fault);
            Expr::Error
        }
    }
}

fn is_ident(ast: &Ast, id: Id, wanted: &str) -> bool {
    matches!(ast.expr(id), Expr::Ident { name, .. } if name == wanted)
}

fn has(ast: &Ast, call: &Call<'_>) -> Result<Expr, Box<Fault>> {
    if let [arg] = call.args[..]
        && let Expr::Select { operand, field, field_range, optional: false } = ast.expr(arg)
    {
        return Ok(Expr::Has {
            operand: *operand,
            field: field.clone(),
            field_range: field_range.clone(),
        });
    }
    let fault = Fault::error(
        "syntax",
        call.name_range.clone(),
        "`has` takes one field, such as has(payload.note)",
    );
    Err(Box::new(fault))
}

fn bind(ast: &Ast, call: &Call<'_>) -> Result<Expr, Box<Fault>> {
    match call.args[..] {
        [name, value, body] => Ok(Expr::Bind { name: variable(ast, name)?, value, body }),
        _ => {
            let message = "`cel.bind` takes a name, a value and the expression that uses the name";
            Err(Box::new(Fault::error("syntax", call.name_range.clone(), message)))
        }
    }
}

/// A macro on a target, told by name and number of arguments.
fn fold(ast: &Ast, target: Id, call: &Call<'_>) -> Option<Result<Expr, Box<Fault>>> {
    use FoldKind::{
        All, Exists, ExistsOne, Filter, List, MapEntries, MapValues, OptFlatMap, OptMap, SortBy,
    };
    let (kind, two) = match (call.name, call.args.len()) {
        ("all", 2) => (All, false),
        ("exists", 2) => (Exists, false),
        ("exists_one" | "existsOne", 2) => (ExistsOne, false),
        ("filter", 2) => (Filter, false),
        ("map", 2 | 3) => (List, false),
        ("sortBy", 2) => (SortBy, false),
        ("optMap", 2) => (OptMap, false),
        ("optFlatMap", 2) => (OptFlatMap, false),
        ("all", 3) => (All, true),
        ("exists", 3) => (Exists, true),
        ("existsOne" | "exists_one", 3) => (ExistsOne, true),
        ("transformList", 3 | 4) => (List, true),
        ("transformMap", 3 | 4) => (MapValues, true),
        ("transformMapEntry", 3 | 4) => (MapEntries, true),
        _ => return None,
    };
    Some(build(ast, kind, two, target, call))
}

fn build(
    ast: &Ast,
    kind: FoldKind,
    two: bool,
    target: Id,
    call: &Call<'_>,
) -> Result<Expr, Box<Fault>> {
    let (names, bodies) = call.args.split_at(if two { 2 } else { 1 });
    let first = variable(ast, names[0])?;
    let second = names.get(1).map(|name| variable(ast, *name)).transpose()?;
    if second.as_ref() == Some(&first) {
        let fault =
            Fault::error("syntax", ast.range(names[1]), format!("`{first}` is bound twice"));
        return Err(Box::new(fault));
    }
    let (filter, body) = match *bodies {
        [filter, body] => (Some(filter), body),
        _ => (None, bodies[0]),
    };
    Ok(Expr::Fold(Box::new(Fold { kind, range: target, first, second, filter, body })))
}

fn variable(ast: &Ast, id: Id) -> Result<Text, Box<Fault>> {
    match ast.expr(id) {
        Expr::Ident { name, absolute: false } => Ok(name.clone()),
        _ => Err(Box::new(Fault::error(
            "syntax",
            ast.range(id),
            "a plain name must stand here, it is bound by the macro",
        ))),
    }
}
