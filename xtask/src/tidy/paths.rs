//! Pages written by hand name files and folders that exist.

use super::Finding;
use crate::repository::{File, Repository};

/// What a path in backquotes begins with; other text in backquotes is no path.
const BEGINNINGS: [&str; 7] =
    [".ci/", "crates/", "docs/", "examples/", "nodes/", "scripts/", "xtask/"];

pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository
        .files
        .iter()
        .filter(|file| is_written_by_hand(&file.path))
        .flat_map(|file| {
            named(file)
                .filter(|path| !repository.root.join(path).exists())
                .map(|path| format!("{}: `{path}` does not exist", file.path))
        })
        .collect()
}

fn is_written_by_hand(path: &str) -> bool {
    path.ends_with(".md") && !path.starts_with("docs/reference/")
}

/// Paths below the root: in backquotes as they are, in links relative to the page.
fn named(file: &File) -> impl Iterator<Item = String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let quoted = file
        .text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|text| BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)))
        // A pattern or a place in a pattern is no path.
        .filter(|text| !text.contains(['*', '<', '{', ' ', '$']))
        .map(str::to_owned);
    let linked = file
        .text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .map(move |link| format!("{folder}/{link}").trim_start_matches('/').to_owned());
    quoted.chain(linked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_backquotes_and_links() {
        let file = File {
            path: "docs/page.md".to_owned(),
            text: "See `crates/a`, `cargo run`, `crates/<name>/src`, [one](other.md#part), \
                   [up](../README.md), [web](https://example.com) and [here](#part)."
                .to_owned(),
        };
        let found: Vec<_> = named(&file).collect();
        assert_eq!(found, ["crates/a", "docs/other.md", "docs/../README.md"]);
    }
}
