//! The parser's errors to findings: which code, which place, what to do.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Diagnostic, code};
use crate::source::Source;

use super::limits::DEPTH_MAX;

/// What an error of the parser tells its user; `open` is where the innermost bracket begins.
pub(super) fn of(
    source: &Source,
    text: &str,
    error: &ScanError,
    open: Option<usize>,
) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(0);
    let at = character_at(text, offset);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(source, at),
        ErrorKind::UnknownAnchor => unknown_anchor(source, text, offset),
        ErrorKind::UndeclaredTagHandle => {
            Diagnostic::error(source, code::UNKNOWN_TAG, at, "the tag's handle is not declared")
                .with_help("remove the tag and write the value itself")
        }
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabNotAllowed => tab(source, text, offset),
        ErrorKind::UnclosedFlowCollection { open } => {
            unclosed(source, open.encode_utf8(&mut [0; 4]), at.start)
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::MisplacedFlowCollectionEnd
            if template_before(text, offset).is_some() =>
        {
            unquoted_template(source, template_before(text, offset).unwrap_or(at))
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator
            if open.is_some_and(|open| text[open..at.start].contains('\n')) =>
        {
            let open = open.unwrap_or(at.start);
            unclosed(source, &text[open..open + 1], open).with_related(source, at, "not expected")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey
            if let Some(meant) = with_colon(text, offset) =>
        {
            syntax(source, error.kind(), at).with_help(format!("write `{meant}`"))
        }
        kind => syntax(source, kind, at),
    }
}

/// The line of an error with the colon that it lacks after its first word, if that would be one key.
fn with_colon(text: &str, offset: usize) -> Option<String> {
    let line = text[text[..offset].rfind('\n').map_or(0, |at| at + 1)..].lines().next()?;
    let (key, value) = line.trim().split_once(' ')?;
    let is_key = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_key && !value.contains(':')).then(|| format!("{key}: {}", value.trim()))
}

fn unclosed(source: &Source, bracket: &str, at: usize) -> Diagnostic {
    let message = format!("`{bracket}` is not closed");
    Diagnostic::error(source, code::YAML_SYNTAX, at..at + 1, message)
        .with_help("close it, or quote a text that begins with it")
}

/// A template that YAML takes for a mapping.
pub(super) fn unquoted_template(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = "a template in braces must be quoted: `{` begins a mapping here";
    Diagnostic::error(source, code::UNQUOTED_TEMPLATE, at, message)
        .with_help("put the whole text in double quotes: \"${...}\"")
}

pub(super) fn too_deep(source: &Source, at: Range<usize>) -> Diagnostic {
    let message = format!("lists and mappings nest more than {DEPTH_MAX} deep");
    Diagnostic::error(source, code::TOO_DEEP, at, message)
        .with_help("give inner parts a name under `definitions` and refer to them by it")
}

fn unknown_anchor(source: &Source, text: &str, offset: usize) -> Diagnostic {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
    let rest = &text[offset..];
    let at = offset..offset + rest.find(ends).unwrap_or(rest.len());
    let message =
        format!("no anchor `{}` before this place", text[at.clone()].replacen('*', "&", 1));
    Diagnostic::error(source, code::UNKNOWN_ANCHOR, at, message)
        .with_help("mark the value before its first use, or quote a text that begins with `*`")
}

/// Points at the first tab in the indentation of a line, which the parser meets before or after.
fn tab(source: &Source, text: &str, offset: usize) -> Diagnostic {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let mut start = line;
    let mut at = offset..offset + 1;
    for line in text[line..].split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            at = start + tab..start + indent;
            break;
        }
        start += line.len();
    }
    Diagnostic::error(source, code::TAB_IN_INDENTATION, at, "a tab in the indentation")
        .with_help("indent with spaces")
}

fn syntax(source: &Source, kind: &ErrorKind, at: Range<usize>) -> Diagnostic {
    let (message, help) = match kind {
        ErrorKind::MappingValueNotAllowed => (
            "a `:` that makes no key here".to_owned(),
            "quote a text that contains `: `, or check the indentation of this line",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            (format!("`{open}` is not closed"), "close it, or quote a text that begins with it")
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), "close it with its own bracket")
        }
        ErrorKind::MisplacedFlowCollectionEnd => (
            "a closing bracket that closes nothing".to_owned(),
            "remove it, or quote the text to which it belongs",
        ),
        ErrorKind::UnclosedQuotedScalar => {
            ("the quoted text does not end".to_owned(), "close the quote")
        }
        ErrorKind::InvalidQuotedScalarIndent => (
            "a quoted text goes on in this line, which is not indented".to_owned(),
            "close the quote on a line before, or indent this line",
        ),
        ErrorKind::ExpectedFlowMappingSeparator => (
            "`,` or `}` expected".to_owned(),
            "separate entries by `,`, and quote a text with brackets, braces or commas",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator => (
            "`,` or `]` expected".to_owned(),
            "separate items by `,`, and quote a text with brackets, braces or commas",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey => (
            "a key with a `:` expected".to_owned(),
            "write `key: value`, or check the indentation of this line",
        ),
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockSequenceEntry => (
            "the indentation fits no level above".to_owned(),
            "indent the line as the others of its list or mapping",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "text after a closing quote".to_owned(),
            "quote the whole value, or separate two values by `,`",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "an escape that YAML does not know".to_owned(),
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("`{}` cannot begin a value", character.escape_default()), "quote the text")
        }
        other => (other.to_string(), "the fault may also stand on the line before"),
    };
    Diagnostic::error(source, code::YAML_SYNTAX, at, message).with_help(help)
}

/// A template on the line of an error that is not in quotes: where it begins.
fn template_before(text: &str, offset: usize) -> Option<Range<usize>> {
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    let before = &text[line..end];
    let found = before.find("${").into_iter().chain(before.find("{{")).min()?;
    let is_quoted = matches!(before[..found].trim_end().chars().last(), Some('"' | '\''));
    let length = before[found..].find('}').map_or(2, |at| at + 1);
    (!is_quoted).then_some(line + found..line + found + length)
}

/// The character at an offset, or the last one before the end of the text.
fn character_at(text: &str, offset: usize) -> Range<usize> {
    let mut start = offset.min(text.trim_end().len().saturating_sub(1));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let length = text[start..].chars().next().map_or(0, char::len_utf8);
    start..start + length
}
