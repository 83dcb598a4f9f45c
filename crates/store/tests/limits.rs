//! Retention, large turns, full and failing disks, and a folder that is in use.

mod model;

use model::{Model, open, options, record};
use onex_store::disk::{Disk, Fault, Memory, Real};
use onex_store::embedded::{Embedded, Options};
use onex_store::{Record, Store, StoreError};

fn retaining(options: Options, log_bytes_max: u64) -> Options {
    Options { log_bytes_max, log_keep_micros: 0, ..options }
}

#[test]
fn segments_go_when_covered_and_above_the_limit() {
    let disk = Memory::new();
    let store = Embedded::open(disk.clone(), retaining(options(1), 100 * 1024)).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 400, 700);
    assert_eq!(store.oldest(), 0, "nothing goes without a checkpoint");
    assert_eq!(store.commit().expect("commits"), 400);
    let oldest = store.oldest();
    assert!(oldest > 200, "{oldest}");
    assert!(store.status().log_bytes <= 100 * 1024 + 32 * 1024, "{:?}", store.status());
    model.check(&store);
    for below in [0, 1, oldest - 1] {
        match store.read(below, 1, 1_000) {
            Err(StoreError::NotRetained { oldest: named }) => assert_eq!(named, oldest),
            other => panic!("{other:?}"),
        }
    }
    drop(store);
    let store = Embedded::open(disk.clone(), retaining(options(2), 100 * 1024)).expect("opens");
    assert_eq!(store.oldest(), oldest);
    model.check(&store);
    let on_disk: u64 = disk.list().expect("lists").iter().map(|(_, length)| length).sum();
    assert!(on_disk < 200 * 1024, "{on_disk}");
}

#[test]
fn segments_go_when_covered_and_old() {
    let limits = Options { log_age_max_micros: 1_000, log_keep_micros: 0, ..options(1) };
    let store = Embedded::open(Memory::new(), limits).expect("opens");
    for micros in 0..100 {
        store.append(&[record(micros, 1_000)], micros).expect("appends");
    }
    store.commit().expect("commits");
    assert_eq!(store.oldest(), 0);
    store.append(&[record(100, 10)], 1_050).expect("appends");
    store.commit().expect("commits");
    let oldest = store.oldest();
    assert!(oldest > 0);
    let kept = store.read(oldest, 1, 0).expect("reads")[0].time_micros;
    assert!(
        kept <= 50,
        "the record of micros 50 is in a segment that is kept, {kept} is the oldest"
    );
}

#[test]
fn the_window_of_ids_is_kept_whatever_the_limits_say() {
    let limits =
        Options { log_bytes_max: 0, log_age_max_micros: 0, log_keep_micros: 60, ..options(1) };
    let store = Embedded::open(Memory::new(), limits).expect("opens");
    for micros in 0..200 {
        store.append(&[record(micros, 1_000)], micros).expect("appends");
        store.commit().expect("commits");
        let kept = store.read(store.oldest(), 1, 0).expect("reads")[0].time_micros;
        assert!(kept <= micros.saturating_sub(60), "at {micros} the oldest is of {kept}");
        let from = store.offset_at(micros.saturating_sub(60)).expect("answers");
        assert!(from >= store.oldest() && from + 60 <= store.durable_to().max(60));
    }
    assert!(store.oldest() > 50);
}

#[test]
fn an_uncovered_log_is_kept_whatever_the_limits_say() {
    let store = Embedded::open(Memory::new(), retaining(options(1), 0)).expect("opens");
    let mut model = Model::default();
    for round in 0..5 {
        model.fill(&store, 60, 700);
        if round == 1 {
            store.commit().expect("commits");
        }
        assert!(store.oldest() <= store.status().checkpoint);
    }
    model.check(&store);
}

#[test]
fn a_turn_larger_than_a_segment_gets_one_of_its_own() {
    let disk = Memory::new();
    let mut model = Model::default();
    let store = open(&disk, 1).expect("opens");
    for bytes in [100, 200_000, 50, 90_000, 33_000, 300, 31_744, 31_000, 400_000] {
        let next = record(model.records.len() as u64, bytes);
        model.append(&store, &[next]).expect("appends");
        model.check(&store);
    }
    drop(store);
    let store = open(&disk.crash(3), 2).expect("opens");
    model.check(&store);
    model.fill(&store, 3, 100);
}

#[test]
fn a_turn_above_the_limit_is_refused_and_named() {
    let limits = Options { turn_bytes_max: 10_000, ..options(1) };
    let store = Embedded::open(Memory::new(), limits).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 1, 9_000);
    let two: Vec<Record> = (1..3).map(|number| record(number, 6_000)).collect();
    match store.append(&two, 1) {
        Err(StoreError::TooLarge { limit: "turn_bytes_max", bytes, bytes_max: 10_000 }) => {
            assert!(bytes > 12_000);
        }
        other => panic!("{other:?}"),
    }
    model.check(&store);
    model.append(&store, &two[..1]).expect("one of them fits");
}

