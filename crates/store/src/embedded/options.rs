//! Limits and choices of an embedded store.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::StoreError;
use crate::disk::Disk;
use crate::embedded::segment::{self, Room};
use crate::frame::SECTOR;

const MIB: u64 = 1024 * 1024;
const SECOND_MICROS: u64 = 1_000_000;

/// Plain data; every limit has a default for one host.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether threads make segments and checkpoints and a clock measures syncs. Without, all
    /// happens inside the calls, and equal calls on equal disks give equal bytes.
    pub background: bool,
    /// A number that no other start of this data folder should have; the default draws one.
    pub entropy: u64,
    /// Length of the first segment in bytes, rounded up to whole sectors.
    pub segment_first_bytes: u64,
    /// Length of later segments in bytes, rounded up to whole sectors.
    pub segment_bytes: u64,
    /// Bytes kept ready in segments for work that was accepted before the disk was full; less on a
    /// disk that has less than four times as much.
    pub reserve_bytes: u64,
    /// Largest turn in bytes, below 4 GiB; one above `segment_bytes` gets a segment of its own.
    pub turn_bytes_max: u64,
    /// Longest payload of a record that stays in it; a longer one gets a file beside the log.
    pub inline_bytes_max: u64,
    /// Bytes of segments and of what is kept beside them above which the oldest go, once a checkpoint
    /// covers them.
    pub log_bytes_max: u64,
    /// Age in record time above which segments go, once a checkpoint covers them.
    pub log_age_max_micros: u64,
    /// Age in record time below which no segment goes, whatever the other limits say.
    pub log_keep_micros: u64,
    /// Unchanged rows kept in memory, in bytes.
    pub rows_cache_bytes: u64,
    /// Blocks of the checkpoint's files kept in memory, in bytes.
    pub blocks_cache_bytes: u64,
    /// Bytes of changed rows that make a checkpoint due.
    pub checkpoint_rows_bytes: u64,
    /// Bytes of log since the last checkpoint that make one due; bounds the work of a start.
    pub checkpoint_log_bytes: u64,
}

/// Frames give their length in 32 bits; this leaves room for the header and the padding.
const TURN_BYTES_MAX: u64 = u32::MAX as u64 - MIB;

impl Options {
    /// Room for a segment.
    pub(crate) fn room(&self, wanted: u64, needed: u64) -> Room {
        Room::new(wanted, needed, self.reserve_bytes)
    }

    /// The same options with a reserve of a quarter at most of what log and free space are.
    pub(crate) fn within_disk<D: Disk>(mut self, disk: &D) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("looking how much space is free", error);
        let files = disk.list().map_err(failed)?;
        let log = files.iter().filter(|(name, _)| segment::number_of(name).is_some());
        let log_bytes: u64 = log.map(|(_, length)| *length).sum();
        let all = disk.free().map_err(failed)?.saturating_add(log_bytes);
        self.reserve_bytes = self.reserve_bytes.min(all / 4);
        Ok(self)
    }

    /// The same options within what the format allows: whole sectors, 32-bit lengths.
    pub(crate) fn within_format(mut self) -> Self {
        for length in [&mut self.segment_first_bytes, &mut self.segment_bytes] {
            *length = (*length).next_multiple_of(SECTOR as u64).max(4 * SECTOR as u64);
        }
        self.segment_first_bytes = self.segment_first_bytes.min(self.segment_bytes);
        self.turn_bytes_max = self.turn_bytes_max.min(TURN_BYTES_MAX);
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            background: true,
            // The standard library seeds its hash maps from the system's randomness.
            entropy: RandomState::new().build_hasher().finish(),
            segment_first_bytes: MIB,
            segment_bytes: 64 * MIB,
            reserve_bytes: 16 * MIB,
            turn_bytes_max: 256 * MIB,
            inline_bytes_max: MIB,
            log_bytes_max: 8 * 1024 * MIB,
            log_age_max_micros: 7 * 24 * 3600 * SECOND_MICROS,
            log_keep_micros: 600 * SECOND_MICROS,
            rows_cache_bytes: 64 * MIB,
            blocks_cache_bytes: 32 * MIB,
            checkpoint_rows_bytes: 8 * MIB,
            checkpoint_log_bytes: 32 * MIB,
        }
    }
}
