//! Scalars: plain where nobody can misread them, else in quotes or as a block.

use crate::yaml::Tree;
use crate::yaml::scalar::{other_reading, resolve};

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// After a key or dash, alone on the rest of its line.
    Block,
    /// In brackets or braces.
    Flow,
    /// Before a colon, which may be in braces.
    Key,
}

/// Writes a text on one line.
pub(super) fn scalar(text: &str, context: Context, out: &mut String) {
    if is_plain(text, context) {
        return out.push_str(text);
    }
    let escapes = text.chars().any(|c| needs_escape(c) || c == '\n');
    let single = !escapes && !text.contains('\'') && text.contains(['"', '\\']);
    match single {
        true => out.extend(["'", text, "'"]),
        false => double_quoted(text, out),
    }
}

/// A text of several lines as a literal block; `None` when it has one line or could not be read
/// back as it is.
pub(super) fn literal(text: &str, indent: usize) -> Option<String> {
    if !text.contains('\n') {
        return None;
    }
    let body = text.trim_end_matches('\n');
    let is_tidy = |line: &str| !line.ends_with([' ', '\t']) && !line.chars().any(needs_escape);
    if body.starts_with([' ', '\t', '\n']) || !body.split('\n').all(is_tidy) {
        return None;
    }
    let breaks = text.len() - body.len();
    let chomp = match (body.is_empty(), breaks) {
        (true, _) => return None,
        (_, 0) => "|-",
        (_, 1) => "|",
        _ => "|+",
    };
    let mut out = String::from(chomp);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
    if breaks > 1 {
        out.push('\n');
    }
    Some(out)
}

/// A double that every reader takes for one: with a point, and a sign in its exponent.
pub(super) fn double(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shortest = format!("{number:?}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn is_plain(text: &str, context: Context) -> bool {
    let begins_well = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '(' | '+' | '<');
    text.starts_with(begins_well)
        && !text.ends_with([':', ' '])
        && has_plain_characters(text, context != Context::Block)
        && text != "<<"
        && matches!(resolve(text), Ok(Tree::String(_)))
        && other_reading(text).is_none()
}

/// Whether no character, alone or after the one before it, means something to a reader of YAML.
fn has_plain_characters(text: &str, in_braces: bool) -> bool {
    let mut before = ' ';
    text.chars().all(|c| {
        let is_plain = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' | '/' => true,
            ' ' => before != ':',
            '{' => before != '$' && !in_braces,
            '#' => before != ' ' && !in_braces,
            ',' | '[' | ']' | '}' | ':' | '"' | '\'' => !in_braces,
            _ => !needs_escape(c) && !c.is_whitespace(),
        };
        before = c;
        is_plain
    })
}

/// Whether a character is not printable, or would not survive as it is.
fn needs_escape(character: char) -> bool {
    let is_printable = matches!(character,
        '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
        | '\u{10000}'..='\u{10ffff}');
    !is_printable || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let code = u32::from(character);
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if !needs_escape(c) => out.push(c),
            _ if code <= 0xff => out.push_str(&format!("\\x{code:02x}")),
            _ if code <= 0xffff => out.push_str(&format!("\\u{code:04x}")),
            _ => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out.push('"');
}
