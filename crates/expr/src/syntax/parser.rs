//! Tokens to a tree, by precedence climbing. Recursion is bounded by `DEPTH_MAX`; after a fault
//! the parser goes on behind the next comma or bracket, so that one text can show several.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::ast::{Ast, Binary, Expr, Id};
use super::lexer::{Lexer, Token};
use super::{DEPTH_MAX, FAULTS_MAX, SOURCE_MAX, literal};

use crate::{Fault, Value};

mod operand;
mod slip;

/// Reads one expression. There is always a tree; without faults it is the text's.
pub(crate) fn parse(source: &str) -> (Ast, Id, Vec<Fault>) {
    let mut parser = Parser {
        source,
        lexer: Lexer::new(source, 0),
        token: Token::End,
        range: 0..0,
        previous_end: 0,
        ast: Ast::default(),
        faults: Vec::new(),
        nesting: 0,
        literals: 0,
        stopped: false,
    };
    if source.len() > SOURCE_MAX {
        let message =
            format!("the expression has {} bytes, at most {SOURCE_MAX} are read", source.len());
        parser.stop("too_long", 0..source.len(), message);
        let root = parser.add(Expr::Error, 0..source.len());
        return (parser.ast, root, parser.faults);
    }
    parser.advance();
    let root = parser.expr();
    if parser.token != Token::End {
        parser.unexpected("an operator or the end of the expression");
    }
    (parser.ast, root, parser.faults)
}

struct Parser<'a> {
    source: &'a str,
    lexer: Lexer<'a>,
    token: Token,
    range: Range<usize>,
    previous_end: usize,
    ast: Ast,
    faults: Vec<Fault>,
    nesting: usize,
    literals: usize,
    stopped: bool,
}

impl<'a> Parser<'a> {
    fn advance(&mut self) {
        self.previous_end = self.range.end;
        if !self.stopped {
            (self.token, self.range) = self.lexer.next();
        }
    }

