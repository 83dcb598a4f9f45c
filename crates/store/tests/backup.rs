//! Backups taken while turns, checkpoints and retention go on, and what is refused as one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use onex_store::backup::{restore, verify};
use onex_store::embedded::{Embedded, Options};
use onex_store::{Record, RowChange, Store, StoreError};

/// Small segments and frequent checkpoints, so that all of it happens within a test.
fn options() -> Options {
    Options {
        segment_first_bytes: 64 * 1024,
        segment_bytes: 128 * 1024,
        checkpoint_rows_bytes: 64 * 1024,
        checkpoint_log_bytes: 128 * 1024,
        log_bytes_max: 512 * 1024,
        log_keep_micros: 0,
        ..Options::default()
    }
}

fn open(folder: &Path) -> Embedded<onex_store::disk::Real> {
    Embedded::open_folder(folder, options()).expect("the folder opens")
}

/// The row that record `number` puts, and one that it deletes.
fn record(number: u64) -> Record {
    let key = |number: u64| [b"k", (number % 500).to_be_bytes().as_slice()].concat().into();
    let value = [number.to_be_bytes().as_slice(), &[7; 200]].concat();
    let put = RowChange { key: key(number), value: Some(value.into()), fresh: false };
    let gone = RowChange { key: key(number * 7 + 3), value: None, fresh: false };
    let rows = if number.is_multiple_of(5) { vec![gone, put] } else { vec![put] };
    let body = number.to_be_bytes().to_vec();
    Record { partition: 0, payload_bytes: body.len(), body, rows }
}

/// What the rows are after the first `count` records.
fn model(count: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    for number in 0..count {
        for row in record(number).rows {
            match row.value {
                Some(value) => rows.insert(row.key.to_vec(), value.to_vec()),
                None => rows.remove(&*row.key),
            };
        }
    }
    rows
}

fn rows(store: &dyn Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let found = store.scan(b"k", b"l", usize::MAX).expect("rows can be read");
    found.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn append(store: &dyn Store, numbers: std::ops::Range<u64>) {
    let records: Vec<Record> = numbers.map(record).collect();
    store.append(&records, 1_000_000).expect("it can be appended");
}

#[test]
fn what_is_restored_is_the_source_at_the_offset_of_the_backup_whatever_went_on_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = open(&folder.path().join("source"));
    let stop = AtomicBool::new(false);
    let backups: Vec<Vec<u8>> = thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 0;
            while !stop.load(Ordering::Relaxed) && next < 200_000 {
                append(&store, next..next + 20);
                next += 20;
            }
        });
        let mut backups = Vec::new();
        // Until retention has let go of segments between two of them.
        while backups.len() < 4 || (store.oldest() == 0 && backups.len() < 40) {
            let mut stream = Vec::new();
            store.backup(&mut stream).expect("it can be backed up");
            backups.push(stream);
            let later = store.durable_to() + 2000;
            while store.durable_to() < later {
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
        backups
    });
    assert!(store.oldest() > 0, "retention let go of nothing: the test attacks nothing");
    let backups = &backups[backups.len() - 4..];
    for (number, stream) in backups.iter().enumerate() {
        let target = folder.path().join(format!("target-{number}"));
        let summary = restore(&mut stream.as_slice(), &target).expect("it can be restored");
        assert_eq!(verify(&mut stream.as_slice()).expect("it is whole"), summary);
        let restored = open(&target);
        assert_eq!(restored.durable_to(), summary.offset);
        assert_eq!(rows(&restored), model(summary.offset), "backup {number}");
        let oldest = restored.oldest();
        let log = restored.read(oldest, usize::MAX, usize::MAX).expect("the log can be read");
        let numbers = log.iter().map(|one| (one.offset, one.body.to_vec()));
        let expected = (oldest..summary.offset).map(|at| (at, at.to_be_bytes().to_vec()));
        assert!(numbers.eq(expected), "backup {number}");
        append(&restored, summary.offset..summary.offset + 20);
        drop(restored);
        assert_eq!(rows(&open(&target)), model(summary.offset + 20), "backup {number} goes on");
    }
}

#[test]
fn an_empty_store_is_backed_up_and_restored_too() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut stream = Vec::new();
    open(&folder.path().join("source")).backup(&mut stream).expect("it can be backed up");
    let target = folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder can be made");
    restore(&mut stream.as_slice(), &target).expect("an empty folder may be there");
    assert_eq!(open(&target).durable_to(), 0);
}

#[test]
fn what_is_cut_off_or_damaged_is_no_backup_and_leaves_no_folder() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = open(&folder.path().join("source"));
    append(&store, 0..300);
    store.commit().expect("a checkpoint can be written");
    append(&store, 300..400);
    let mut stream = Vec::new();
    store.backup(&mut stream).expect("it can be backed up");
    let target = folder.path().join("target");
    let places = (0..stream.len()).step_by(997).chain(stream.len() - 80..stream.len());
    for place in places {
        assert!(verify(&mut &stream[..place]).is_err(), "cut off at {place}");
        let mut flipped = stream.clone();
        flipped[place] ^= 4;
        assert!(verify(&mut flipped.as_slice()).is_err(), "flipped at {place}");
    }
    for place in [0, 8, 100, stream.len() / 2, stream.len() - 1] {
        assert!(restore(&mut &stream[..place], &target).is_err());
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(left, ["source"], "cut off at {place}");
    }
}

#[test]
fn a_folder_that_holds_anything_is_not_restored_into() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = open(&folder.path().join("source"));
    append(&store, 0..10);
    let mut stream = Vec::new();
    store.backup(&mut stream).expect("it can be backed up");
    let target = folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder can be made");
    std::fs::write(target.join("mine"), "keep").expect("a file can be written");
    let refused = restore(&mut stream.as_slice(), &target);
    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
    assert_eq!(std::fs::read(target.join("mine")).expect("it is kept"), b"keep");
}
