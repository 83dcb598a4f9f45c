//! Writes a backup.

use std::io;

use super::{END, FORMAT, MAGIC, PAYLOAD, ROWS, ROWS_BYTES, SEGMENT, Summary};

/// A backup in the making.
pub(crate) struct Writer<'a> {
    into: &'a mut dyn io::Write,
    hasher: blake3::Hasher,
    rows: Vec<u8>,
    summary: Summary,
}

impl<'a> Writer<'a> {
    /// Begins one that will hold everything before `offset`.
    pub fn begin(
        into: &'a mut dyn io::Write,
        offset: u64,
        covered: u64,
        time_micros: u64,
    ) -> io::Result<Self> {
        let summary = Summary { offset, covered, time_micros, ..Summary::default() };
        let mut writer = Self { into, hasher: blake3::Hasher::new(), rows: Vec::new(), summary };
        writer.put(&MAGIC)?;
        writer.put(&FORMAT.to_le_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.into.write_all(bytes)
    }

    /// Adds a row.
    pub fn row(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        for length in [key.len(), value.len()] {
            let length = u32::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
            self.rows.extend_from_slice(&length.to_le_bytes());
        }
        self.rows.extend_from_slice(key);
        self.rows.extend_from_slice(value);
        self.summary.rows += 1;
        if self.rows.len() >= ROWS_BYTES { self.flush_rows() } else { Ok(()) }
    }

    fn flush_rows(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(rows.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.put(&[ROWS])?;
        self.put(&length.to_le_bytes())?;
        self.put(&rows)
    }

    /// Begins a segment of `length` bytes whose first `bytes` follow by [`Writer::piece`].
    pub fn segment(&mut self, number: u64, length: u64, bytes: u64) -> io::Result<()> {
        self.flush_rows()?;
        self.summary.segments += 1;
        self.put(&[SEGMENT])?;
        [number, length, bytes].iter().try_for_each(|field| self.put(&field.to_le_bytes()))
    }

    /// Begins the file of a large payload whose `bytes` follow by [`Writer::piece`].
    pub fn payload(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        self.flush_rows()?;
        self.summary.payloads += 1;
        let length = u32::try_from(name.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.put(&[PAYLOAD])?;
        self.put(&length.to_le_bytes())?;
        self.put(&bytes.to_le_bytes())?;
        self.put(name.as_bytes())
    }

    /// Adds bytes of the segment or payload that was begun last.
    pub fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes)
    }

    /// Ends it.
    pub fn end(mut self) -> io::Result<Summary> {
        self.flush_rows()?;
        self.put(&[END])?;
        let summary = self.summary;
        self.put(&summary.to_bytes())?;
        let digest = self.hasher.finalize();
        self.into.write_all(digest.as_bytes())?;
        self.into.flush()?;
        Ok(summary)
    }
}