#[test]
fn lengths_that_are_no_whole_sectors_are_rounded_up() {
    let disk = Memory::new();
    let odd =
        |entropy| Options { segment_first_bytes: 1, segment_bytes: 5_000, ..options(entropy) };
    let mut model = Model::default();
    for entropy in 1..4 {
        let store = Embedded::open(disk.clone(), odd(entropy)).expect("opens");
        model.check(&store);
        model.fill(&store, 20, 700);
    }
    let lengths = disk.list().expect("lists").into_iter().map(|(_, length)| length);
    assert!(lengths.filter(|length| length % 512 != 0).count() == 0);
}

#[test]
fn a_full_disk_refuses_turns_until_there_is_room() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    disk.set_capacity(Some(90 * 1024));
    let mut model = Model::default();
    let refused = loop {
        let next = record(model.records.len() as u64, 700);
        if let Err(error) = model.append(&store, &[next]) {
            break error;
        }
    };
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    assert!(store.status().full);
    assert!(model.records.len() > 40);
    model.check(&store);
    // A start on the full disk works and holds everything.
    let full = disk.copy();
    drop(store);
    model.check(&open(&full, 2).expect("opens on a full disk"));
    // With room again the same store goes on.
    let store = open(&disk, 3).expect("opens");
    disk.set_capacity(None);
    model.fill(&store, 60, 700);
    assert!(!store.status().full);
    model.check(&store);
}

#[test]
fn a_failed_write_or_sync_stops_the_store_and_loses_nothing_acknowledged() {
    for (operation, fault) in
        [(0, Fault::Fails), (1, Fault::Fails), (0, Fault::Full), (1, Fault::Full)]
    {
        let disk = Memory::new();
        let store = open(&disk, 1).expect("opens");
        let mut model = Model::default();
        model.fill(&store, 4, 300);
        disk.inject(disk.operations() + operation, fault);
        let pending = [record(4, 300)];
        let failed = store.append(&pending, 4).expect_err("fails");
        assert!(matches!(failed, StoreError::Io { .. }), "{failed}");
        let operations = disk.operations();
        let errors = [
            store.append(&pending, 5).err(),
            store.load(&[]).err(),
            store.scan(b"", b"z", 1).err(),
            store.read(0, 1, 1).err(),
            store.commit().err(),
            store.seal().err(),
            store.offset_at(0).err(),
        ];
        for error in errors {
            assert!(matches!(error, Some(StoreError::Poisoned { .. })), "{error:?}");
        }
        assert!(store.status().poisoned.is_some());
        assert_eq!(disk.operations(), operations, "a failed file is left alone");
        drop(store);
        for seed in 0..6 {
            let mut model = model.clone();
            let store = open(&disk.copy().crash(seed), 2).expect("opens");
            model.check_with_pending(&store, &pending);
            model.fill(&store, 2, 300);
        }
    }
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Embedded::open_folder(folder.path(), Options::default()).expect("opens");
    for _ in 0..2 {
        match Embedded::open_folder(folder.path(), Options::default()) {
            Err(StoreError::Locked { folder: named }) => {
                assert_eq!(named, folder.path().display().to_string());
            }
            other => panic!("{:?}", other.map(|store| store.status())),
        }
    }
    drop(store);
    Embedded::open_folder(folder.path(), Options::default()).expect("opens when it is free");
}

#[test]
fn the_next_segment_is_made_in_the_background() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = std::sync::Arc::new(Real::open(folder.path()).expect("opens"));
    let rows = std::sync::Arc::new(
        onex_store::rows::Plain::open(std::sync::Arc::clone(&disk)).expect("opens"),
    );
    let threaded = Options { background: true, ..options(1) };
    let store = Embedded::open_with(disk, rows, threaded).expect("opens");
    let before = store.status().log_bytes;
    store.append(&[record(0, 3_000)], 1).expect("appends");
    while store.status().log_bytes == before {
        std::thread::yield_now();
    }
    let mut model = Model { records: vec![record(0, 3_000)] };
    model.fill(&store, 300, 700);
    model.check(&store);
}

/// Readers behind, at and before the oldest offset, while segments go and are used again.
fn reads_race_with_retention<D: Disk>(disk: D) {
    const TURNS: u64 = 600;
    let limits = Options { segment_bytes: 8 * 1024, ..retaining(options(1), 20 * 1024) };
    let store = Embedded::open(disk, limits).expect("opens");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..TURNS {
                store.append(&[record(number, 500)], number).expect("appends");
                if number % 4 == 0 {
                    store.commit().expect("commits");
                }
            }
        });
        let mut refused = 0;
        while store.durable_to() < TURNS {
            let oldest = store.oldest();
            for from in [oldest.saturating_sub(3), oldest, oldest + 5] {
                match store.read(from, 30, usize::MAX) {
                    Ok(records) => {
                        for (offset, found) in (from..).zip(records) {
                            assert_eq!(found.offset, offset);
                            assert_eq!(*found.body, *record(offset, 500).body);
                        }
                    }
                    Err(StoreError::NotRetained { oldest: named }) => {
                        assert!(from < named);
                        refused += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert!(refused > 0);
    });
}

#[test]
fn reads_never_give_the_records_of_a_segment_that_is_used_again() {
    reads_race_with_retention(Memory::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    reads_race_with_retention(Real::open(folder.path()).expect("opens"));
}
