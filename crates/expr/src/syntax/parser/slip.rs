//! What somebody meant who writes an operator of another language.

use core::ops::Range;

/// What to write instead, where the parser found something unexpected.
pub(super) fn meant(source: &str, at: &Range<usize>) -> Option<&'static str> {
    let (before, found) = (source.get(..at.start)?, source.get(at.clone())?);
    let after = source.get(at.end..)?.trim_start();
    let last = before.trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    let help = match found {
        "=" if before.ends_with("!=") => "write `!=`",
        "=" => "write `==` to compare",
        ">" if before.ends_with('<') => "write `!=`",
        "&" | "and" | "AND" => "write `&&`",
        "|" | "or" | "OR" => "write `||`",
        "is" | "IS" if after.starts_with("not") || after.starts_with("NOT") => {
            "write `!=`, as in `!= null`"
        }
        "is" | "IS" => "write `==`, as in `== null`",
        "not" | "NOT" if after.starts_with("in") => "write `!(a in b)`",
        _ if ["not", "NOT"].contains(&last) => "write `!` for `not`",
        _ => return None,
    };
    Some(help)
}
