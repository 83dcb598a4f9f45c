//! What operators stand between: names, literals, collections, and the fields, items and calls
//! behind them.

use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Parser, slip};
use crate::syntax::ast::{Entry, Expr, Id, Item};
use crate::syntax::lexer::Token;
use crate::syntax::{FAULTS_MAX, LITERALS_MAX, literal, macros};
use crate::{Fault, Text, Value};

/// Names that CEL keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut id: Id) -> Id {
        loop {
            let start = self.ast.range(id).start;
            if self.eat(Token::Dot) {
                id = self.select(id, start);
            } else if self.token == Token::Open(b'[') {
                self.advance();
                let optional = self.eat(Token::Question);
                let index = self.expr();
                self.close(b']');
                id = self
                    .add(Expr::Index { operand: id, index, optional }, start..self.previous_end);
            } else {
                return id;
            }
        }
    }

    /// What follows a dot: a field, or a call on what stands before it.
    fn select(&mut self, operand: Id, start: usize) -> Id {
        let optional = self.eat(Token::Question);
        let name_range = self.range.clone();
        let name: Text = match self.token {
            Token::Ident => self.text().into(),
            Token::Quoted => self.text()[1..self.range.len() - 1].into(),
            _ => {
                self.unexpected("a field name");
                return self.add(Expr::Error, start..self.previous_end);
            }
        };
        let callable = self.token == Token::Ident && !optional;
        self.advance();
        if callable && self.token == Token::Open(b'(') {
            return self.call(Some(operand), name_range, start);
        }
        let select =
            Expr::Select { operand, field: name, field_range: name_range.clone(), optional };
        self.add(select, start..name_range.end)
    }

    fn call(&mut self, target: Option<Id>, name_range: Range<usize>, start: usize) -> Id {
        self.advance();
        let mut args = Vec::new();
        while !matches!(self.token, Token::Close(_) | Token::End) {
            args.push(self.expr());
            if !self.separated(b')') {
                break;
            }
        }
        self.close(b')');
        let name = &self.source[name_range.clone()];
        let call = macros::Call { target, name, name_range, args };
        let expr = macros::expand(&self.ast, call, &mut self.faults);
        self.add(expr, start..self.previous_end)
    }

    /// After an item of a list: true when another may follow.
    fn separated(&mut self, close: u8) -> bool {
        if self.eat(Token::Comma) {
            return true;
        }
        if self.token != Token::Close(close) {
            self.unexpected(&format!("`,` or `{}`", char::from(close)));
            return self.resume();
        }
        false
    }

    /// Skips to the next comma or closing bracket of the same level; true behind a comma.
    fn resume(&mut self) -> bool {
        let mut open = 0usize;
        loop {
            match self.token {
                Token::End => return false,
                Token::Open(_) => open += 1,
                Token::Close(_) if open == 0 => return false,
                Token::Close(_) => open -= 1,
                Token::Comma if open == 0 => {
                    self.advance();
                    return true;
                }
                _ => {}
            }
            self.advance();
        }
    }

    fn close(&mut self, close: u8) {
        if !self.eat(Token::Close(close)) {
            self.unexpected(&format!("`{}`", char::from(close)));
        }
    }

    pub(super) fn primary(&mut self) -> Id {
        let range = self.range.clone();
        match self.token {
            Token::Ident => self.ident(range.start, false),
            Token::Dot => {
                self.advance();
                if self.token != Token::Ident {
                    self.unexpected("a name");
                    return self.error_here();
                }
                self.ident(range.start, true)
            }
            Token::Int | Token::Double | Token::Uint | Token::Text => {
                let expr = self.literal(&range);
                self.advance();
                self.add(expr, range)
            }
            Token::Open(b'(') => {
                self.advance();
                let inner = self.expr();
                self.close(b')');
                self.ast.set_range(inner, range.start..self.previous_end);
                inner
            }
            Token::Open(b'[') => self.list(range.start),
            Token::Open(_) => self.map(range.start),
            _ => {
                self.unexpected("a value");
                if !matches!(self.token, Token::Close(_) | Token::Comma | Token::Colon | Token::End)
                {
                    let is_slip = slip::meant(self.source, &range).is_some();
                    self.advance();
                    // Behind `<>` and `===` stands the operand, which is no second mistake.
                    if is_slip && matches!(self.token, Token::Ident | Token::Int | Token::Text) {
                        return self.primary();
                    }
                }
                self.add(Expr::Error, range)
            }
        }
    }

    fn ident(&mut self, start: usize, absolute: bool) -> Id {
        let range = self.range.clone();
        let name = self.text();
        self.advance();
        let value = match name {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = value {
            return self.add(Expr::Literal(value), range);
        }
        if self.token == Token::Open(b'(') {
            return self.call(None, range, start);
        }
        if name == "in" || RESERVED.contains(&name) {
            self.fault(range.clone(), format!("`{name}` is a word of the language and no name"));
            return self.add(Expr::Error, range);
        }
        self.add(Expr::Ident { name: name.into(), absolute }, start..range.end)
    }

    fn literal(&mut self, range: &Range<usize>) -> Expr {
        let text = self.text();
        let found = match self.token {
            Token::Int => literal::int(text, false).map(Value::Int),
            Token::Double => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Double),
            Token::Uint => {
                let fault =
                    Fault::error("uint", range.clone(), "there is no uint: whole numbers are ints");
                self.faults
                    .push(fault.help(format!("write `{}`", text.trim_end_matches(['u', 'U']))));
                return Expr::Error;
            }
            _ => match literal::text(text) {
                Ok(value) => Some(value),
                Err((part, message)) => {
                    let end = (range.start + part.end).min(range.end);
                    self.bad_literal(range.start + part.start..end, message);
                    return Expr::Error;
                }
            },
        };
        found.map_or_else(
            || {
                self.bad_literal(range.clone(), "the number is out of range");
                Expr::Error
            },
            Expr::Literal,
        )
    }

    fn bad_literal(&mut self, range: Range<usize>, message: &str) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault::error("bad_literal", range, message));
        }
    }

    fn count_literal(&mut self) {
        self.literals += 1;
        if self.literals > LITERALS_MAX {
            let message = format!("the literals have more than {LITERALS_MAX} items together");
            self.stop("too_long", self.range.clone(), message);
        }
    }

    fn list(&mut self, start: usize) -> Id {
        self.advance();
        let mut items = Vec::new();
        while !matches!(self.token, Token::Close(_) | Token::End) {
            self.count_literal();
            let optional = self.eat(Token::Question);
            items.push(Item { value: self.expr(), optional });
            if !self.separated(b']') {
                break;
            }
        }
        self.close(b']');
        self.add(Expr::List(items.into()), start..self.previous_end)
    }

    fn map(&mut self, start: usize) -> Id {
        self.advance();
        let mut entries = Vec::new();
        while !matches!(self.token, Token::Close(_) | Token::End) {
            self.count_literal();
            let optional = self.eat(Token::Question);
            let key = self.expr();
            if !self.eat(Token::Colon) {
                self.unexpected("`:` and the entry's value");
                if self.resume() {
                    continue;
                }
                break;
            }
            entries.push(Entry { key, value: self.expr(), optional });
            if !self.separated(b'}') {
                break;
            }
        }
        self.close(b'}');
        self.add(Expr::Map(entries.into()), start..self.previous_end)
    }
}
