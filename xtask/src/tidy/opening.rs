//! Every Rust file of a crate opens with `//!`: what it is for, in one to ten lines. Tables and
//! samples in it do not count.

use super::Finding;
use crate::repository::Repository;

/// Most lines of an opening.
const LINES_MAX: usize = 10;

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository
        .files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .filter_map(|file| fault(&file.text).map(|fault| format!("{}: {fault}", file.path)))
        .collect()
}

fn fault(text: &str) -> Option<&'static str> {
    let mut opening =
        text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim_start).peekable();
    if opening.peek().is_none() {
        return Some("does not open with `//!`");
    }
    let mut in_sample = false;
    let prose = opening.filter(|line| {
        let fence = line.starts_with("```");
        in_sample ^= fence;
        !fence && !in_sample && !line.starts_with('|')
    });
    (prose.count() > LINES_MAX).then_some("opens with more than ten lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_has_one_to_ten_lines() {
        assert!(fault("use a;\n").is_some());
        assert!(fault("//! For.\nuse a;\n").is_none());
        assert!(fault(&"//! For.\n".repeat(10)).is_none());
        assert!(fault(&"//! For.\n".repeat(11)).is_some());
        assert!(fault(&"//! | a | b |\n".repeat(11)).is_none());
        let sample = format!("//! ```text\n{}//! ```\n", "//! x\n".repeat(11));
        assert!(fault(&sample).is_none());
        assert!(fault(&format!("{sample}{}", "//! For.\n".repeat(11))).is_some());
    }
}
