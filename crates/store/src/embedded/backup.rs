//! Copies the store while turns go on: the rows of the last checkpoint, and the log up to the offset
//! that is durable when it begins. Retention waits until it has ended; turns and checkpoints do not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::backup::{Summary, Writer};
use crate::disk::Disk;
use crate::embedded::checkpoint::Shared;
use crate::embedded::claims;
use crate::embedded::segment::Segment;
use crate::{KEY_BYTES_MAX, StoreError};

/// Bytes of a segment read at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// Behind every key of a row.
static BEHIND_KEYS: [u8; KEY_BYTES_MAX + 1] = [u8::MAX; KEY_BYTES_MAX + 1];

/// The log at one moment: everything before `offset` is durable and in these bytes.
pub(crate) struct Cut {
    pub offset: u64,
    pub time_micros: u64,
    /// Segments in order, and how many bytes of each count.
    pub segments: Vec<(Arc<Segment>, u64)>,
}

/// Segments are kept while there is one.
pub(crate) struct Hold<'a>(&'a AtomicUsize);

impl<'a> Hold<'a> {
    pub fn of(holds: &'a AtomicUsize) -> Self {
        holds.fetch_add(1, Ordering::AcqRel);
        Hold(holds)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<D: Disk> Shared<D> {
    /// Writes everything before the offset that is durable now.
    pub fn backup(&self, into: &mut dyn io::Write) -> Result<Summary, StoreError> {
        self.log.healthy()?;
        let _hold = self.hold_log();
        // Asked before the view is taken: what is applied again over newer rows ends the same.
        let covered = self.covered();
        let view = self.rows.view();
        let cut = self.log.cut();
        let failed = |error| StoreError::io("writing the backup", error);
        let mut writer =
            Writer::begin(into, cut.offset, covered, cut.time_micros).map_err(failed)?;
        for row in view.range(&[], &BEHIND_KEYS) {
            let (key, value) = row?;
            writer.row(&key, &value).map_err(failed)?;
        }
        for (segment, bytes) in &cut.segments {
            writer.segment(segment.number, segment.length, *bytes).map_err(failed)?;
            self.copy(&segment.name, *bytes, &mut writer)?;
        }
        // All that the segments name was there before them, and stays while they are held.
        for (name, bytes) in claims::list(&*self.log.disk)? {
            writer.payload(&name, bytes).map_err(failed)?;
            self.copy(&name, bytes, &mut writer)?;
        }
        writer.end().map_err(failed)
    }

    /// Copies the first bytes of a file.
    fn copy(&self, name: &str, bytes: u64, writer: &mut Writer<'_>) -> Result<(), StoreError> {
        let mut piece = vec![0; PIECE_BYTES.min(bytes as usize)];
        let mut position = 0;
        while position < bytes {
            let wanted = (bytes - position).min(PIECE_BYTES as u64) as usize;
            let read = self.log.disk.read_at(name, position, &mut piece[..wanted]);
            let read = read.map_err(|error| StoreError::io(format!("reading {name}"), error))?;
            if read < wanted {
                return Err(StoreError::corrupt(name, position, "the file ends early"));
            }
            let written = writer.piece(&piece[..wanted]);
            written.map_err(|error| StoreError::io("writing the backup", error))?;
            position += wanted as u64;
        }
        Ok(())
    }
}
