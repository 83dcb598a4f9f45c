//! Large payloads beside the log: whole when they are read, gone with the records that name them,
//! and refused when they are missing or damaged.

mod model;

use std::collections::BTreeSet;

use model::{Model, options, record, refusal};
use onex_store::backup;
use onex_store::disk::{Disk, Fault, Memory};
use onex_store::embedded::{Embedded, Options, examine};
use onex_store::{Record, Store, StoreError};

const FOLDER: &str = "claims";

/// Longest payload that stays in its record here.
const INLINE: u64 = 1_000;

fn limits(entropy: u64) -> Options {
    Options { inline_bytes_max: INLINE, ..options(entropy) }
}

fn open(disk: &Memory, entropy: u64) -> Result<Embedded<Memory>, StoreError> {
    Embedded::open(disk.clone(), limits(entropy))
}

fn files(disk: &Memory) -> Vec<String> {
    disk.list_in(FOLDER).expect("lists").into_iter().map(|(name, _)| name).collect()
}

/// A record whose payload alone is as long as is said.
fn with_payload(number: u64, payload: &[u8]) -> Record {
    let mut record = record(number, 40);
    record.body.extend_from_slice(payload);
    Record { payload_bytes: payload.len(), ..record }
}

#[test]
fn a_payload_above_the_limit_stands_beside_the_log_and_is_whole_when_it_is_read() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    for (number, bytes) in [INLINE, INLINE + 1, 70_000, 0].into_iter().enumerate() {
        let payload = vec![number as u8; bytes as usize];
        model.append(&store, &[with_payload(number as u64, &payload)]).expect("appends");
    }
    assert_eq!(files(&disk).len(), 2);
    assert!(store.status().claims_bytes > 71_000);
    assert_eq!(store.status().segments, 1, "the log itself is short");
    model.check(&store);
    drop(store);
    let store = open(&disk.crash(5), 2).expect("opens");
    assert!(store.status().claims_bytes > 71_000);
    model.check(&store);
}

#[test]
fn one_content_is_one_file_while_the_log_stands_in_one_segment() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    let turn: Vec<Record> = (0..3).map(|number| with_payload(number, &[7; 5_000])).collect();
    model.append(&store, &turn).expect("appends");
    model.append(&store, &[with_payload(3, &[7; 5_000])]).expect("appends");
    assert_eq!(files(&disk).len(), 1);
    model.check(&store);
}

#[test]
fn payloads_go_with_the_records_that_name_them() {
    let disk = Memory::new();
    let limits =
        |entropy| Options { log_bytes_max: 200 * 1024, log_keep_micros: 0, ..limits(entropy) };
    let store = Embedded::open(disk.clone(), limits(1)).expect("opens");
    let mut model = Model::default();
    let mut most = 0;
    for number in 0..400_u64 {
        let payload = number.to_le_bytes().repeat(1_000);
        model.append(&store, &[with_payload(number, &payload)]).expect("appends");
        if number % 10 == 9 {
            store.commit().expect("commits");
            most = most.max(store.status().claims_bytes);
        }
    }
    assert!(store.oldest() > 300, "{:?}", store.status());
    assert!(most < 600 * 1024, "{most} bytes beside a log of 200 KiB");
    model.check(&store);
    let left: u64 = disk.list_in(FOLDER).expect("lists").iter().map(|(_, length)| length).sum();
    assert_eq!(left, store.status().claims_bytes);
    drop(store);
    model.check(&Embedded::open(disk, limits(2)).expect("opens"));
}

#[test]
fn a_payload_without_a_record_goes_with_its_segment() {
    let disk = Memory::new();
    let limits = |entropy| Options { log_bytes_max: 0, log_keep_micros: 0, ..limits(entropy) };
    let store = Embedded::open(disk.clone(), limits(1)).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 3, 100);
    // The frame behind the payload never comes: create, write, sync and rename are the payload's.
    disk.inject(disk.operations() + 4, Fault::PowerLost);
    store.append(&[with_payload(3, &[9; 3_000])], 4).expect_err("the power is lost");
    drop(store);
    let disk = disk.crash(0);
    assert_eq!(files(&disk).len(), 1);
    let store = Embedded::open(disk.clone(), limits(2)).expect("opens");
    model.check(&store);
    for _ in 0..4 {
        model.fill(&store, 40, 700);
        store.commit().expect("commits");
    }
    assert_eq!(files(&disk), Vec::<String>::new());
    model.check(&store);
}

