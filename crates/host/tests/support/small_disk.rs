//! A filesystem that a test may fill: a small one of its own, gone with the test.
//!
//! Mounting takes a mount namespace, which an ordinary user may have in a user namespace. The test
//! runs again inside of it, as a process of its own. Where neither is allowed, as in many
//! containers, shared memory is a small filesystem. A machine with none of them must say so by
//! `ONEX_TEST_NO_SMALL_DISK`: the test is never left out in silence.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use onex_store::disk::{Disk, Real};

/// Where it is, inside.
const INSIDE: &str = "ONEX_TEST_SMALL_DISK";

/// What a person sets who knows that the machine has none.
const NONE: &str = "ONEX_TEST_NO_SMALL_DISK";

/// Its size.
const SIZE_MIB: u64 = 40;

/// Shared memory with more room is not filled.
const SHARED_MIB_MAX: u64 = 256;

const SHARED: &str = "/dev/shm";

/// One test at a time fills what all share.
static SHARED_BY_ONE: Mutex<()> = Mutex::new(());

const MOUNT: &str = r#"mount -t tmpfs -o "size=$1m" none "$2" && shift 2 && exec "$@""#;

/// Ways to mount without asking anybody.
const WAYS: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];

/// Runs `inside` on a small disk; `test` is the name of the test that calls this.
pub fn run(test: &str, inside: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return inside(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    if let Some(way) = WAYS.into_iter().find(|way| mounts(way, folder.path())) {
        let test_binary = std::env::current_exe().expect("it runs");
        let test_binary = test_binary.to_str().expect("a path of cargo's is text");
        let again = [test_binary, "--exact", test, "--nocapture"];
        let status = mounted(way, folder.path(), &again).status();
        assert!(status.expect("unshare is there").success(), "see above");
        return;
    }
    match shared() {
        Some(folder) => {
            let _alone = SHARED_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
            inside(folder.path());
        }
        None => {
            let hint = "no small filesystem can be made here: user namespaces are not allowed";
            assert!(std::env::var_os(NONE).is_some(), "{hint} (to leave the test out: {NONE}=1)");
        }
    }
}

fn mounts(way: &[&str], folder: &Path) -> bool {
    let mut command = mounted(way, folder, &["true"]);
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A command that is run with the small disk at the folder.
fn mounted(way: &[&str], folder: &Path, inside: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(way).args(["sh", "-c", MOUNT, "sh"]).arg(SIZE_MIB.to_string()).arg(folder);
    command.args(inside).env(INSIDE, folder);
    command
}

fn shared() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir_in(SHARED).ok()?;
    (free(folder.path()) <= SHARED_MIB_MAX << 20).then_some(folder)
}

/// Bytes that are free.
pub fn free(folder: &Path) -> u64 {
    let disk = Real::open_to_read(folder).expect("the folder is there");
    disk.free().expect("free space is told")
}

/// A file that takes room until it is dropped.
pub struct Ballast(PathBuf);

impl Ballast {
    /// As large as can be without leaving less than so much.
    pub fn leaving(folder: &Path, bytes: u64) -> Ballast {
        let path = folder.join("ballast");
        let size = free(folder).saturating_sub(bytes);
        let mut file = std::fs::File::create(&path).expect("a file can be made");
        let written = io::copy(&mut io::Read::take(io::repeat(0), size), &mut file);
        written.and_then(|_| file.flush()).expect("there is room");
        Ballast(path)
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
