//! Checkpoints that crash, fail, and run in the background.

mod model;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Model, open, options, record};
use onex_store::disk::{Fault, Memory};
use onex_store::embedded::{Embedded, Options};
use onex_store::rows::{Change, Changes, Fjall, Plain, Rows, View};
use onex_store::{RowBytes, RowKey, Store, StoreError};

#[test]
fn a_crash_at_any_operation_of_a_checkpoint_loses_nothing() {
    let disk = Memory::new();
    let limits = |entropy| Options { log_bytes_max: 0, log_keep_micros: 0, ..options(entropy) };
    let store = Embedded::open(disk.clone(), limits(1)).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 20, 700);
    store.commit().expect("commits");
    model.fill(&store, 40, 700);
    store.seal().expect("seals");
    drop(store);
    let count = {
        let copy = disk.copy();
        let store = Embedded::open(copy.clone(), limits(2)).expect("opens");
        let before = copy.operations();
        store.commit().expect("commits");
        assert!(store.oldest() > 0);
        copy.operations() - before
    };
    assert!(count >= 6, "a checkpoint that lets go of segments writes: {count}");
    for operation in 0..count {
        for seed in 0..10 {
            let copy = disk.copy();
            let store = Embedded::open(copy.clone(), limits(2)).expect("opens");
            copy.inject(copy.operations() + operation, Fault::PowerLost);
            assert!(store.commit().is_err(), "operation {operation} of {count}");
            drop(store);
            let store = Embedded::open(copy.crash(seed), limits(3)).expect("opens");
            model.check(&store);
            store.commit().expect("commits");
            model.check(&store);
        }
    }
}

#[test]
fn a_failure_at_any_operation_of_a_checkpoint_leaves_a_whole_log() {
    let limits = |entropy| Options { log_bytes_max: 0, log_keep_micros: 0, ..options(entropy) };
    for operation in 0.. {
        let disk = Memory::new();
        let store = Embedded::open(disk.clone(), limits(1)).expect("opens");
        let mut model = Model::default();
        model.fill(&store, 150, 700);
        disk.inject(disk.operations() + operation, Fault::Fails);
        if store.commit().is_ok() {
            assert!(operation > 8, "only {operation} operations");
            break;
        }
        model.check(&store);
        store.commit().expect("commits");
        model.check(&store);
        drop(store);
        model.check(&Embedded::open(disk, limits(2)).expect("opens"));
    }
}

#[test]
fn a_failed_checkpoint_is_tried_again_and_hides_nothing() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    for round in 0..12 {
        model.fill(&store, 5, 300);
        let fails = round % 4 != 3;
        if fails {
            disk.inject(disk.operations() + round % 4, Fault::Fails);
        }
        assert_eq!(store.commit().is_err(), fails, "round {round}");
        let status = store.status();
        assert_eq!(status.checkpoint_failed.is_some(), fails);
        assert_eq!(status.unwritten_rows > 0, fails);
        model.check(&store);
    }
}

#[test]
fn rows_are_counted_until_they_are_written_and_cached_afterwards() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    assert_eq!(store.status().unwritten_bytes, 0);
    Model::default().fill(&store, 10, 100);
    let status = store.status();
    assert_eq!((status.unwritten_rows, status.cached_bytes), (10, 0));
    assert!(status.unwritten_bytes > 10 * 6);
    store.commit().expect("commits");
    let status = store.status();
    assert_eq!((status.unwritten_rows, status.unwritten_bytes), (0, 0));
    assert!(status.cached_bytes > 0 && status.cached_bytes <= 2 * 1024);
    assert_eq!(status.checkpoint, 10);
}

/// A checkpoint that is written only with a permit, and waits for it.
struct Gate {
    inner: Plain<Memory>,
    permits: AtomicU64,
    entered: AtomicU64,
}

impl Gate {
    fn wait_for_entry(&self, number: u64) {
        while self.entered.load(Ordering::SeqCst) < number {
            std::thread::yield_now();
        }
    }
}

