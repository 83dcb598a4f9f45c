//! What a path in a contract may be: text, of bounded length, going down only.

use onex_kernel::port::CallError;

use crate::fault;

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 1024;

/// Longest name of a file or folder, in bytes: what common file systems take.
const NAME_BYTES_MAX: usize = 255;

/// Names that begin so are the effect's own, while it writes.
pub(super) const RESERVED_PREFIX: &str = ".onex-";

/// The names that a path leads through, none for `.`. An absolute path loses its first `/`.
pub(super) fn names(path: &str) -> Result<Vec<&str>, CallError> {
    let shown = shown(path);
    if path.is_empty() {
        return Err(fault::bad_request("the path is empty"));
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(fault::bad_request(format!("the path is longer than {PATH_BYTES_MAX} bytes")));
    }
    if path.chars().any(char::is_control) {
        return Err(fault::bad_request(format!("the path {shown} has a control character")));
    }
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                return Err(fault::not_allowed(format!("the path {shown} goes up with `..`")));
            }
            _ if name.len() > NAME_BYTES_MAX => {
                return Err(fault::bad_request(format!(
                    "a name in the path {shown} is longer than {NAME_BYTES_MAX} bytes"
                )));
            }
            _ if name.starts_with(RESERVED_PREFIX) => {
                return Err(fault::bad_request(format!(
                    "a name in the path {shown} begins with the reserved `{RESERVED_PREFIX}`"
                )));
            }
            _ => names.push(name),
        }
    }
    Ok(names)
}

/// A path as messages show it: no control characters, at most 128 characters.
pub(super) fn shown(path: &str) -> String {
    let mut shown: String = path.chars().take(128).collect();
    if shown.len() < path.len() {
        shown.push_str("...");
    }
    format!("{shown:?}")
}
