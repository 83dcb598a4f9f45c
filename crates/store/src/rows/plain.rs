//! Rows in memory with one file that is written anew at each checkpoint.
//!
//! Small and deterministic: it lets a simulated disk crash a checkpoint at every write. Not for
//! data that is larger than memory, nor for checkpoints that must be quick.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use crate::disk::Disk;
use crate::frame::{u32_at, u64_at};
use crate::rows::{Changes, FORMAT, Rows, View};
use crate::{RowBytes, RowKey, StoreError, codec};

const FILE: &str = "rows";
const FILE_NEW: &str = "rows.new";
const MAGIC: [u8; 4] = *b"ONXR";
const HEADER_BYTES: usize = 32;

/// Rows in memory.
pub type Table = BTreeMap<RowKey, RowBytes>;

/// Rows kept in one file of a [`Disk`].
pub struct Plain<D> {
    disk: Arc<D>,
    state: RwLock<(u64, Arc<Table>)>,
}

impl<D: Disk> Plain<D> {
    /// Reads the checkpoint of a disk, if it has one.
    ///
    /// # Errors
    /// `Format`, `Corrupt`, or what the disk says.
    pub fn open(disk: Arc<D>) -> Result<Self, StoreError> {
        let files = disk.list().map_err(|error| StoreError::io("listing files", error))?;
        let length = files.iter().find(|(name, _)| name == FILE).map(|(_, length)| *length);
        let state = match length {
            Some(length) => read(&*disk, length as usize)?,
            None => (0, Table::new()),
        };
        Ok(Self { disk, state: RwLock::new((state.0, Arc::new(state.1))) })
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        match self.disk.remove(FILE_NEW) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.disk.create(FILE_NEW, content.len() as u64)?;
        self.disk.write_at(FILE_NEW, 0, content)?;
        self.disk.sync(FILE_NEW)?;
        self.disk.rename(FILE_NEW, FILE)
    }
}

impl<D: Disk> Rows for Plain<D> {
    fn covered(&self) -> Result<u64, StoreError> {
        Ok(self.state.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    fn write(&self, covered: u64, changes: &Changes) -> Result<(), StoreError> {
        let mut table = Table::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).1);
        for (key, change) in changes {
            match &change.value {
                Some(value) => table.insert(Arc::clone(key.key()), Arc::clone(value)),
                None => table.remove(key.key()),
            };
        }
        self.replace(&encode(covered, &table))
            .map_err(|error| StoreError::io("writing the checkpoint", error))?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = (covered, Arc::new(table));
        Ok(())
    }

    fn view(&self) -> Box<dyn View + '_> {
        Box::new(Moment(Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).1)))
    }
}

/// Rows in memory as they were at one moment.
pub struct Moment(pub Arc<Table>);

impl View for Moment {
    fn get(&self, key: &[u8]) -> Result<Option<RowBytes>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn range<'a>(
        &'a self,
        from: &[u8],
        to: &[u8],
    ) -> Box<dyn Iterator<Item = Result<(RowKey, RowBytes), StoreError>> + 'a> {
        if from >= to {
            return Box::new(std::iter::empty());
        }
        let rows = self.0.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        Box::new(rows.map(|(key, value)| Ok((Arc::clone(key), Arc::clone(value)))))
    }
}

/// Header: magic, format u32, covered u64, row count u64, zeros, checksum of everything else.
fn encode(covered: u64, table: &Table) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    codec::encode_rows(table.iter().map(|(key, value)| (&**key, Some(&**value))), &mut bytes);
    bytes[0..4].copy_from_slice(&MAGIC);
    bytes[4..8].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[8..16].copy_from_slice(&covered.to_le_bytes());
    bytes[16..24].copy_from_slice(&(table.len() as u64).to_le_bytes());
    let crc = checksum(&bytes);
    bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn read<D: Disk>(disk: &D, length: usize) -> Result<(u64, Table), StoreError> {
    let mut bytes = vec![0; length];
    disk.read_at(FILE, 0, &mut bytes)
        .map_err(|error| StoreError::io("reading the checkpoint", error))?;
    let damaged = |detail: &str| StoreError::corrupt(FILE, 0, detail);
    let header = bytes.first_chunk::<HEADER_BYTES>().ok_or_else(|| damaged("too short"))?;
    if header[0..4] != MAGIC {
        return Err(damaged("not a checkpoint"));
    }
    let format = u32_at(header, 4);
    if format != FORMAT {
        return Err(StoreError::Format { file: FILE.to_owned(), found: format, supported: FORMAT });
    }
    if u32_at(header, 28) != checksum(&bytes) {
        return Err(damaged("checksum differs"));
    }
    let mut table = Table::new();
    for (key, value) in codec::rows(&bytes[HEADER_BYTES..]) {
        table.insert(RowKey::from(key), RowBytes::from(value.unwrap_or_default()));
    }
    if table.len() as u64 != u64_at(header, 16) {
        return Err(damaged("row count differs"));
    }
    Ok((u64_at(header, 8), table))
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..28]), &bytes[HEADER_BYTES..])
}
