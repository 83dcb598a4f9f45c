//! Finding the `${...}` in a text.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Joined, Part, Place, Template, url};
use crate::syntax::{Lexer, Token};
use crate::{Compiled, Fault, Program, Scope, Value, check, plan, syntax};

pub(super) fn compile(source: &str, place: Place, scope: &Scope) -> Compiled<Template> {
    let mut faults = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while let Some(found) = source[at..].find("${") {
        let dollar = at + found;
        if source[at..dollar].ends_with('$') {
            // `$${` is the text `${`.
            text.push_str(&source[at..dollar - 1]);
            text.push_str("${");
            at = dollar + 2;
            continue;
        }
        text.push_str(&source[at..dollar]);
        let start = dollar + 2;
        let Some(end) = expression_end(source, start) else {
            let fault = Fault::error("syntax", dollar..start, "the closing `}` of `${` is missing");
            faults.push(fault.help("write `$${` for the text `${`"));
            return Compiled::new(Template::Literal(Value::Null), faults);
        };
        let compiled = Program::compile_at(&source[start..end], start, scope);
        faults.extend(compiled.faults);
        if !text.is_empty() {
            parts.push(Part::Text(core::mem::take(&mut text).into()));
        }
        parts.extend(compiled.value.map(Part::Expr));
        at = end + 1;
    }
    text.push_str(&source[at..]);
    if parts.is_empty() {
        return Compiled::new(Template::Literal(Value::String(text.into())), faults);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.into()));
    }
    if place == Place::Url {
        faults.extend(url::check(&parts));
    }
    Compiled::new(assemble(parts, place), faults)
}

fn assemble(mut parts: Vec<Part>, place: Place) -> Template {
    match parts.pop() {
        Some(Part::Expr(program)) if parts.is_empty() && place == Place::Data => {
            Template::Expr(program)
        }
        last => {
            parts.extend(last);
            Template::Joined(Arc::new(Joined { place, parts: parts.into() }))
        }
    }
}

/// Where the expression that begins at `start` ends: at the first `}` that closes nothing in it.
fn expression_end(source: &str, start: usize) -> Option<usize> {
    let mut lexer = Lexer::new(source, start);
    let mut open = 0usize;
    loop {
        match lexer.next() {
            (Token::End | Token::Unclosed, _) => return None,
            (Token::Open(b'{'), _) => open += 1,
            (Token::Close(b'}'), range) if open == 0 => return Some(range.start),
            (Token::Close(b'}'), _) => open -= 1,
            _ => {}
        }
    }
}

/// The expression that a text of data probably was meant to be: one that lacks its `${}`
/// (`payload.x`, `size(payload.l)`), or that has it around a part only (`${state.n} + 1`).
pub fn meant_as_expression(text: &str, scope: &Scope) -> Option<String> {
    if looks_like_path(text, scope) {
        return Some(text.into());
    }
    let mut roots = scope.roots.iter().filter(|root| root.here);
    if !roots.any(|root| text.contains(root.name.as_str())) {
        return None;
    }
    if !text.contains("${") {
        let asks = text.contains(['.', '(', '[']) && !text.contains(". ");
        let asks = asks && reads_a_root(text, scope);
        return asks.then(|| text.into());
    }
    const SIGNS: [&str; 10] =
        [" + ", " * ", " == ", " != ", " && ", " || ", " >= ", " <= ", " ? ", " in "];
    let mut whole = String::new();
    let mut between = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let start = at + found + 2;
        let end = expression_end(text, start)?;
        between.push_str(&text[at..start - 2]);
        whole.push_str(&text[at..start - 2]);
        let inside = &text[start..end];
        let is_path = inside.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
        let (open, close) = if is_path { ("", "") } else { ("(", ")") };
        whole.extend([open, inside, close]);
        at = end + 1;
    }
    between.push_str(&text[at..]);
    whole.push_str(&text[at..]);
    let between = format!(" {between} ");
    let computes = SIGNS.iter().any(|sign| between.contains(sign));
    (computes && reads_a_root(&whole, scope)).then_some(whole)
}

/// Whether a text is an expression in which every name is known, and that reads of a root what is
/// in it or calls a function with it.
fn reads_a_root(text: &str, scope: &Scope) -> bool {
    let (ast, root, faults) = syntax::parse(text);
    if !faults.is_empty() {
        return false;
    }
    let (_, faults) = check::check(&ast, root, scope);
    if faults
        .iter()
        .any(|f| ["unknown_root", "unknown_function", "root_out_of_place"].contains(&f.kind))
    {
        return false;
    }
    let (plan, _) = plan::build(&ast, root, scope);
    let here = |slot: usize| scope.roots.get(slot).is_some_and(|root| root.here);
    plan.paths.iter().any(|(slot, path)| here(*slot) && (!path.is_empty() || text.contains('(')))
}

/// Whether a text is a root and fields below it (`payload.x`).
fn looks_like_path(text: &str, scope: &Scope) -> bool {
    let mut parts = text.split('.');
    let is_root = parts.next().is_some_and(|first| scope.has(first));
    let mut fields = 0;
    let is_path = parts.all(|part| {
        fields += 1;
        let name = part.split('[').next().unwrap_or_default();
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    is_root && is_path && fields > 0
}
