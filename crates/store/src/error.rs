//! Everything that a store can refuse or fail at.

use std::error::Error;
use std::fmt;
use std::io;

use crate::disk;

/// Why a call to a store failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The records asked for were let go of by retention.
    NotRetained {
        /// Oldest offset that can be read.
        oldest: u64,
    },
    /// Something is larger than a named limit; nothing was written.
    TooLarge {
        /// Name of the limit.
        limit: &'static str,
        /// Bytes that were asked for.
        bytes: u64,
        /// Bytes that are allowed.
        bytes_max: u64,
    },
    /// The disk has no room for another segment; nothing was written and the store still works.
    Full {
        /// What was attempted.
        doing: String,
        /// What the disk answered.
        source: io::Error,
    },
    /// Another process uses the data folder.
    Locked {
        /// The folder.
        folder: String,
    },
    /// A file has a format that this version does not read.
    Format {
        /// The file.
        file: String,
        /// Format number found in it.
        found: u32,
        /// Format number that this version reads.
        supported: u32,
    },
    /// Bytes that were known to be durable are damaged or gone.
    Corrupt {
        /// The file.
        file: String,
        /// Byte position of the damage in the file.
        position: u64,
        /// What is wrong there.
        detail: String,
    },
    /// A write or a sync failed before; only a new start may go on.
    Poisoned {
        /// The failure.
        cause: String,
    },
    /// The disk failed.
    Io {
        /// What was attempted.
        doing: String,
        /// What the disk answered.
        source: io::Error,
    },
    /// The key-value store of the checkpoint failed.
    Rows {
        /// What was attempted.
        doing: &'static str,
        /// What it answered.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// As [`StoreError::io`], told apart when the disk is full.
    pub(crate) fn room(doing: impl Into<String>, source: io::Error) -> Self {
        if disk::is_full(&source) {
            return Self::Full { doing: doing.into(), source };
        }
        Self::io(doing, source)
    }

    pub(crate) fn corrupt(
        file: impl Into<String>,
        position: u64,
        detail: impl Into<String>,
    ) -> Self {
        Self::Corrupt { file: file.into(), position, detail: detail.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRetained { oldest } => write!(f, "not retained before {oldest}"),
            Self::TooLarge { limit, bytes, bytes_max } => {
                write!(f, "{bytes} bytes are above {limit} ({bytes_max} bytes)")
            }
            Self::Full { doing, .. } => write!(f, "disk is full: {doing}"),
            Self::Locked { folder } => write!(f, "{folder} is in use by another process"),
            Self::Format { file, found, supported } => {
                write!(f, "{file} has format {found}, this version reads format {supported}")
            }
            Self::Corrupt { file, position, detail } => {
                write!(f, "{file} is damaged at byte {position}: {detail}")
            }
            Self::Poisoned { cause } => write!(f, "store stopped after a failure: {cause}"),
            Self::Io { doing, source } => write!(f, "{doing}: {source}"),
            Self::Rows { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Full { source, .. } | Self::Io { source, .. } => Some(source),
            Self::Rows { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
