//! The seam under the embedded log: named files of one folder, and of folders in it.
//!
//! A name is that of a file, or of a folder and a file in it with a slash between; a folder is made
//! with its first file.
//!
//! Files are named, not held; an implementation may cache handles. A write is durable after a
//! `sync` of its file, in units of 512 bytes; `create`, `rename`, `truncate` and `remove` are
//! durable when they return. A full disk is [`io::ErrorKind::StorageFull`], a used up quota
//! [`io::ErrorKind::QuotaExceeded`].

mod memory;
mod real;

use std::io;

pub use memory::{Fault, Memory};
pub use real::Real;

/// Ending of a file's name until [`Disk::put`] has all of it.
const UNFINISHED: &str = ".new";

/// Named files whose writes become durable by a sync.
pub trait Disk: Send + Sync + 'static {
    /// Creates a file of `length` zeros, all of it allocated.
    ///
    /// # Errors
    /// `AlreadyExists`, `StorageFull` (then there is no file), or what the disk says.
    fn create(&self, name: &str, length: u64) -> io::Result<()>;

    /// Writes inside the length of a file.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` beyond the end of the file, or what the disk says.
    fn write_at(&self, name: &str, position: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the writes to a file durable.
    ///
    /// # Errors
    /// When they may not be durable; the file must not be trusted, nor synced again.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Fills `into` from a position of a file; returns less only at the end of the file.
    ///
    /// # Errors
    /// `NotFound`, or what the disk says.
    fn read_at(&self, name: &str, position: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Shortens a file.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` when it is shorter already, or what the disk says.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;

    /// Gives a file another name; a file that has it is replaced.
    ///
    /// # Errors
    /// `NotFound`, or what the disk says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`, or what the disk says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes a file with this content durable under its name, as a whole or not at all. A file that
    /// has the name is replaced.
    ///
    /// # Errors
    /// `StorageFull` (then nothing of it is left), or what the disk says.
    fn put(&self, name: &str, content: &[&[u8]]) -> io::Result<()> {
        let unfinished = format!("{name}{UNFINISHED}");
        match self.remove(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.create(&unfinished, content.iter().map(|piece| piece.len() as u64).sum())?;
        let mut position = 0;
        for piece in content {
            self.write_at(&unfinished, position, piece)?;
            position += piece.len() as u64;
        }
        self.sync(&unfinished)?;
        self.rename(&unfinished, name)
    }

    /// Names and lengths of all files that are in no folder, in name order.
    ///
    /// # Errors
    /// What the disk says.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// Whole names and lengths of the files of a folder, in name order; none without the folder.
    ///
    /// # Errors
    /// What the disk says.
    fn list_in(&self, folder: &str) -> io::Result<Vec<(String, u64)>>;

    /// Bytes that new files may take, as far as one can know.
    ///
    /// # Errors
    /// What the disk says.
    fn free(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// Whether a failure means that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
