//! Finds the files below a path that are contracts, or may be.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::{Origin, Source};
use crate::yaml::limits::FILE_BYTES_MAX;

/// The deepest folder below the given one that is searched.
const DEPTH_MAX: usize = 32;
/// The most files that one check reads.
const FILES_MAX: usize = 10_000;

/// Reads one file, or every `*.yaml` and `*.yml` below a folder, in order of their paths. Those with
/// the name of a contract (`contract.yaml`, `handler_contract.yaml`, `*.contract.yaml`, and all in a
/// folder named `contracts`) are contracts; of the others check tells which are, and says so of those
/// that are none. Hidden files and folders are left out. A file over the size limit is cut right
/// after it, so that the parser reports it; what cannot be read is reported by check.
///
/// # Errors
/// What the file system says of the path itself; more files than one check reads.
pub fn load_folder(path: &Path) -> io::Result<Vec<Source>> {
    if !fs::metadata(path).map_err(|error| at(path, &error))?.is_dir() {
        return Ok(vec![read(path).map_err(|error| at(path, &error))?]);
    }
    let mut files = Vec::new();
    collect(path, DEPTH_MAX, &mut files)?;
    files.sort();
    Ok(files.into_iter().map(|(path, named)| source(&path, named)).collect())
}

/// A file's text, or why there is none.
fn source(path: &Path, named: bool) -> Source {
    let given = if path.is_file() { read(path) } else { Err(no_file(path)) };
    match given {
        Ok(source) if named => source,
        Ok(source) => source.because(Origin::Met),
        Err(error) => Source::new(path.to_string_lossy(), "")
            .because(Origin::Unreadable(error.to_string().into())),
    }
}

/// Why something is no file: what the system says of a link that leads nowhere.
fn no_file(path: &Path) -> io::Error {
    let told = fs::metadata(path).err();
    told.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
}

/// Every YAML file below a folder, and whether it has the name of a contract.
fn collect(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, bool)>) -> io::Result<()> {
    let in_contracts = is_contracts(folder);
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let path = entry.map_err(|error| at(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = fs::symlink_metadata(&path).map_err(|error| at(&path, &error))?.file_type();
        // A link to a folder could lead round in circles; a link to a file is read.
        if kind.is_dir() && depth > 0 && !name.starts_with('.') {
            collect(&path, depth - 1, files)?;
        } else if let (false, Some(stem)) = (path.is_dir(), yaml_stem(&name)) {
            let named = ["contract", "handler_contract"].contains(&stem)
                || stem.ends_with(".contract")
                || in_contracts;
            files.push((path, named));
            if files.len() > FILES_MAX {
                let message = format!("more than {FILES_MAX} YAML files below one path");
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

/// The name of a YAML file that is not hidden, without its ending.
fn yaml_stem(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    stem.filter(|_| !name.starts_with('.'))
}

/// Reads one file, up to the size limit.
pub(crate) fn read(path: &Path) -> io::Result<Source> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Source::new(path.to_string_lossy(), bytes))
}

/// The same error with the path it is about.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("reading {}: {error}", path.display()))
}
