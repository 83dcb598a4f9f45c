//! One folder of a file system, held by one process at a time.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};

use crate::StoreError;
use crate::disk::Disk;

/// File whose lock says that a process uses the folder.
const LOCK_FILE: &str = "lock";

/// Zeros are written in pieces of this many bytes.
const ZEROS_BYTES: usize = 1024 * 1024;

/// Zeros are synced this often, so that syncs of the log wait for no more than this; syncing
/// more often makes the file system's journal the bottleneck.
const ZEROS_SYNCED_BYTES: u64 = 8 * 1024 * 1024;

/// A folder of the file system.
pub struct Real {
    folder: PathBuf,
    folder_handle: File,
    handles: Mutex<HashMap<String, Arc<Handle>>>,
    _lock: File,
}

/// An open file; its length changes only through [`Disk::truncate`], which forgets the handle.
struct Handle {
    file: File,
    length: u64,
}

impl Real {
    /// Opens a folder, makes it if there is none, and locks it for this process.
    ///
    /// # Errors
    /// `Locked` when another process has it open; `Io` when it cannot be made or opened.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::io(format!("opening {}", folder.display()), source);
        if !folder.is_dir() {
            create_folder(folder).map_err(failed)?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(LOCK_FILE))
            .map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Locked { folder: folder.display().to_string() },
            TryLockError::Error(source) => failed(source),
        })?;
        let folder_handle = File::open(folder).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            folder_handle,
            handles: Mutex::default(),
            _lock: lock,
        })
    }

    fn handle(&self, name: &str) -> io::Result<Arc<Handle>> {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handles.get(name) {
            return Ok(Arc::clone(handle));
        }
        let file = OpenOptions::new().read(true).write(true).open(self.folder.join(name))?;
        let length = file.metadata()?.len();
        let handle = Arc::new(Handle { file, length });
        handles.insert(name.to_owned(), Arc::clone(&handle));
        Ok(handle)
    }

    fn forget(&self, name: &str) {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Disk for Real {
    fn create(&self, name: &str, length: u64) -> io::Result<()> {
        let path = self.folder.join(name);
        let file = File::create_new(&path)?;
        if let Err(error) = fill_with_zeros(&file, length) {
            drop(file);
            fs::remove_file(&path)?;
            return Err(error);
        }
        self.folder_handle.sync_all()
    }

    fn write_at(&self, name: &str, position: u64, bytes: &[u8]) -> io::Result<()> {
        let handle = self.handle(name)?;
        let end = position.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > handle.length) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        handle.file.write_all_at(bytes, position)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.handle(name)?.file.sync_data()
    }

    fn read_at(&self, name: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let handle = self.handle(name)?;
        let mut filled = 0;
        while filled < into.len() {
            match handle.file.read_at(&mut into[filled..], position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let handle = self.handle(name)?;
        if handle.length < length {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        self.forget(name);
        handle.file.set_len(length)?;
        handle.file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))?;
        self.forget(from);
        self.forget(to);
        self.folder_handle.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))?;
        self.forget(name);
        self.folder_handle.sync_all()
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if metadata.is_file() && name != LOCK_FILE {
                files.push((name, metadata.len()));
            }
        }
        files.sort();
        Ok(files)
    }

    fn free(&self) -> io::Result<u64> {
        let system = fstatvfs(&self.folder_handle)?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

/// Allocates and writes the whole file, so that later syncs have no metadata to write.
fn fill_with_zeros(file: &File, length: u64) -> io::Result<()> {
    if length > 0 {
        match fallocate(file, FallocateFlags::empty(), 0, length) {
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let zeros = vec![0; ZEROS_BYTES.min(length as usize)];
    let mut position = 0;
    while position < length {
        if position > 0 && position.is_multiple_of(ZEROS_SYNCED_BYTES) {
            file.sync_data()?;
        }
        let piece = zeros.len().min((length - position) as usize);
        file.write_all_at(&zeros[..piece], position)?;
        position += piece as u64;
    }
    file.sync_all()
}

fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
