//! The data folder: its lock, room and disk, and every frame of its log.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onex_store::StoreError;
use onex_store::disk::Real;
use onex_store::embedded::{Examined, examine};

use super::Finding;
use crate::config::store::Store;

/// A sync that takes longer makes every answer slow.
const SYNC_SLOW: Duration = Duration::from_millis(10);

/// A clock that is behind the log by more has been set back.
const CLOCK_BEHIND: Duration = Duration::from_secs(2);

/// Everything about the folder.
pub fn check(store: &Store) -> Vec<Finding> {
    if store.memory {
        return vec![Finding::ok("data", "kept in memory: nothing is durable")];
    }
    let folder = &store.data;
    if !folder.is_dir() {
        let detail = format!("{} is not there yet: the first start makes it", folder.display());
        return vec![Finding::ok("data", detail)];
    }
    let (held, lock) = lock(folder);
    vec![lock, room(store), sync(folder), log(folder, held)]
        .into_iter()
        .chain(clock(folder, held))
        .collect()
}

fn lock(folder: &Path) -> (bool, Finding) {
    match Real::is_held(folder) {
        Ok(true) => (true, Finding::ok("data", format!("a host uses {}", folder.display()))),
        Ok(false) => (false, Finding::ok("data", format!("no host uses {}", folder.display()))),
        Err(error) => {
            let detail = format!("asking for the lock of {}: {error}", folder.display());
            (false, Finding::fail("data", detail, "let this user read and write the folder"))
        }
    }
}

fn room(store: &Store) -> Finding {
    let (name, help) = ("room", "make room on the disk, or keep less: `[store] log_bytes_max`");
    let free = match examine::free_bytes(&store.data) {
        Ok(free) => free,
        Err(error) => return refused(name, &error),
    };
    let detail = format!("{} MiB free", free >> 20);
    let options = &store.embedded;
    if free < options.reserve_bytes {
        let reserve = options.reserve_bytes >> 20;
        Finding::fail(name, format!("{detail}, less than the reserve of {reserve} MiB"), help)
    } else if free < options.log_bytes_max {
        let most = options.log_bytes_max >> 20;
        Finding::warn(name, format!("{detail}, the log may grow to {most} MiB"), help)
    } else {
        Finding::ok(name, detail)
    }
}

fn sync(folder: &Path) -> Finding {
    match examine::sync_time(folder) {
        Ok(time) => {
            let detail = format!("a sync takes {} us", time.as_micros());
            if time > SYNC_SLOW {
                let help = "put the data folder on a faster disk, or one with fewer neighbours";
                Finding::warn("disk", detail, help)
            } else {
                Finding::ok("disk", detail)
            }
        }
        Err(error) => refused("disk", &error),
    }
}

fn log(folder: &Path, held: bool) -> Finding {
    match examine::examine(folder, held) {
        Ok(Examined { next: 0, .. }) => Finding::ok("log", "it is empty"),
        Ok(found) => {
            let Examined { oldest, next, segments, bytes, .. } = found;
            let detail = format!(
                "every frame is whole: offsets {oldest} to {}, {segments} segments, {} MiB",
                next - 1,
                bytes >> 20
            );
            Finding::ok("log", detail)
        }
        Err(error) => refused("log", &error),
    }
}

fn clock(folder: &Path, held: bool) -> Option<Finding> {
    let found = examine::examine(folder, held).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ahead = Duration::from_micros(found.time_micros).saturating_sub(now);
    Some(if ahead > CLOCK_BEHIND {
        let detail = format!("it is {} s behind the last record of the log", ahead.as_secs());
        let help = "set the clock: until then record time stands still and timers wait";
        Finding::warn("clock", detail, help)
    } else {
        Finding::ok("clock", "not behind the log")
    })
}

fn refused(name: &'static str, error: &StoreError) -> Finding {
    let help = match error {
        StoreError::Corrupt { .. } => "restore the folder from a backup: `onex restore`",
        StoreError::Format { .. } => "use the version that wrote it",
        _ => "let this user read and write the folder",
    };
    Finding::fail(name, error.to_string(), help)
}
