//! Values inside file paths: they may go down, but never leave the folder that stands before them.

use core::ops::Range;

use super::render::refused;
use crate::fault::Failed;

/// Whether the path stays under the folder before a value, from there to its end.
pub(super) fn check(path: &str, value: Range<usize>) -> Result<(), Failed> {
    let text = &path[value.clone()];
    if text.contains('\0') {
        return Err(refused("bad_path", "\\0", "cannot be in a path"));
    }
    if text.starts_with('/') {
        return Err(refused("bad_path", text, "is absolute"));
    }
    let folder = path[..value.start].rfind('/').map_or(0, |at| at + 1);
    let mut depth = 0usize;
    for step in path[folder..].split('/') {
        match step {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Err(refused("bad_path", text, "leaves the folder before it")),
            },
            _ => depth += 1,
        }
    }
    Ok(())
}
