//! One folder of a file system, held by one process at a time.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;

use crate::StoreError;
use crate::disk::{Disk, UNFINISHED};

/// File whose lock says that a process uses the folder.
const LOCK_FILE: &str = "lock";

/// Handles kept open: the tail, what is read, and a few more.
const HANDLES_MAX: usize = 16;

/// Handles held for the moment when the process can open no more files.
const SPARES: usize = 4;

/// No more files for this process, or for the system.
const NONE_LEFT: [i32; 2] = [Errno::MFILE.raw_os_error(), Errno::NFILE.raw_os_error()];

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
    spares: Mutex<Vec<File>>,
    /// The folder's lock; none when it is only read.
    _lock: Option<File>,
}

/// An open file; its length changes only through [`Disk::truncate`], which forgets the handle.
struct Handle {
    file: File,
    length: u64,
    unsynced: AtomicBool,
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
        Self::of(folder, Some(lock)).map_err(failed)
    }

    /// Opens a folder only to read it, also while another process holds it.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be opened.
    pub fn open_to_read(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::io(format!("opening {}", folder.display()), source);
        Self::of(folder, None).map_err(failed)
    }

    /// Whether another process holds a folder.
    ///
    /// # Errors
    /// Its lock cannot be asked.
    pub fn is_held(folder: &Path) -> io::Result<bool> {
        let lock = match File::open(folder.join(LOCK_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        match lock.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn of(folder: &Path, lock: Option<File>) -> io::Result<Self> {
        let disk = Self {
            folder: folder.to_owned(),
            folder_handle: File::open(folder)?,
            handles: Mutex::default(),
            spares: Mutex::default(),
            _lock: lock,
        };
        disk.keep_spares();
        Ok(disk)
    }

    /// Opens something; when the process has as many files open as it may, with a spare handle.
    fn opening<T>(&self, open: impl Fn() -> io::Result<T>) -> io::Result<T> {
        loop {
            let opened = open();
            let none_left = opened.as_ref().err().and_then(io::Error::raw_os_error);
            let none_left = none_left.is_some_and(|code| NONE_LEFT.contains(&code));
            if none_left && (let_go(&mut self.handles()) || self.spares().pop().is_some()) {
                continue;
            }
            if opened.is_ok() {
                self.keep_spares();
            }
            return opened;
        }
    }

    fn keep_spares(&self) {
        let mut spares = self.spares();
        while spares.len() < SPARES
            && let Ok(spare) = self.folder_handle.try_clone()
        {
            spares.push(spare);
        }
    }

    fn spares(&self) -> MutexGuard<'_, Vec<File>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<String, Arc<Handle>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, name: &str) -> io::Result<Arc<Handle>> {
        if let Some(handle) = self.handles().get(name) {
            return Ok(Arc::clone(handle));
        }
        let path = self.folder.join(name);
        let file = self.opening(|| OpenOptions::new().read(true).write(true).open(&path))?;
        let length = file.metadata()?.len();
        let handle = Arc::new(Handle { file, length, unsynced: AtomicBool::new(false) });
        let mut handles = self.handles();
        if handles.len() >= HANDLES_MAX {
            let_go(&mut handles);
        }
        // Another thread may have been quicker: a write and its sync go through one handle.
        Ok(Arc::clone(handles.entry(name.to_owned()).or_insert(handle)))
    }

    fn forget(&self, name: &str) {
        self.handles().remove(name);
    }

    /// Makes the folder of a file, if it has one and that is missing.
    fn make_folder(&self, name: &str) -> io::Result<()> {
        let Some((folder, _)) = name.split_once('/') else { return Ok(()) };
        match fs::create_dir(self.folder.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.and_then(|()| self.folder_handle.sync_all()),
        }
    }

    /// Makes names of the folder of a file durable.
    fn sync_names(&self, name: &str) -> io::Result<()> {
        match name.split_once('/') {
            Some((folder, _)) => self.opening(|| File::open(self.folder.join(folder)))?.sync_all(),
            None => self.folder_handle.sync_all(),
        }
    }

    /// Names and lengths of the files of a folder, each name behind a prefix.
    fn files(&self, folder: &Path, prefix: &str) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in self.opening(|| fs::read_dir(folder))? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                // It went while the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if metadata.is_file() && name != LOCK_FILE {
                files.push((format!("{prefix}{name}"), metadata.len()));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Disk for Real {
    fn create(&self, name: &str, length: u64) -> io::Result<()> {
        self.make_folder(name)?;
        let path = self.folder.join(name);
        let file = self.opening(|| File::create_new(&path))?;
        if let Err(error) = fill_with_zeros(&file, length) {
            drop(file);
            fs::remove_file(&path)?;
            return Err(error);
        }
        self.sync_names(name)
    }

    fn put(&self, name: &str, content: &[&[u8]]) -> io::Result<()> {
        self.make_folder(name)?;
        let path = self.folder.join(name);
        let unfinished = self.folder.join(format!("{name}{UNFINISHED}"));
        let mut file = self.opening(|| File::create(&unfinished))?;
        let written = content.iter().try_for_each(|piece| file.write_all(piece));
        if let Err(error) = written.and_then(|()| file.sync_all()) {
            drop(file);
            fs::remove_file(&unfinished)?;
            return Err(error);
        }
        fs::rename(&unfinished, &path)?;
        self.forget(name);
        self.sync_names(name)
    }

    fn write_at(&self, name: &str, position: u64, bytes: &[u8]) -> io::Result<()> {
        let handle = self.handle(name)?;
        let end = position.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > handle.length) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        handle.unsynced.store(true, Ordering::Release);
        handle.file.write_all_at(bytes, position)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let handle = self.handle(name)?;
        handle.file.sync_data()?;
        handle.unsynced.store(false, Ordering::Release);
        Ok(())
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
        self.sync_names(to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))?;
        self.forget(name);
        self.sync_names(name)
    }

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.files(&self.folder, "")
    }

    fn list_in(&self, folder: &str) -> io::Result<Vec<(String, u64)>> {
        match self.files(&self.folder.join(folder), &format!("{folder}/")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            files => files,
        }
    }

    fn free(&self) -> io::Result<u64> {
        let system = fstatvfs(&self.folder_handle)?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

/// Closes the files that are not in use; those that are not synced stay.
fn let_go(handles: &mut HashMap<String, Arc<Handle>>) -> bool {
    let before = handles.len();
    handles.retain(|_, handle| {
        Arc::strong_count(handle) > 1 || handle.unsynced.load(Ordering::Acquire)
    });
    handles.len() < before
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