/// Lets everything through when a test ends, so that a failing one ends too.
struct OpenAtTheEnd(Arc<Gate>);

impl Drop for OpenAtTheEnd {
    fn drop(&mut self) {
        self.0.permits.store(u64::MAX, Ordering::SeqCst);
    }
}

impl Rows for Gate {
    fn covered(&self) -> Result<u64, StoreError> {
        self.inner.covered()
    }

    fn write(&self, covered: u64, changes: &Changes) -> Result<(), StoreError> {
        let number = self.entered.fetch_add(1, Ordering::SeqCst);
        while self.permits.load(Ordering::SeqCst) <= number {
            std::thread::yield_now();
        }
        self.inner.write(covered, changes)
    }

    fn view(&self) -> Box<dyn View + '_> {
        self.inner.view()
    }
}

#[test]
fn turns_do_not_wait_for_a_checkpoint_and_it_covers_only_what_it_began_with() {
    let disk = Arc::new(Memory::new());
    let inner = Plain::open(Arc::clone(&disk)).expect("opens");
    let gate = Arc::new(Gate { inner, permits: AtomicU64::new(0), entered: AtomicU64::new(0) });
    let threaded = Options {
        background: true,
        checkpoint_rows_bytes: 500,
        log_bytes_max: 0,
        log_keep_micros: 0,
        ..options(1)
    };
    let rows: Arc<dyn Rows> = Arc::clone(&gate) as Arc<dyn Rows>;
    let store = Embedded::open_with(disk, rows, threaded).expect("opens");
    let _open_at_the_end = OpenAtTheEnd(Arc::clone(&gate));
    let mut model = Model::default();
    model.fill(&store, 50, 700);
    gate.wait_for_entry(1);
    // The checkpoint is under way and stands still; turns and reads go on.
    model.fill(&store, 150, 700);
    model.check(&store);
    assert_eq!(store.status().checkpoint, 0);
    gate.permits.store(1, Ordering::SeqCst);
    gate.wait_for_entry(2);
    // It is done and the next stands still: what the first did not cover is in the log.
    let status = store.status();
    assert!(status.checkpoint > 0 && status.checkpoint <= 50, "{status:?}");
    assert!(status.oldest <= status.checkpoint, "{status:?}");
    model.check(&store);
    gate.permits.store(u64::MAX, Ordering::SeqCst);
    model.fill(&store, 50, 300);
    model.check(&store);
}

#[test]
fn a_long_log_makes_a_checkpoint_due_although_few_rows_changed() {
    let threaded = Options { background: true, checkpoint_log_bytes: 10_000, ..options(1) };
    let store = Embedded::open(Memory::new(), threaded).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 20, 700);
    while store.status().checkpoint == 0 {
        std::thread::yield_now();
    }
    model.check(&store);
}

#[test]
fn what_a_start_applied_again_counts_towards_the_next_checkpoint() {
    let disk = Memory::new();
    let mut model = Model::default();
    model.fill(&open(&disk, 1).expect("opens"), 20, 700);
    let threaded = Options { background: true, checkpoint_log_bytes: 10_000, ..options(2) };
    let store = Embedded::open(disk, threaded).expect("opens");
    while store.status().checkpoint == 0 {
        std::thread::yield_now();
    }
    model.check(&store);
}

fn changes(rows: impl IntoIterator<Item = (String, Option<String>)>) -> Changes {
    let own = |(key, value): (String, Option<String>)| {
        let value = value.map(|value| RowBytes::from(value.as_bytes()));
        (RowKey::from(key.as_bytes()).into(), Change { value, fresh: false })
    };
    rows.into_iter().map(own).collect()
}

