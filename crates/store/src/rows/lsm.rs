//! Rows in fjall, a log-structured merge tree.
//!
//! A checkpoint is one sorted bulk load of a single keyspace, with the offset it covers as one
//! of its rows: atomic, written once, and without fjall's own journal, which would only repeat
//! what our log has and would have to be read again at each start. The folder is made at the
//! first checkpoint, so that an empty store opens at once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use rustix::process::{Resource, getrlimit};

use crate::rows::{Changes, FORMAT, Rows, View};
use crate::{RowBytes, RowKey, StoreError};

const FOLDER: &str = "rows";
const FOLDER_NEW: &str = "rows.new";
const KEYSPACE: &str = "rows";

/// Every key begins with what it is for.
const META: &[u8] = &[0];
const ROW: u8 = 1;

/// More sorted runs than this wait for compaction before the next is added.
const RUNS_MAX: usize = 16;
const RUNS_WAIT: Duration = Duration::from_millis(10);
/// Longest wait for compaction, in pieces of [`RUNS_WAIT`].
const RUNS_WAITS_MAX: usize = 1_000;

/// Rows kept by fjall in a folder of its own inside the data folder.
pub struct Fjall {
    parent: PathBuf,
    cache_bytes: u64,
    tree: OnceLock<Tree>,
    creating: Mutex<()>,
}

struct Tree {
    rows: Keyspace,
    database: Database,
}

impl Fjall {
    /// Opens the checkpoint of a data folder, if it has one. `cache_bytes` limits the blocks
    /// of its files kept in memory. The caller holds the lock of the data folder.
    ///
    /// # Errors
    /// `Rows` with what fjall says; `Io` when an unfinished folder cannot be removed.
    pub fn open(parent: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        remove_folder(&parent.join(FOLDER_NEW))
            .map_err(|error| StoreError::io("removing an unfinished checkpoint", error))?;
        let rows = Self {
            parent: parent.to_owned(),
            cache_bytes,
            tree: OnceLock::new(),
            creating: Mutex::default(),
        };
        if parent.join(FOLDER).is_dir() {
            let tree = Tree::open(&parent.join(FOLDER), cache_bytes)?;
            rows.tree.get_or_init(|| tree);
        }
        Ok(rows)
    }

    /// The tree, made when there is none; a crash in between leaves only a folder to remove.
    fn tree_or_new(&self) -> Result<&Tree, StoreError> {
        let _creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let (folder, folder_new) = (self.parent.join(FOLDER), self.parent.join(FOLDER_NEW));
        let failed = |error| StoreError::io("making the checkpoint folder", error);
        remove_folder(&folder_new).map_err(failed)?;
        drop(Tree::open(&folder_new, self.cache_bytes)?);
        fs::rename(&folder_new, &folder).map_err(failed)?;
        File::open(&self.parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
        let tree = Tree::open(&folder, self.cache_bytes)?;
        Ok(self.tree.get_or_init(|| tree))
    }
}

impl Rows for Fjall {
    fn covered(&self) -> Result<u64, StoreError> {
        let Some(tree) = self.tree.get() else {
            return Ok(0);
        };
        let meta = tree.rows.get(META).map_err(failed("reading the checkpoint's offset"))?;
        let Some(meta) = meta else { return Ok(0) };
        decode_meta(&meta)
    }

    fn write(&self, covered: u64, changes: &Changes) -> Result<(), StoreError> {
        let tree = self.tree_or_new()?;
        tree.wait_for_compaction()?;
        let failed = failed("writing the checkpoint");
        let mut load = tree.rows.start_ingestion().map_err(&failed)?;
        load.write(META, encode_meta(covered)).map_err(&failed)?;
        let mut key_bytes = Vec::new();
        for (key, change) in changes {
            own_key(key.key(), &mut key_bytes);
            match &change.value {
                Some(value) => load.write(key_bytes.as_slice(), &**value),
                // A row that never reached the tree needs no trace there.
                None if !tree.rows.contains_key(&key_bytes).map_err(&failed)? => continue,
                None => load.write_tombstone(key_bytes.as_slice()),
            }
            .map_err(&failed)?;
        }
        load.finish().map_err(&failed)
    }

