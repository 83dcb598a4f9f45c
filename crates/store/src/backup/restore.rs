//! Makes a data folder of a backup: whole under its name, or not there at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Summary;
use super::read::{self, Take};
use crate::disk::{Disk, Real};
use crate::embedded::segment_name;
use crate::rows::{Change, Changes, Fjall, Rows};
use crate::{RowBytes, RowKey, StoreError};

/// Rows are written when so many bytes of them have gathered.
const ROWS_AT_ONCE_BYTES: usize = 64 * 1024 * 1024;

/// Blocks that the checkpoint keeps in memory meanwhile.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// Ending of the folder's name until it is whole.
const UNFINISHED: &str = "restoring";

/// Makes `folder` of a backup.
///
/// # Errors
/// `Locked` when the folder holds anything; as [`super::verify`]; what the disk says.
pub fn restore(from: &mut dyn Read, folder: &Path) -> Result<Summary, StoreError> {
    let failed =
        |doing: &str, error| StoreError::room(format!("{doing} {}", folder.display()), error);
    if holds_anything(folder).map_err(|error| failed("looking into", error))? {
        let error = io::Error::from(io::ErrorKind::DirectoryNotEmpty);
        return Err(failed("restoring into", error));
    }
    let unfinished = beside(folder);
    remove(&unfinished).map_err(|error| failed("making room for", error))?;
    let summary = build(from, &unfinished);
    let placed = summary.and_then(|summary| {
        let placed = fs::rename(&unfinished, folder).and_then(|()| sync_parent(folder));
        placed.map(|()| summary).map_err(|error| failed("naming", error))
    });
    if placed.is_err() {
        // It is told what went wrong; what is left behind is removed by the next attempt.
        let _ = remove(&unfinished);
    }
    placed
}

fn build(from: &mut dyn Read, folder: &Path) -> Result<Summary, StoreError> {
    let disk = Real::open(folder)?;
    let rows = Fjall::open(folder, CACHE_BYTES)?;
    let mut taking =
        Taking { disk: &disk, rows: &rows, name: String::new(), changes: Changes::new(), bytes: 0 };
    let summary = read::read(from, &mut taking)?;
    // The rows say last, all together, what they cover: until then they cover nothing.
    let changes = std::mem::take(&mut taking.changes);
    if summary.rows > 0 || summary.covered > 0 {
        rows.write(summary.covered, &changes)?;
    }
    Ok(summary)
}

struct Taking<'a> {
    disk: &'a Real,
    rows: &'a Fjall,
    /// The segment at hand.
    name: String,
    changes: Changes,
    bytes: usize,
}

impl Take for Taking<'_> {
    fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let change = Change { value: Some(RowBytes::from(value)), fresh: true };
        self.changes.insert(RowKey::from(key).into(), change);
        self.bytes += key.len() + value.len();
        if self.bytes >= ROWS_AT_ONCE_BYTES {
            self.bytes = 0;
            self.rows.write(0, &std::mem::take(&mut self.changes))?;
        }
        Ok(())
    }

    fn segment(&mut self, number: u64, length: u64) -> Result<(), StoreError> {
        self.name = segment_name(number);
        let made = self.disk.create(&self.name, length);
        made.map_err(|error| StoreError::room(format!("making {}", self.name), error))
    }

    fn piece(&mut self, position: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.disk.write_at(&self.name, position, bytes);
        written.map_err(|error| StoreError::room(format!("writing {}", self.name), error))
    }

    fn segment_end(&mut self) -> Result<(), StoreError> {
        let synced = self.disk.sync(&self.name);
        synced.map_err(|error| StoreError::io(format!("syncing {}", self.name), error))
    }

    fn payload(&mut self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let put = self.disk.put(name, &[content]);
        put.map_err(|error| StoreError::room(format!("writing {name}"), error))
    }
}

fn holds_anything(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    folder.with_file_name(name)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_parent(folder: &Path) -> io::Result<()> {
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
