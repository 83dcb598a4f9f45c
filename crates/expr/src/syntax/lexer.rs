//! Text to tokens. Works from any offset, so that a template can find the end of `${...}` by it.

use core::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Ident,
    /// A field name in backticks.
    Quoted,
    Int,
    Uint,
    Double,
    /// A string or bytes literal with its prefix and quotes.
    Text,
    Open(u8),
    Close(u8),
    Dot,
    Comma,
    Colon,
    Question,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Not,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    End,
    /// A string without its closing quotes.
    Unclosed,
    /// A character that no token begins with.
    Unknown,
}

pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, at: usize) -> Lexer<'a> {
        Lexer { text, at }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The next token; at the end of the text `End`, again and again.
    pub(crate) fn next(&mut self) -> (Token, Range<usize>) {
        self.skip_space();
        let start = self.at;
        let token = self.token();
        (token, start..self.at)
    }

    fn skip_space(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (b' ' | b'\t' | b'\n' | b'\r' | 0x0c, _) => self.at += 1,
                (b'/', b'/') => {
                    let rest = &self.text.as_bytes()[self.at..];
                    self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Token {
        if self.at >= self.text.len() {
            return Token::End;
        }
        let first = self.byte(0);
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'"' | b'\'' => self.string(0, false),
            b'`' => self.quoted(),
            _ => self.sign(first),
        }
    }

    fn sign(&mut self, first: u8) -> Token {
        let two = match (first, self.byte(1)) {
            (b'=', b'=') => Some(Token::Equal),
            (b'!', b'=') => Some(Token::NotEqual),
            (b'<', b'=') => Some(Token::LessEqual),
            (b'>', b'=') => Some(Token::GreaterEqual),
            (b'&', b'&') => Some(Token::And),
            (b'|', b'|') => Some(Token::Or),
            _ => None,
        };
        if let Some(token) = two {
            self.at += 2;
            return token;
        }
        let token = match first {
            b'(' | b'[' | b'{' => Token::Open(first),
            b')' | b']' | b'}' => Token::Close(first),
            b'.' => Token::Dot,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'?' => Token::Question,
            b'+' => Token::Plus,
            b'-' => Token::Minus,
            b'*' => Token::Star,
            b'/' => Token::Slash,
            b'%' => Token::Percent,
            b'!' => Token::Not,
            b'<' => Token::Less,
            b'>' => Token::Greater,
            _ => Token::Unknown,
        };
        self.at += self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        token
    }

    /// An identifier, or a string behind `r`, `b`, `rb` or `br`.
    fn word(&mut self) -> Token {
        let lower = |ahead: usize| self.byte(ahead).to_ascii_lowercase();
        let prefix = match (lower(0), lower(1), lower(2)) {
            (b'r' | b'b', b'"' | b'\'', _) => 1,
            (b'r', b'b', b'"' | b'\'') | (b'b', b'r', b'"' | b'\'') => 2,
            _ => 0,
        };
        if prefix > 0 {
            let raw = lower(0) == b'r' || lower(prefix - 1) == b'r';
            return self.string(prefix, raw);
        }
        while self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' {
            self.at += 1;
        }
        Token::Ident
    }

    fn digits(&mut self) {
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Token {
        let mut token = Token::Int;
        if self.byte(0) == b'0'
            && matches!(self.byte(1), b'x' | b'X')
            && self.byte(2).is_ascii_hexdigit()
        {
            self.at += 2;
            while self.byte(0).is_ascii_hexdigit() {
                self.at += 1;
            }
        } else {
            self.digits();
            if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
                token = Token::Double;
                self.at += 1;
                self.digits();
            }
            let signed = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + signed).is_ascii_digit() {
                token = Token::Double;
                self.at += 1 + signed;
                self.digits();
            }
        }
        if token == Token::Int && matches!(self.byte(0), b'u' | b'U') {
            self.at += 1;
            token = Token::Uint;
        }
        token
    }

    fn string(&mut self, prefix: usize, raw: bool) -> Token {
        self.at += prefix;
        let quote = self.byte(0);
        let triple = self.byte(1) == quote && self.byte(2) == quote;
        self.at += if triple { 3 } else { 1 };
        while self.at < self.text.len() {
            match self.byte(0) {
                b'\\' if !raw => self.at += 2,
                b'\n' | b'\r' if !triple => return Token::Unclosed,
                byte if byte == quote && !triple => {
                    self.at += 1;
                    return Token::Text;
                }
                byte if byte == quote && self.byte(1) == quote && self.byte(2) == quote => {
                    self.at += 3;
                    return Token::Text;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.text.len();
        Token::Unclosed
    }

    fn quoted(&mut self) -> Token {
        self.at += 1;
        while !matches!(self.byte(0), b'`' | b'\n' | 0) {
            self.at += 1;
        }
        if self.byte(0) != b'`' {
            return Token::Unclosed;
        }
        self.at += 1;
        Token::Quoted
    }
}