fn rows_round_trip<R: Rows>(open: impl Fn() -> R) {
    let mut expected = std::collections::BTreeMap::new();
    for round in 0..8_u64 {
        let rows = open();
        assert_eq!(rows.covered().expect("reads"), round * 10);
        let all: Vec<_> = rows.view().range(b"", b"\xff").collect::<Result<_, _>>().expect("reads");
        assert!(all.into_iter().eq(expected.clone()), "round {round}");
        let changed = changes((round * 3..round * 3 + 9).map(|number| {
            let value = (number % 4 != round % 4).then(|| format!("{round}/{number}"));
            (format!("key {:02}", number % 20), value)
        }));
        let earlier = rows.view();
        rows.write((round + 1) * 10, &changed).expect("writes");
        for (place, Change { value, .. }) in changed {
            let key = place.key().clone();
            assert_eq!(earlier.get(&key).expect("reads"), expected.get(&key).cloned());
            assert_eq!(rows.view().get(&key).expect("reads"), value);
            match value {
                Some(value) => expected.insert(key, value),
                None => expected.remove(&key),
            };
        }
    }
}

#[test]
fn plain_rows_keep_what_was_written() {
    let disk = Arc::new(Memory::new());
    rows_round_trip(|| Plain::open(Arc::clone(&disk)).expect("opens"));
}

#[test]
fn fjall_rows_keep_what_was_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    rows_round_trip(|| Fjall::open(folder.path(), 1 << 20).expect("opens"));
}

#[test]
fn an_unfinished_fjall_folder_is_made_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let unfinished = folder.path().join("rows.new");
    std::fs::create_dir(&unfinished).expect("makes a folder");
    std::fs::write(unfinished.join("0.jnl"), b"half").expect("writes");
    let rows = Fjall::open(folder.path(), 1 << 20).expect("opens");
    assert_eq!(rows.covered().expect("reads"), 0);
    rows.write(5, &changes([("a".to_owned(), Some("1".to_owned()))])).expect("writes");
    drop(rows);
    let rows = Fjall::open(folder.path(), 1 << 20).expect("opens");
    assert_eq!(rows.covered().expect("reads"), 5);
}

#[test]
fn rows_written_again_and_again_do_not_grow_the_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = Fjall::open(folder.path(), 1 << 20).expect("opens");
    let round = |round: u64| {
        changes((0..500).map(|number| (format!("{number}"), Some(format!("{round:0200}")))))
    };
    for number in 0..100 {
        rows.write(number, &round(number)).expect("writes");
    }
    drop(rows);
    let bytes = folder_bytes(folder.path());
    assert!(bytes < 30 * 500 * 203, "{bytes} bytes for 500 rows");
}

#[test]
fn rows_put_and_deleted_between_two_checkpoints_cost_nothing_in_fjall() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = Fjall::open(folder.path(), 1 << 20).expect("opens");
    rows.write(1, &changes([("kept".to_owned(), Some("1".to_owned()))])).expect("writes");
    let before = folder_bytes(folder.path());
    let short_lived = (0..10_000).map(|number| (format!("{number:0100}"), None));
    rows.write(2, &changes(short_lived)).expect("writes");
    let growth = folder_bytes(folder.path()) - before;
    assert!(growth < 20_000, "{growth} bytes for 10,000 rows that never were in the tree");
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("lists");
    let bytes = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("lists");
        let metadata = entry.metadata().expect("reads");
        if metadata.is_dir() { folder_bytes(&entry.path()) } else { metadata.len() }
    };
    entries.map(bytes).sum()
}

#[test]
fn rows_of_every_turn_are_in_fjall_after_a_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let limits =
        || Options { checkpoint_rows_bytes: 3_000, rows_cache_bytes: 0, ..Options::default() };
    let mut model = Model::default();
    for round in 0..6 {
        let store = Embedded::open_folder(folder.path(), limits()).expect("opens");
        model.check(&store);
        for _ in 0..40 {
            let next = record(model.records.len() as u64, 200);
            model.append(&store, &[next]).expect("appends");
        }
        if round % 2 == 0 {
            store.commit().expect("commits");
            store.seal().expect("seals");
        }
        model.check(&store);
    }
}
