//! Under which allowed folder a path lies, and the way into it. Everything below a root is opened
//! relative to it by the kernel's or the library's confined lookup, so neither a link nor a rename
//! in between leads out.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use onex_kernel::port::CallError;

use super::path::{names, shown};
use crate::{BuildError, fault};

/// The allowed folders.
pub(super) struct Roots {
    folders: Vec<Arc<Path>>,
}

/// A path below a root.
#[derive(Clone)]
pub(super) struct Place {
    root: Arc<Path>,
    folder: Vec<String>,
    /// Empty for the root itself.
    name: String,
    ends_with_slash: bool,
}

impl Roots {
    pub(super) fn new(folders: &[PathBuf]) -> Result<Roots, BuildError> {
        if folders.is_empty() {
            return Err(BuildError::NoFolder);
        }
        let folders = folders
            .iter()
            .map(|folder| Arc::from(std::path::absolute(folder).unwrap_or_else(|_| folder.clone())))
            .collect();
        Ok(Roots { folders })
    }

    /// Judges the text of a path; touches no disk.
    pub(super) fn place(&self, path: &str) -> Result<Place, CallError> {
        let all = names(path)?;
        let (root, rest) = if path.starts_with('/') {
            self.root_of(path, &all)?
        } else {
            (&self.folders[0], all.as_slice())
        };
        let (name, folder) = match rest.split_last() {
            Some((name, folder)) => (*name, folder),
            None => ("", rest),
        };
        Ok(Place {
            root: Arc::clone(root),
            folder: folder.iter().map(|name| (*name).to_owned()).collect(),
            name: name.to_owned(),
            ends_with_slash: path.ends_with('/'),
        })
    }

    fn root_of<'a>(
        &self,
        path: &str,
        all: &'a [&'a str],
    ) -> Result<(&Arc<Path>, &'a [&'a str]), CallError> {
        for root in &self.folders {
            let depth = root.components().count() - 1;
            let inside = root
                .components()
                .skip(1)
                .map(|component| component.as_os_str())
                .eq(all.iter().take(depth).map(std::ffi::OsStr::new));
            if inside {
                return Ok((root, &all[depth..]));
            }
        }
        let mut entries: Vec<String> =
            self.folders.iter().map(|root| root.display().to_string()).collect();
        entries.push(match path.trim_end_matches('/').rsplit_once('/') {
            Some((folder, _)) if !folder.is_empty() => folder.to_owned(),
            _ => path.to_owned(),
        });
        Err(fault::not_allowed(format!(
            "the path {} is in no allowed folder; to allow it, set in onex.toml: \
             [effects.filesystem] allow = {entries:?}",
            shown(path)
        )))
    }
}

impl Place {
    /// The same place, if it can name a file.
    pub(super) fn into_file(self) -> Result<Place, CallError> {
        if self.name.is_empty() || self.ends_with_slash {
            return Err(fault::bad_request(format!(
                "the path {} names no file",
                shown(&self.path())
            )));
        }
        Ok(self)
    }

    /// The last name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The path below the root, `.` for the root itself.
    pub(super) fn path(&self) -> String {
        if self.name.is_empty() {
            return ".".to_owned();
        }
        let mut path = self.folder.join("/");
        if !path.is_empty() {
            path.push('/');
        }
        path + &self.name
    }

    /// Opens the place itself as a folder.
    pub(super) fn open_self(&self) -> io::Result<Dir> {
        let root = Dir::open_ambient_dir(&self.root, ambient_authority())?;
        root.open_dir(self.path())
    }

    /// Opens the folder that holds the place.
    pub(super) fn open_folder(&self) -> io::Result<Dir> {
        let root = Dir::open_ambient_dir(&self.root, ambient_authority())?;
        if self.folder.is_empty() {
            return Ok(root);
        }
        root.open_dir(self.folder.join("/"))
    }

    /// Opens the folder that holds the place, and makes what is missing on the way: each new
    /// folder is on disk before the next.
    pub(super) fn make_folder(&self) -> io::Result<Dir> {
        make_root(&self.root)?;
        let mut folder = Dir::open_ambient_dir(&self.root, ambient_authority())?;
        for name in &self.folder {
            match folder.create_dir(name) {
                Ok(()) => sync(&folder)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            folder = folder.open_dir(name)?;
        }
        Ok(folder)
    }

    /// What an error of the machine means for this place.
    pub(super) fn fault(&self, doing: &str, error: &io::Error) -> CallError {
        let message = format!("{doing} {}: {error}", shown(&self.path()));
        match error.kind() {
            // The confined lookup has no number of the system's for a path that leads out.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
                fault::not_allowed(message)
            }
            io::ErrorKind::NotFound => fault::not_found(message),
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::Unsupported => fault::refused(message),
            _ => fault::io(message),
        }
    }
}

/// Makes a folder's entries durable.
pub(super) fn sync(folder: &Dir) -> io::Result<()> {
    folder.open(".")?.sync_all()
}

fn make_root(root: &Path) -> io::Result<()> {
    if root.is_dir() {
        return Ok(());
    }
    if let Some(parent) = root.parent() {
        make_root(parent)?;
        match std::fs::create_dir(root) {
            Ok(()) => std::fs::File::open(parent)?.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
