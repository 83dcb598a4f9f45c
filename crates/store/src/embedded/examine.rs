//! Looks at a data folder without changing it, also while a host uses it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::StoreError;
use crate::disk::{Disk, Real};
use crate::embedded::recover::{self, Examined};
use crate::frame::SECTOR;

/// Segments come and go while a host runs: then the look begins again.
const TRIES: usize = 5;

/// Syncs measured; the middle one counts.
const SYNCS: usize = 21;

/// The file that is synced for that.
const PROBE: &str = "probe";

/// Follows every frame of the log of a folder. `held`: a host uses the folder.
///
/// # Errors
/// What a start would refuse: `Corrupt` with the place, `Format`, or what the disk says.
pub fn examine(folder: &Path, held: bool) -> Result<Examined, StoreError> {
    let mut tries = 0;
    loop {
        let found = recover::examine(&Real::open_to_read(folder)?, held);
        tries += 1;
        if found.is_ok() || !held || tries == TRIES {
            return found;
        }
    }
}

/// Bytes that the disk of a folder has free.
///
/// # Errors
/// What the disk says.
pub fn free_bytes(folder: &Path) -> Result<u64, StoreError> {
    let free = Real::open_to_read(folder)?.free();
    free.map_err(|error| StoreError::io("asking for free space", error))
}

/// How long a sync of a few bytes takes in a folder: the middle of some.
///
/// # Errors
/// What the disk says.
pub fn sync_time(folder: &Path) -> Result<Duration, StoreError> {
    let failed = |error: io::Error| StoreError::io("measuring a sync", error);
    let disk = Real::open_to_read(folder)?;
    // A measurement that was cut off has left it behind.
    let _ = disk.remove(PROBE);
    disk.create(PROBE, SECTOR as u64).map_err(failed)?;
    let measured = measure(&disk);
    disk.remove(PROBE).map_err(failed)?;
    measured.map_err(failed)
}

fn measure(disk: &Real) -> io::Result<Duration> {
    let mut times = Vec::with_capacity(SYNCS);
    for round in 0..SYNCS {
        let began = Instant::now();
        disk.write_at(PROBE, 0, &[round as u8; SECTOR])?;
        disk.sync(PROBE)?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[SYNCS / 2])
}