#[test]
fn a_crash_at_any_operation_leaves_each_record_with_its_payload_or_neither() {
    for operation in 0..24 {
        for seed in 0..8 {
            let disk = Memory::new();
            let store = open(&disk, 1).expect("opens");
            let mut model = Model::default();
            model.fill(&store, 3, 100);
            disk.inject(disk.operations() + operation, Fault::PowerLost);
            let mut pending = Vec::new();
            for number in 3..8_u64 {
                let payload = number.to_le_bytes().repeat(500);
                let turn = [with_payload(number, &payload), with_payload(number, &[3; 2_000])];
                if model.append(&store, &turn).is_err() {
                    pending = turn.to_vec();
                    break;
                }
            }
            drop(store);
            let disk = disk.crash(seed);
            let store = open(&disk, 2).expect("opens");
            model.check_with_pending(&store, &pending);
            model.append(&store, &[with_payload(99, &[3; 2_000])]).expect("appends");
            drop(store);
            model.check(&open(&disk.crash(seed + 1), 3).expect("opens"));
        }
    }
}

#[test]
fn a_missing_or_shortened_payload_is_refused_by_name_at_the_start() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.append(&store, &[with_payload(0, &[5; 3_000])]).expect("appends");
    model.fill(&store, 2, 100);
    drop(store);
    let name = files(&disk).pop().expect("there is one");
    for shortened in [false, true] {
        let disk = disk.copy();
        if shortened {
            disk.truncate(&name, 2_999).expect("shortens");
        } else {
            disk.remove(&name).expect("removes");
        }
        assert_eq!(refusal(open(&disk, 2)).0, name);
    }
}

#[test]
fn a_damaged_payload_is_refused_by_name_when_it_is_read() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 2, 100);
    model.append(&store, &[with_payload(2, &[5; 3_000])]).expect("appends");
    let name = files(&disk).pop().expect("there is one");
    for position in [0, 4, 16, 2_000, 3_015] {
        let disk = disk.copy();
        disk.flip_bit(&name, position, 2).expect("flips");
        let refused = open(&disk, 2).err().expect("a start reads what no checkpoint covers");
        assert!(refused.to_string().starts_with(&name), "{refused}");
    }
    store.commit().expect("commits");
    for position in [0, 4, 16, 2_000, 3_015] {
        let disk = disk.copy();
        disk.flip_bit(&name, position, 2).expect("flips");
        let store = open(&disk, 2).expect("a start does not read what is covered");
        assert_eq!(store.read(0, 2, usize::MAX).expect("reads").len(), 2);
        let refused = store.read(2, 1, usize::MAX).expect_err("it is damaged").to_string();
        assert!(refused.starts_with(&name), "{refused}");
    }
    model.check(&store);
}

#[test]
fn without_room_for_a_file_a_payload_stays_in_its_record() {
    let disk = Memory::new();
    let limits = Options { reserve_bytes: 16 * 1024, ..limits(1) };
    disk.set_capacity(Some(100 * 1024));
    let store = Embedded::open(disk.clone(), limits).expect("opens");
    let mut model = Model::default();
    let refused = loop {
        let number = model.records.len() as u64;
        let payload = number.to_le_bytes().repeat(300);
        if let Err(refused) = model.append(&store, &[with_payload(number, &payload)]) {
            break refused;
        }
    };
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    let beside: BTreeSet<String> = files(&disk).into_iter().collect();
    assert!(!beside.is_empty() && beside.len() + 3 < model.records.len(), "{}", beside.len());
    model.check(&store);
}

#[test]
fn a_backup_carries_the_payloads_and_their_damage_is_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let limits = || Options { inline_bytes_max: INLINE, ..Options::default() };
    let source = folder.path().join("source");
    let store = Embedded::open_folder(&source, limits()).expect("opens");
    let mut model = Model::default();
    for number in 0..6_u64 {
        let payload = number.to_le_bytes().repeat(100 * number as usize);
        model.append(&store, &[with_payload(number, &payload)]).expect("appends");
    }
    store.commit().expect("commits");
    let mut stream = Vec::new();
    let summary = store.backup(&mut stream).expect("backs up");
    assert_eq!(summary.payloads, 4);
    assert_eq!(backup::verify(&mut stream.as_slice()).expect("it is whole"), summary);
    let target = folder.path().join("target");
    backup::restore(&mut stream.as_slice(), &target).expect("restores");
    model.check(&Embedded::open_folder(&target, limits()).expect("opens"));
    drop(store);
    examine::examine(&source, false).expect("nothing is damaged");
    let file = std::fs::read_dir(source.join(FOLDER)).expect("lists").next().expect("a file");
    let file = file.expect("lists").path();
    let mut bytes = std::fs::read(&file).expect("reads");
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).expect("writes");
    let refused = examine::examine(&source, false).expect_err("it is damaged").to_string();
    assert!(refused.contains("the payload differs"), "{refused}");
}

#[test]
fn a_sync_of_a_payload_that_fails_stops_the_store() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 2, 100);
    disk.inject(disk.operations() + 2, Fault::Fails);
    let pending = with_payload(2, &[8; 4_000]);
    store.append(std::slice::from_ref(&pending), 9).expect_err("the sync fails");
    assert!(store.status().poisoned.is_some());
    drop(store);
    model.check(&open(&disk.crash(1), 2).expect("opens"));
}
