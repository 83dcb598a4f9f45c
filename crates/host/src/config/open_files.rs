//! The limit on open files, and how it is shared out: connections and attempts are bounded so that
//! the store always gets the files that it needs.

use onex_expr::Value;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::setting::{Origin, Setting};

/// With fewer files a host cannot work.
pub const LEAST: u64 = 64;

/// More would only be reserved in vain.
const MOST: u64 = 1 << 20;

/// Files kept from connections and attempts: for log and checkpoint, listener, timers, standard
/// streams, and connections that are just being closed.
const KEPT_LEAST: u64 = 48;
const KEPT_MOST: u64 = 1024;

/// How many files the process may open once [`raise`] was called.
pub fn most() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(MOST).min(MOST)
}

/// Lets the process open as many files as it may.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = most();
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        // Where that is refused, connections are ended sooner.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// What is left for connections and for attempts, two to one.
pub fn shares(most: u64) -> (usize, usize) {
    let kept = (most / 4).clamp(KEPT_LEAST, KEPT_MOST);
    let left = most.saturating_sub(kept).max(3);
    let attempts = left / 3;
    let count = |share: u64| usize::try_from(share).unwrap_or(usize::MAX);
    (count(left - attempts), count(attempts))
}

/// Bounds a limit by its share, and says so where the settings are shown.
pub fn bound(limit: &mut usize, share: usize, key: &str, most: u64, settings: &mut [Setting]) {
    if *limit <= share {
        return;
    }
    *limit = share;
    let shown = settings.iter_mut().find(|setting| setting.key == key);
    if let Some(setting) = shown {
        setting.value = Value::Int(i64::try_from(share).unwrap_or(i64::MAX));
        setting.origin = Origin::OpenFiles(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_keeps_its_files_however_few_there_are() {
        assert_eq!(shares(64), (11, 5));
        assert_eq!(shares(96), (32, 16));
        assert_eq!(shares(1024), (512, 256));
        let (connections, attempts) = shares(MOST);
        assert!(connections > 10_000 && attempts > 4096);
        for most in [LEAST, 100, 500, 5000, MOST] {
            let (connections, attempts) = shares(most);
            assert!(connections as u64 + attempts as u64 + KEPT_LEAST <= most);
        }
    }
}
