//! Keeps a step that panics, or that kills the process, from doing it for ever.
//!
//! Before each step the delivery's id is written to a mapped page of the data folder, and taken
//! away after it. The page is not synced: it outlives the process, which is all it is for. A
//! delivery that is found there at two successive starts is not tried a third time.

use std::any::Any;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use memmap2::MmapMut;
use onex_engine::guard::Guard;
use onex_kernel::Id;

const BYTES: usize = 32;
const NOBODY: [u8; 16] = [0; 16];

/// The engine's guard in a process of its own.
#[derive(Debug, Default)]
pub struct StepGuard {
    page: Option<MmapMut>,
    poisoned: Option<Id>,
}

impl StepGuard {
    /// A guard that only catches panics: without a data folder there is no next start.
    pub fn in_memory() -> StepGuard {
        StepGuard::default()
    }

    /// A guard over the page file at `path`, which only this process may use.
    ///
    /// # Errors
    /// When the file cannot be made or mapped.
    pub fn open(path: &Path) -> io::Result<StepGuard> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() != BYTES as u64 {
            // Written and not only lengthened: a page that a full disk cannot give would end the
            // process when it is touched.
            file.set_len(0)?;
            (&file).write_all(&[0; BYTES])?;
        }
        let mut page = map(&file)?;
        let (noted, suspect) = (slot(&page, 0), slot(&page, 16));
        let poisoned = (noted != NOBODY && noted == suspect).then_some(Id(noted));
        page[16..32].copy_from_slice(&noted);
        page[..16].copy_from_slice(&NOBODY);
        if let Some(delivery) = poisoned {
            tracing::error!(%delivery, "a delivery ended this process twice; it will be a dead letter");
        }
        Ok(StepGuard { page: Some(page), poisoned })
    }
}

fn slot(page: &MmapMut, at: usize) -> [u8; 16] {
    let mut bytes = NOBODY;
    bytes.copy_from_slice(&page[at..at + 16]);
    bytes
}

#[expect(unsafe_code, reason = "a file can only be mapped so")]
fn map(file: &File) -> io::Result<MmapMut> {
    // SAFETY: the data folder is locked by this process, so nobody else shortens or writes the
    // file while it is mapped; it is 32 bytes long and mapped for exactly these.
    unsafe { memmap2::MmapOptions::new().len(BYTES).map_mut(file) }
}

impl Guard for StepGuard {
    fn step(&mut self, delivery: Id, step: &mut dyn FnMut()) -> bool {
        if let Some(page) = &mut self.page {
            page[..16].copy_from_slice(&delivery.0);
        }
        let done = catch_unwind(AssertUnwindSafe(step));
        if let Some(page) = &mut self.page {
            page[..16].copy_from_slice(&NOBODY);
        }
        if let Err(panic) = &done {
            let what = message(panic.as_ref());
            tracing::error!(%delivery, panic = what, "a step panicked; it is a dead letter");
        }
        done.is_ok()
    }

    fn poisoned(&self, delivery: &mut dyn FnMut() -> Id) -> bool {
        self.poisoned.is_some_and(|poisoned| poisoned == delivery())
    }
}

/// The message of a panic.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: Id = Id([7; 16]);

    /// A process that dies in the step of `BAD`: the page stays as it was.
    fn die_in(path: &Path) -> bool {
        let mut guard = StepGuard::open(path).expect("the folder is writable");
        let poisoned = guard.poisoned(&mut || BAD);
        if let Some(page) = &mut guard.page {
            page[..16].copy_from_slice(&BAD.0);
        }
        poisoned
    }

    #[test]
    fn a_delivery_that_ends_the_process_twice_in_a_row_is_poisoned() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("step");
        assert!(!die_in(&path));
        assert!(!die_in(&path));
        let guard = StepGuard::open(&path).expect("the folder is writable");
        assert!(guard.poisoned(&mut || BAD));
        assert!(!guard.poisoned(&mut || Id([8; 16])));
    }

    #[test]
    fn a_start_that_goes_well_clears_the_suspicion() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("step");
        assert!(!die_in(&path));
        let mut guard = StepGuard::open(&path).expect("the folder is writable");
        assert!(guard.step(BAD, &mut || {}));
        drop(guard);
        assert!(!die_in(&path));
        assert!(!die_in(&path));
    }

    #[test]
    fn a_panic_ends_the_step_and_nothing_else() {
        let mut guard = StepGuard::in_memory();
        assert!(!guard.step(BAD, &mut || panic!("user data")));
        let mut ran = false;
        assert!(guard.step(BAD, &mut || ran = true));
        assert!(ran);
    }
}
