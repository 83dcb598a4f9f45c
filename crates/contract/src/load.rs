//! Finds the contract files below a path.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::Source;
use crate::yaml::limits::FILE_BYTES_MAX;

/// The deepest folder below the given one that is searched.
const DEPTH_MAX: usize = 32;
/// The most files that one check reads.
const FILES_MAX: usize = 10_000;

/// Reads one file, or every contract below a folder, in order of their paths: `contract.yaml`,
/// `handler_contract.yaml`, `*.contract.yaml` and, in a folder named `contracts`, every `*.yaml` (`.yml` is read alike).
/// Hidden folders are left out. A file over the size limit is cut right after it, so that the
/// parser reports it.
///
/// # Errors
/// What the file system says, with the path; more files than one check reads.
pub fn load_folder(path: &Path) -> io::Result<Vec<Source>> {
    files(path, is_contract)?.iter().map(|file| read(file)).collect()
}

/// Reads every file below a folder that may be a contract, whatever its name: those that
/// [`load_folder`] reads, and other YAML that has a key of contracts at its top level.
///
/// # Errors
/// As [`load_folder`].
pub fn load_tree(path: &Path) -> io::Result<Vec<Source>> {
    let named: BTreeSet<PathBuf> = files(path, is_contract)?.into_iter().collect();
    let mut sources = Vec::new();
    for file in files(path, |name, _| is_yaml(name))? {
        let source = read(&file)?;
        if named.contains(&file) || speaks_of_a_node(&source) {
            sources.push(source);
        }
    }
    Ok(sources)
}

/// Keys at the top level by which contracts of all dialects are told from other YAML.
const TELLING: [&str; 6] = [
    "node_type:",
    "contract_version:",
    "node_identity:",
    "node_specification:",
    "handler_id:",
    "projector_kind:",
];

fn speaks_of_a_node(source: &Source) -> bool {
    let text = source.shown();
    let mut lines = text.lines();
    lines.any(|line| TELLING.iter().any(|key| line.starts_with(key)))
}

/// Whether a file is wanted, by its name and whether it stands in a folder named `contracts`.
type Wanted = fn(&str, bool) -> bool;

/// The file itself, or the wanted ones below a folder, in order of their paths.
fn files(path: &Path, wanted: Wanted) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if fs::metadata(path).map_err(|error| at(path, &error))?.is_dir() {
        collect(path, wanted, DEPTH_MAX, &mut files)?;
    } else {
        files.push(path.to_owned());
    }
    files.sort();
    Ok(files)
}

fn collect(
    folder: &Path,
    wanted: Wanted,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let in_contracts = is_contracts(folder);
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let path = entry.map_err(|error| at(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = fs::symlink_metadata(&path).map_err(|error| at(&path, &error))?.file_type();
        // A link to a folder could lead round in circles; a link to a file is read.
        if kind.is_dir() && depth > 0 && !name.starts_with('.') {
            collect(&path, wanted, depth - 1, files)?;
        } else if !kind.is_dir() && wanted(&name, in_contracts) && path.is_file() {
            files.push(path);
            if files.len() > FILES_MAX {
                let message = format!("more than {FILES_MAX} contracts below one path");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
    }
    Ok(())
}

/// Whether the folder is named `contracts`, also when it is given as `.` from within.
fn is_contracts(folder: &Path) -> bool {
    let named = |path: &Path| path.file_name().is_some_and(|name| name == "contracts");
    match folder.file_name() {
        Some(_) => named(folder),
        None => folder.canonicalize().is_ok_and(|full| named(&full)),
    }
}

fn is_contract(name: &str, in_contracts: bool) -> bool {
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else {
        return false;
    };
    let named = ["contract", "handler_contract"].contains(&stem) || stem.ends_with(".contract");
    !name.starts_with('.') && (in_contracts || named)
}

fn is_yaml(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

fn read(path: &Path) -> io::Result<Source> {
    let file = fs::File::open(path).map_err(|error| at(path, &error))?;
    let mut bytes = Vec::new();
    let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| at(path, &error))?;
    Ok(Source::new(path.to_string_lossy(), bytes))
}

/// The same error with the path it is about.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("reading {}: {error}", path.display()))
}
