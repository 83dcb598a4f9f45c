//! Bytes to text: size, UTF-8, no control characters.

use crate::diagnostic::{Diagnostic, code};
use crate::source::Source;

use super::limits::FILE_BYTES_MAX;

/// The file as text, or why it is none.
pub(super) fn check(source: &Source) -> Result<&str, Box<Diagnostic>> {
    if source.bytes.len() > FILE_BYTES_MAX {
        return Err(Box::new(too_large(source)));
    }
    let text = std::str::from_utf8(&source.bytes)
        .map_err(|fault| Box::new(not_utf8(source, fault.valid_up_to())))?;
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')) {
        return Ok(text);
    }
    match text.char_indices().find(|(_, character)| is_forbidden(*character)) {
        Some((at, character)) => Err(Box::new(control_character(source, at, character))),
        None => Ok(text),
    }
}

/// Whether a character may not stand in YAML unescaped (YAML 1.2.2, production 1, `c-printable`).
pub(crate) fn is_forbidden(character: char) -> bool {
    let allowed = matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    (character.is_control() && !allowed) || matches!(character, '\u{fffe}' | '\u{ffff}')
}

fn too_large(source: &Source) -> Diagnostic {
    let (size, limit) = (source.bytes.len(), FILE_BYTES_MAX / 1024 / 1024);
    let message = format!("the file has {size} bytes, a contract at most {limit} MiB");
    Diagnostic::error(source, code::FILE_TOO_LARGE, 0..0, message)
        .with_help("keep data outside the contract")
}

fn not_utf8(source: &Source, at: usize) -> Diagnostic {
    let utf16 = source.bytes.starts_with(&[0xff, 0xfe]) || source.bytes.starts_with(&[0xfe, 0xff]);
    let message = match utf16 {
        true => "the file is UTF-16, a contract is UTF-8".to_owned(),
        false => format!("byte {at} is no UTF-8"),
    };
    Diagnostic::error(source, code::NOT_UTF8, at..at + 1, message)
        .with_help("save the file as UTF-8")
}

fn control_character(source: &Source, at: usize, character: char) -> Diagnostic {
    let message = format!("control character U+{:04X} in the text", u32::from(character));
    Diagnostic::error(source, code::CONTROL_CHARACTER, at..at + character.len_utf8(), message)
        .with_help("delete it, or write it as an escape in double quotes")
}
