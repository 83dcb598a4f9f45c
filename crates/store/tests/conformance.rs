//! Every store and every disk of this crate against the suites that later ones must pass too.

use onex_store::disk::{Memory as MemoryDisk, Real};
use onex_store::embedded::{Embedded, Options};
use onex_store::{conformance, memory};

fn small(entropy: u64) -> Options {
    Options {
        background: false,
        entropy,
        segment_first_bytes: 4 * 1024,
        segment_bytes: 16 * 1024,
        ..Options::default()
    }
}

#[test]
fn memory_disk() {
    conformance::disk(&MemoryDisk::new());
}

#[test]
fn real_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    conformance::disk(&Real::open(folder.path()).expect("opens"));
}

#[test]
fn memory_store() {
    conformance::store(memory::Memory::new);
}

#[test]
fn embedded_store_on_a_memory_disk() {
    conformance::store(|| Embedded::open(MemoryDisk::new(), small(1)).expect("opens"));
}

#[test]
fn embedded_store_without_a_cache() {
    let options = || Options { rows_cache_bytes: 0, ..small(1) };
    conformance::store(|| Embedded::open(MemoryDisk::new(), options()).expect("opens"));
}

#[test]
fn embedded_store_with_fjall() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let count = std::sync::atomic::AtomicU64::new(0);
    conformance::store(|| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let options = Options { checkpoint_rows_bytes: 2_000, ..Options::default() };
        Embedded::open_folder(&parent.path().join(number.to_string()), options).expect("opens")
    });
}

#[test]
fn embedded_store_on_a_memory_disk_reopened() {
    let disk = MemoryDisk::new();
    let entropy = std::sync::atomic::AtomicU64::new(1);
    conformance::reopened(|| {
        let entropy = entropy.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Embedded::open(disk.clone(), small(entropy)).expect("opens")
    });
}

#[test]
fn embedded_store_with_fjall_reopened() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    conformance::reopened(|| {
        Embedded::open_folder(folder.path(), Options::default()).expect("opens")
    });
}