    fn view(&self) -> Box<dyn View + '_> {
        Box::new(Moment {
            tree: self.tree.get().map(|tree| (&tree.rows, tree.database.snapshot())),
        })
    }
}

impl Tree {
    fn open(folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let failed = failed("opening the checkpoint");
        let database = Database::builder(folder)
            .worker_threads(1)
            .cache_size(cache_bytes)
            .max_cached_files(Some(files_max()))
            .manual_journal_persist(true)
            .open()
            .map_err(&failed)?;
        let rows = database.keyspace(KEYSPACE, KeyspaceCreateOptions::default).map_err(&failed)?;
        Ok(Self { rows, database })
    }

    /// Bulk loads do not wait for compaction by themselves.
    fn wait_for_compaction(&self) -> Result<(), StoreError> {
        for _ in 0..RUNS_WAITS_MAX {
            if self.rows.l0_table_count() < RUNS_MAX {
                return Ok(());
            }
            thread::sleep(RUNS_WAIT);
        }
        let source = format!("compaction is behind by more than {RUNS_MAX} checkpoints");
        Err(StoreError::Rows { doing: "writing the checkpoint", source: source.into() })
    }
}

/// Files kept open: an eighth of what the process may open.
fn files_max() -> usize {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(most / 8).unwrap_or(usize::MAX).clamp(10, 512)
}

struct Moment<'a> {
    tree: Option<(&'a Keyspace, Snapshot)>,
}

impl View for Moment<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<RowBytes>, StoreError> {
        let Some((rows, snapshot)) = &self.tree else {
            return Ok(None);
        };
        let mut key_bytes = Vec::with_capacity(key.len() + 1);
        own_key(key, &mut key_bytes);
        let value = snapshot.get(rows, &key_bytes).map_err(failed("reading a row"))?;
        Ok(value.map(|value| RowBytes::from(&*value)))
    }

    fn range<'a>(
        &'a self,
        from: &[u8],
        to: &[u8],
    ) -> Box<dyn Iterator<Item = Result<(RowKey, RowBytes), StoreError>> + 'a> {
        let Some((rows, snapshot)) = &self.tree else {
            return Box::new(std::iter::empty());
        };
        if from >= to {
            return Box::new(std::iter::empty());
        }
        let (mut from_bytes, mut to_bytes) = (Vec::new(), Vec::new());
        own_key(from, &mut from_bytes);
        own_key(to, &mut to_bytes);
        Box::new(snapshot.range(rows, from_bytes..to_bytes).map(|guard| {
            let (key, value) = guard.into_inner().map_err(failed("reading rows"))?;
            Ok((RowKey::from(&key[1..]), RowBytes::from(&*value)))
        }))
    }
}

fn own_key(key: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.push(ROW);
    into.extend_from_slice(key);
}

fn encode_meta(covered: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[0..4].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[4..12].copy_from_slice(&covered.to_le_bytes());
    bytes
}

fn decode_meta(bytes: &[u8]) -> Result<u64, StoreError> {
    let damaged = || StoreError::corrupt(FOLDER, 0, "the checkpoint's offset is malformed");
    let (format, covered) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let found = u32::from_le_bytes(*format);
    if found != FORMAT {
        return Err(StoreError::Format { file: FOLDER.to_owned(), found, supported: FORMAT });
    }
    Ok(u64::from_le_bytes(covered.try_into().map_err(|_| damaged())?))
}

fn failed(doing: &'static str) -> impl Fn(fjall::Error) -> StoreError {
    move |error| StoreError::Rows { doing, source: Box::new(error) }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_covered_offset_keeps_its_bytes_and_other_formats_are_refused() {
        let bytes = [1, 0, 0, 0, 0x2a, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(encode_meta(298), bytes);
        assert_eq!(decode_meta(&bytes).ok(), Some(298));
        let newer = [2, 0, 0, 0, 9];
        assert!(matches!(
            decode_meta(&newer),
            Err(StoreError::Format { found: 2, supported: 1, .. })
        ));
        assert!(matches!(decode_meta(&bytes[..11]), Err(StoreError::Corrupt { .. })));
    }
}