    fn text(&self) -> &'a str {
        &self.source[self.range.clone()]
    }

    fn eat(&mut self, token: Token) -> bool {
        let found = self.token == token;
        if found {
            self.advance();
        }
        found
    }

    fn add(&mut self, expr: Expr, range: Range<usize>) -> Id {
        let id = self.ast.add(expr, range.clone());
        if self.ast.depth(id) > DEPTH_MAX {
            self.too_deep(range.clone());
            return self.ast.add(Expr::Error, range);
        }
        id
    }

    fn too_deep(&mut self, range: Range<usize>) {
        self.stop("too_deep", range, format!("the expression nests more than {DEPTH_MAX} levels"));
    }

    fn fault(&mut self, range: Range<usize>, message: impl Into<String>) {
        let again = self.faults.iter().any(|fault| fault.range.start == range.start);
        if !self.stopped && !again && self.faults.len() < FAULTS_MAX {
            let help = slip::meant(self.source, &range);
            let fault = Fault::error("syntax", range, message);
            self.faults.push(Fault { help: help.map(Into::into), ..fault });
        }
    }

    /// Reports a bound that was reached and reads nothing more.
    fn stop(&mut self, kind: &'static str, range: Range<usize>, message: String) {
        if !self.stopped {
            self.faults.push(Fault::error(kind, range, message));
            self.stopped = true;
            self.token = Token::End;
            self.range = self.source.len()..self.source.len();
        }
    }

    fn unexpected(&mut self, expected: &str) {
        let range = self.range.clone();
        match self.token {
            Token::End => {
                self.fault(range, format!("expected {expected}, but the expression ends"))
            }
            Token::Unclosed => {
                self.fault(range.start..range.start + 1, "the closing quote is missing")
            }
            _ => {
                let found = self.text();
                self.fault(range, format!("expected {expected}, found `{found}`"));
            }
        }
    }

    /// A whole expression: ternaries, then everything that binds closer.
    fn expr(&mut self) -> Id {
        self.nesting += 1;
        if self.nesting > DEPTH_MAX {
            self.too_deep(self.range.clone());
        }
        let condition = if self.stopped { self.error_here() } else { self.binary(0) };
        let id = if self.eat(Token::Question) {
            let then = self.expr();
            if !self.eat(Token::Colon) {
                self.unexpected("`:` of the conditional");
            }
            let otherwise = self.expr();
            let range = self.ast.range(condition).start..self.ast.range(otherwise).end;
            self.add(Expr::Ternary(condition, then, otherwise), range)
        } else {
            condition
        };
        self.nesting -= 1;
        id
    }

    fn error_here(&mut self) -> Id {
        let range = self.range.clone();
        self.add(Expr::Error, range)
    }

    /// How close the operator at hand binds, and what it is.
    fn operator(&self) -> Option<(u8, Operator)> {
        let binary = |level, sign| Some((level, Operator::Binary(sign)));
        match self.token {
            Token::Or => Some((1, Operator::Or)),
            Token::And => Some((2, Operator::And)),
            Token::Equal => binary(3, Binary::Equal),
            Token::NotEqual => binary(3, Binary::NotEqual),
            Token::Less => binary(3, Binary::Less),
            Token::LessEqual => binary(3, Binary::LessEqual),
            Token::Greater => binary(3, Binary::Greater),
            Token::GreaterEqual => binary(3, Binary::GreaterEqual),
            Token::Ident if self.text() == "in" => binary(3, Binary::In),
            Token::Plus => binary(4, Binary::Add),
            Token::Minus => binary(4, Binary::Subtract),
            Token::Star => binary(5, Binary::Multiply),
            Token::Slash => binary(5, Binary::Divide),
            Token::Percent => binary(5, Binary::Remainder),
            _ => None,
        }
    }

    fn binary(&mut self, above: u8) -> Id {
        let mut left = self.unary();
        while let Some((level, operator)) = self.operator()
            && level > above
        {
            left = match operator {
                Operator::Binary(sign) => {
                    self.advance();
                    let right = self.binary(level);
                    let range = self.ast.range(left).start..self.ast.range(right).end;
                    self.add(Expr::Binary(sign, left, right), range)
                }
                Operator::And | Operator::Or => self.chain(left, level, operator),
            };
        }
        left
    }

    /// `a && b && c` as one node, however long.
    fn chain(&mut self, first: Id, level: u8, operator: Operator) -> Id {
        let token = self.token;
        let mut operands = Vec::from([first]);
        while self.eat(token) {
            operands.push(self.binary(level));
        }
        let last = operands[operands.len() - 1];
        let range = self.ast.range(first).start..self.ast.range(last).end;
        let operands: Box<[Id]> = operands.into();
        let expr = if matches!(operator, Operator::And) {
            Expr::And(operands)
        } else {
            Expr::Or(operands)
        };
        self.add(expr, range)
    }

    fn unary(&mut self) -> Id {
        let mut signs: Vec<(Token, usize)> = Vec::new();
        while let Token::Not | Token::Minus = self.token {
            signs.push((self.token, self.range.start));
            self.advance();
        }
        let negative = signs.last().is_some_and(|(sign, _)| *sign == Token::Minus);
        let literal = match self.token {
            Token::Int | Token::Double if negative => self.negative_number(&mut signs),
            _ => None,
        };
        let mut id = match literal {
            Some(literal) => self.postfix(literal),
            None => {
                let primary = self.primary();
                self.postfix(primary)
            }
        };
        for (sign, start) in signs.into_iter().rev() {
            let range = start..self.ast.range(id).end;
            let expr = if sign == Token::Not { Expr::Not(id) } else { Expr::Negate(id) };
            id = self.add(expr, range);
        }
        id
    }

    /// A number whose minus belongs to it, as -9223372036854775808 needs it.
    fn negative_number(&mut self, signs: &mut Vec<(Token, usize)>) -> Option<Id> {
        let (_, start) = *signs.last()?;
        let value = match self.token {
            Token::Int => Value::Int(literal::int(self.text(), true)?),
            _ => Value::Double(-self.text().parse::<f64>().ok()?),
        };
        signs.pop();
        let range = start..self.range.end;
        self.advance();
        Some(self.add(Expr::Literal(value), range))
    }
}

enum Operator {
    Binary(Binary),
    And,
    Or,
}
