//! What the files of one check say of each other: parts that a contract names, and folders that
//! hold two contracts of one node.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::code;
use crate::dialect::Verdict;
use crate::findings::Findings;
use crate::model::At;
use crate::parsed::Parsed;
use crate::source::Source;
use crate::yaml::{Node, Tree};

/// Judges all files together.
pub(crate) fn check(sources: &[Source], parsed: &[Parsed], findings: &mut Findings<'_>) {
    let paths: Vec<PathBuf> = sources.iter().map(|source| tidy(Path::new(&*source.path))).collect();
    let read: Vec<PathBuf> = parsed.iter().map(|file| paths[file.file as usize].clone()).collect();
    two_contracts(&read, parsed, findings);
    let known: BTreeSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let top = common(&paths);
    for file in parsed.iter().filter(|file| file.dialect != super::NORMAL) {
        let listed = file.root.iter().flat_map(parts);
        let folder = paths[file.file as usize].parent().unwrap_or(Path::new(""));
        for path in listed.filter_map(path_of) {
            let runs = file.verdict == Verdict::Native;
            let place = Place { file: file.file, folder, top: &top, known: &known, runs };
            part(path, &place, findings);
        }
    }
}

/// `contract.yaml` and `handler_contract.yaml` in one folder: which of them is the node's?
fn two_contracts(paths: &[PathBuf], parsed: &[Parsed], findings: &mut Findings<'_>) {
    let mut nodes: BTreeMap<&Path, &Parsed> = BTreeMap::new();
    let named = |path: &Path, name: &str| path.file_stem().is_some_and(|stem| stem == name);
    for (path, file) in paths.iter().zip(parsed).filter(|(path, _)| named(path, "contract")) {
        nodes.insert(path.parent().unwrap_or(Path::new("")), file);
    }
    for (path, file) in paths.iter().zip(parsed).filter(|(path, _)| named(path, "handler_contract"))
    {
        let Some(other) = nodes.get(path.parent().unwrap_or(Path::new(""))) else { continue };
        findings
            .error(code::TWO_CONTRACTS, head(file), "this folder has a contract.yaml too")
            .help("keep one of the two")
            .related(head(other), "the other one");
    }
}

fn head(file: &Parsed) -> At {
    let entry = file.root.as_ref().and_then(|root| root.entries().first());
    At::new(file.file, &entry.map_or(0..0, |entry| entry.key_span.clone()))
}

/// What a contract says of each of its parts: in a list, or each under a name of its own.
pub(super) fn parts(root: &Node) -> impl Iterator<Item = &Node> {
    let listed = root.get("subcontracts");
    let named = listed.map_or(&[][..], Node::entries).iter().map(|entry| &entry.value);
    listed.map_or(&[][..], Node::items).iter().chain(named)
}

pub(super) fn path_of(item: &Node) -> Option<&Node> {
    match &item.tree {
        Tree::String(_) => Some(item),
        _ => item.get("path"),
    }
}

/// Where a part is looked for.
struct Place<'p> {
    /// The file that names it.
    file: u32,
    /// The file's folder.
    folder: &'p Path,
    /// The folder that all files are below.
    top: &'p Path,
    /// Every file of the check.
    known: &'p BTreeSet<&'p Path>,
    /// Whether the node that names it would run here.
    runs: bool,
}

fn part(path: &Node, place: &Place<'_>, findings: &mut Findings<'_>) {
    let Some(written) = path.as_str() else { return };
    let at = At::new(place.file, &path.span);
    let full = tidy(&place.folder.join(written));
    let top = place.top;
    let escapes = Path::new(written).is_absolute() || !full.starts_with(top);
    if escapes || full.components().next() == Some(Component::ParentDir) && !top.starts_with("..") {
        findings
            .error(
                code::BAD_SUBCONTRACT,
                at,
                format!("`{written}` is outside the folder of the check"),
            )
            .help("name a file below the folder of the contracts, from this file's own folder");
    } else if !place.known.contains(full.as_path()) && !full.is_file() {
        let message = format!("there is no file `{written}`");
        // A contract that was taken out of its folder is still read; where it does not run, its
        // parts act nowhere here.
        let has_folder =
            full.parent().is_some_and(|folder| folder == Path::new("") || folder.is_dir());
        let added = match has_folder || place.runs {
            true => findings.error(code::BAD_SUBCONTRACT, at, message),
            false => findings.warning(code::BAD_SUBCONTRACT, at, message),
        };
        added.help("the path is taken from this file's own folder");
    }
}

/// The path without `.` and with `..` taken away where something is before it.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The folder that all files are below.
pub(super) fn common(paths: &[PathBuf]) -> PathBuf {
    let mut folders = paths.iter().map(|path| path.parent().unwrap_or(Path::new("")));
    let Some(first) = folders.next() else { return PathBuf::new() };
    let mut top = first.to_owned();
    for folder in folders {
        while !folder.starts_with(&top) && top.pop() {}
    }
    top
}
