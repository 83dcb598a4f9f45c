//! Seeds that nobody has seen: named by the last commit, so that a test run can be repeated.

use std::path::Path;

/// The first of the new seeds: a number that changes with the commit at hand, far from the fixed ones.
pub fn new_seed(inside: &str) -> u64 {
    let text = Path::new(inside).ancestors().find_map(head).unwrap_or_default();
    let hash = blake3::hash(text.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    1_000_000_000 + u64::from(u32::from_le_bytes([a, b, c, d])) * 1000
}

/// The commit of a folder, if it is the root of a repository.
fn head(folder: &Path) -> Option<String> {
    let git = folder.join(".git");
    let git = match std::fs::read_to_string(&git) {
        // A further work tree: a file that names its folder.
        Ok(text) => folder.join(text.strip_prefix("gitdir: ")?.trim()),
        Err(_) => git,
    };
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(name) = head.strip_prefix("ref: ") else { return Some(head) };
    let shared = std::fs::read_to_string(git.join("commondir")).ok();
    let shared = shared.map_or_else(|| git.clone(), |text| git.join(text.trim()));
    let commit = std::fs::read_to_string(shared.join(name.trim()));
    Some(commit.unwrap_or(head))
}
