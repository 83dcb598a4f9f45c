//! A disk that runs full: short segments, word of it before the last byte, and room for what was
//! accepted.

mod model;

use std::time::{Duration, Instant};

use model::{Model, options, record};
use onex_store::disk::{Disk, Memory};
use onex_store::embedded::{Embedded, Options};
use onex_store::{Store, StoreError};

const KIB: u64 = 1024;

/// Longest wait for the thread that makes segments.
const DEADLINE: Duration = Duration::from_secs(20);

fn threaded() -> Options {
    let length = 64 * KIB;
    Options {
        background: true,
        segment_first_bytes: length,
        segment_bytes: 8 * length,
        reserve_bytes: 128 * KIB,
        ..options(1)
    }
}

/// A store on a disk of so many bytes.
fn store(capacity: u64) -> (Memory, Embedded<Memory>) {
    let disk = Memory::new();
    disk.set_capacity(Some(capacity));
    let store = Embedded::open(disk.clone(), threaded()).expect("opens");
    (disk, store)
}

fn used(disk: &Memory) -> u64 {
    disk.list().expect("lists").iter().map(|(_, length)| length).sum()
}

/// Appends until the store says that it is full.
fn fill(store: &impl Store, model: &mut Model) {
    let began = Instant::now();
    while !is_full_for_good(store) {
        model.fill(store, 1, 700);
        assert!(began.elapsed() < DEADLINE, "it is never full");
    }
}

/// Whether it is full, and not only while a segment is being made: only an append asks for one.
fn is_full_for_good(store: &impl Store) -> bool {
    let was_full = store.is_full();
    if was_full {
        until(|| !store.status().preparing);
    }
    was_full && store.is_full()
}

fn until(wanted: impl Fn() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < DEADLINE, "it never comes");
        std::thread::yield_now();
    }
}

#[test]
fn segments_are_shorter_when_space_is_short() {
    let (_, store) = store(800 * KIB);
    let mut model = Model::default();
    fill(&store, &mut model);
    assert!(store.status().segments > 2, "{:?}", store.status());
    assert!(model.records.len() as u64 * KIB > 300 * KIB, "{} records", model.records.len());
    model.check(&store);
}

#[test]
fn a_full_store_has_room_for_what_was_accepted() {
    let (_, store) = store(800 * KIB);
    let mut model = Model::default();
    fill(&store, &mut model);
    assert!(store.status().full);
    // What was accepted goes on: a reserve of a sixteenth of the disk at least.
    for _ in 0..50 {
        model.fill(&store, 1, 900);
    }
    model.check(&store);
    // Only when the reserve is used up too is a turn refused, and the store is whole even then.
    let refused = loop {
        let next = record(model.records.len() as u64, 700);
        if let Err(error) = model.append(&store, &[next]) {
            break error;
        }
    };
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    model.check(&store);
}

#[test]
fn a_full_store_takes_notice_of_new_room_although_nothing_is_appended() {
    let (disk, store) = store(800 * KIB);
    let mut model = Model::default();
    fill(&store, &mut model);
    disk.set_capacity(Some(8_000 * KIB));
    until(|| !store.is_full());
    model.fill(&store, 600, 700);
    assert!(!store.is_full());
    model.check(&store);
}

#[test]
fn room_for_the_reserve_is_room_enough_whatever_its_length() {
    let disk = Memory::new();
    disk.set_capacity(Some(800 * KIB));
    // No halving of a segment's length gives it.
    let options = Options { reserve_bytes: 96 * KIB, ..threaded() };
    let store = Embedded::open(disk.clone(), options).expect("opens");
    let mut model = Model::default();
    fill(&store, &mut model);
    disk.set_capacity(Some(used(&disk) + 180 * KIB));
    until(|| !store.is_full());
    model.check(&store);
}

#[test]
fn a_start_on_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let (disk, store) = store(800 * KIB);
    let mut model = Model::default();
    fill(&store, &mut model);
    drop(store);
    // Something else takes nearly all the rest of the disk.
    disk.set_capacity(Some(used(&disk) + 16 * KIB));
    let store = Embedded::open(disk.clone(), Options { entropy: 2, ..threaded() }).expect("opens");
    model.check(&store);
    fill(&store, &mut model);
    disk.set_capacity(None);
    until(|| !store.is_full());
    model.fill(&store, 600, 700);
    model.check(&store);
}

#[test]
fn a_start_on_a_full_disk_is_full_before_a_segment_is_needed() {
    let alone = |entropy| Options { background: false, entropy, ..threaded() };
    let disk = Memory::new();
    disk.set_capacity(Some(800 * KIB));
    drop(Embedded::open(disk.clone(), alone(1)).expect("opens"));
    disk.set_capacity(Some(used(&disk) + 16 * KIB));
    let store = Embedded::open(disk, alone(2)).expect("opens");
    let mut model = Model::default();
    fill(&store, &mut model);
    // It says so before an append finds no room.
    model.fill(&store, 5, 700);
    model.check(&store);
}
