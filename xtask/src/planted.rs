//! Plants bugs, one at a time, in a copy of the sources, and sees which seed of the simulation finds
//! each. The product's own code knows nothing of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seeds that are tried before a bug counts as not found.
const SEEDS_MAX: u64 = 3000;

/// The page whose table says what was found.
const PAGE: &str = "docs/reference/planted.md";

/// The line of the page after which its rows begin.
const RULE: &str = "|---|---|---|\n";

/// What is copied of the repository.
const COPIED: [&str; 6] = ["Cargo.toml", "Cargo.lock", "crates", "docs", "examples", "xtask"];

/// A bug to plant: in a file some text, which stands there once, becomes another.
#[derive(Clone, Debug)]
pub struct Bug {
    /// What is wrong then.
    pub name: String,
    /// Where.
    pub file: String,
    /// What stands there.
    pub from: String,
    /// What stands there then.
    pub to: String,
}

/// All of them, from `crates/sim/planted.toml`.
pub fn bugs(root: &Path) -> Result<Vec<Bug>, String> {
    let path = root.join("crates/sim/planted.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let table: toml::Table = text.parse().map_err(|error| format!("planted.toml: {error}"))?;
    let all = table.get("bug").and_then(toml::Value::as_array);
    let read = |bug: &toml::Value| {
        let word = |key| bug.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let (name, file) = (word("name")?, word("file")?);
        Some(Bug { name, file, from: word("from")?, to: word("to")? })
    };
    let bugs = all.into_iter().flatten().map(read).collect::<Option<Vec<Bug>>>();
    bugs.ok_or_else(|| "a bug has name, file, from and to".to_owned())
}

/// Plants every bug (or those whose name has `only` in it); tells of each the seed that found it, also
/// in the page. Whether all were found.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn run(root: &Path, only: &str) -> Result<bool, String> {
    let copy = root.join("target/planted");
    let failed = |error: io::Error| format!("copying the sources: {error}");
    for name in COPIED {
        copy_all(&root.join(name), &copy.join(name)).map_err(failed)?;
    }
    tell_apart(&copy).map_err(failed)?;
    let bugs = bugs(root)?;
    let mut all = true;
    for bug in bugs.iter().filter(|bug| bug.name.contains(only)) {
        let place = copy.join(&bug.file);
        let text = fs::read_to_string(&place).map_err(failed)?;
        if text.matches(&bug.from).count() != 1 {
            return Err(format!("{}: its text does not stand once in {}", bug.name, bug.file));
        }
        fs::write(&place, text.replacen(&bug.from, &bug.to, 1)).map_err(failed)?;
        let found = first_broken(root, &copy);
        fs::write(&place, &text).map_err(failed)?;
        let found = found?;
        let row = format!("| {} | {} |", bug.name, found.as_deref().unwrap_or("not found |"));
        println!("{row}");
        write_row(root, &bugs, &row).map_err(failed)?;
        all &= found.is_some();
    }
    Ok(all)
}

/// Writes a row into the page, whose rows are those of the bugs, in their order.
fn write_row(root: &Path, bugs: &[Bug], row: &str) -> io::Result<()> {
    let page = fs::read_to_string(root.join(PAGE))?;
    let (text, rows) = page.split_once(RULE).unwrap_or((&page, ""));
    let rows: Vec<&str> = [row].into_iter().chain(rows.lines()).collect();
    let of = |bug: &Bug| {
        let begin = format!("| {} |", bug.name);
        let found = rows.iter().find(|row| row.starts_with(&begin));
        found.map_or_else(|| format!("{begin} | |\n"), |row| format!("{row}\n"))
    };
    let rows: String = bugs.iter().map(of).collect();
    fs::write(root.join(PAGE), format!("{text}{RULE}{rows}"))
}

/// Builds the copy and runs seeds until one breaks a promise: the seed and what it breaks.
fn first_broken(root: &Path, copy: &Path) -> Result<Option<String>, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "-p", "xtask", "--", "simulate", "--until-broken"])
        .arg(SEEDS_MAX.to_string())
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .map_err(|error| format!("running cargo: {error}"))?;
    let told = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(0) => Ok(None),
        Some(1) if told.starts_with("seed ") => {
            let line = told.lines().next().unwrap_or_default();
            let (seed, what) =
                line.trim_start_matches("seed ").split_once(": ").unwrap_or_default();
            let what: String = what.replace('|', "/").chars().take(90).collect();
            Ok(Some(format!("{seed} | {what}")))
        }
        _ => {
            let told = String::from_utf8_lossy(&output.stderr);
            let errors = told.lines().filter(|line| line.starts_with("error")).take(5);
            Err(format!("the copy does not build: {}", errors.collect::<Vec<_>>().join("\n")))
        }
    }
}

/// Gives the packages of the copy a version of their own: in the folder that both are built in nothing
/// with a bug may pass for what has none.
fn tell_apart(copy: &Path) -> io::Result<()> {
    let path = copy.join("Cargo.toml");
    let text = fs::read_to_string(&path)?;
    fs::write(path, text.replacen("\nversion = \"", "\nversion = \"0.0.0-planted.", 1))
}

/// Copies what differs, so that little is built anew, and removes what is not there any more.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        let bytes = fs::read(from)?;
        if fs::read(to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        return fs::write(to, bytes);
    }
    for there in fs::read_dir(to).into_iter().flatten() {
        let there = there?;
        if !from.join(there.file_name()).exists() {
            let path = there.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != "target" && !name.to_string_lossy().starts_with('.') {
            copy_all(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_its_place_and_the_seed_that_finds_it() {
        let root = crate::repository::root().expect("the workspace has a folder");
        let bugs = bugs(&root).expect("the bugs can be read");
        let page = fs::read_to_string(root.join(PAGE));
        let page = page.expect("the page can be read");
        assert!(bugs.len() >= 10);
        for bug in bugs {
            let text = fs::read_to_string(root.join(&bug.file)).expect("the file is there");
            let places = text.matches(&bug.from).count();
            assert_eq!(places, 1, "{} in {}", bug.name, bug.file);
            let row = page.lines().find(|row| row.starts_with(&format!("| {} |", bug.name)));
            let cells = row.map(|row| row.split('|').nth(2).map_or("", str::trim));
            let seed = cells.and_then(|cell| cell.parse::<u64>().ok());
            assert!(seed.is_some(), "{PAGE} has no seed for: {}", bug.name);
        }
    }
}
