//! Commit latency and throughput of the embedded store, with the raw sync of the disk beside it.
//!
//! `cargo bench -p onex-store [FOLDER]`; without a folder, one in the system's temporary place.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use onex_store::embedded::{Embedded, Options};
use onex_store::{Record, RowBytes, RowChange, RowKey, Store};

const BODY_BYTES: usize = 256;
const RUN: Duration = Duration::from_secs(3);

#[allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn main() {
    let parent = match std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .expect("a temporary folder");
    starts(parent.path());
    let raw = raw_sync(parent.path());
    println!("raw sync of 512 B, preallocated   p50 {:>6} us  p99 {:>7} us", raw.p50, raw.p99);
    for batch in [1, 64, 512] {
        let folder = parent.path().join(format!("batch-{batch}"));
        let run = append(&folder, batch, 0);
        println!(
            "append {batch:>3} x {BODY_BYTES} B, no rows         p50 {:>6} us  p99 {:>7} us  {:>9.0} records/s",
            run.p50, run.p99, run.records_per_second
        );
    }
    let folder = parent.path().join("rows");
    let run = append(&folder, 64, 2);
    println!(
        "append  64 x {BODY_BYTES} B, 2 rows each    p50 {:>6} us  p99 {:>7} us  {:>9.0} records/s",
        run.p50, run.p99, run.records_per_second
    );
    lookups(parent.path());
}

struct Run {
    p50: u128,
    p99: u128,
    records_per_second: f64,
}

/// Times `call`, and does not count what `prepare` takes.
fn run<T>(
    records_per_call: usize,
    mut prepare: impl FnMut(u64) -> T,
    mut call: impl FnMut(u64, T),
) -> Run {
    let mut micros = Vec::new();
    let mut spent = Duration::ZERO;
    let mut number = 0;
    while spent < RUN {
        let prepared = prepare(number);
        let before = Instant::now();
        call(number, prepared);
        let took = before.elapsed();
        spent += took;
        micros.push(took.as_micros());
        number += 1;
    }
    let seconds = spent.as_secs_f64();
    let records = (micros.len() * records_per_call) as f64;
    micros.sort_unstable();
    let at = |percent: usize| micros[(micros.len() - 1) * percent / 100];
    Run { p50: at(50), p99: at(99), records_per_second: records / seconds }
}

fn raw_sync(folder: &Path) -> Run {
    const LENGTH: u64 = 64 * 1024 * 1024;
    let file = File::create_new(folder.join("raw")).expect("creates a file");
    file.write_all_at(&vec![0; LENGTH as usize], 0).expect("writes zeros");
    file.sync_all().expect("syncs");
    run(
        1,
        |_| (),
        |number, ()| {
            file.write_all_at(&[1; 512], number * 512 % LENGTH).expect("writes");
            file.sync_data().expect("syncs");
        },
    )
}

/// Turns of `batch` records with `rows` rows each, over a set of 100,000 keys.
fn append(folder: &Path, batch: usize, rows: u64) -> Run {
    let store = Embedded::open_folder(folder, Options::default()).expect("opens");
    let prepare = |turn: u64| {
        let mut records = records(batch);
        for (index, record) in (0..).zip(&mut records) {
            let number = turn * batch as u64 + index;
            record.rows = (0..rows).map(|row| change((number * rows + row) % 100_000)).collect();
        }
        records
    };
    run(batch, prepare, |turn, records| {
        store.append(&records, turn).expect("appends");
    })
}

fn records(count: usize) -> Vec<Record> {
    let one = |index| Record {
        partition: index as u16,
        body: vec![7; BODY_BYTES],
        payload_bytes: BODY_BYTES / 2,
        rows: Vec::new(),
    };
    (0..count).map(one).collect()
}

fn key(number: u64) -> RowKey {
    RowKey::from(format!("node/{number:016}/head").as_bytes())
}

fn change(number: u64) -> RowChange {
    RowChange { key: key(number), value: Some(RowBytes::from([number as u8; 200])), fresh: false }
}

#[allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn starts(parent: &Path) {
    let folder = parent.join("starts");
    let before = Instant::now();
    let store = Embedded::open_folder(&folder, Options::default()).expect("opens");
    println!("open an empty folder              {:>6} us", before.elapsed().as_micros());
    let mut batch = records(64);
    for turn in 0..3_400_u64 {
        for (index, record) in (0..).zip(&mut batch) {
            record.rows = vec![change((turn * 64 + index) % 100_000)];
        }
        store.append(&batch, turn).expect("appends");
    }
    let status = store.status();
    drop(store);
    let before = Instant::now();
    let store = Embedded::open_folder(&folder, Options::default()).expect("opens");
    println!(
        "open after a stop without a seal  {:>6} us  (log of {} MiB, {} MiB behind the checkpoint's)",
        before.elapsed().as_micros(),
        status.log_bytes >> 20,
        ((status.durable_to - status.checkpoint) * 600) >> 20,
    );
    drop(store);
    let before = Instant::now();
    let options = Options {
        checkpoint_log_bytes: u64::MAX,
        checkpoint_rows_bytes: u64::MAX,
        ..Options::default()
    };
    let store = Embedded::open_folder(&parent.join("redo"), options.clone()).expect("opens");
    println!("open a second empty folder        {:>6} us", before.elapsed().as_micros());
    for turn in 0..1_800_u64 {
        for (index, record) in (0..).zip(&mut batch) {
            record.rows = vec![change((turn * 64 + index) % 100_000)];
        }
        store.append(&batch, turn).expect("appends");
    }
    let log_bytes = store.status().log_bytes;
    drop(store);
    let before = Instant::now();
    let store = Embedded::open_folder(&parent.join("redo"), options).expect("opens");
    println!(
        "open, all of it to apply again    {:>6} us  (log of {} MiB)",
        before.elapsed().as_micros(),
        log_bytes >> 20
    );
    drop(store);
}

#[allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]
fn lookups(parent: &Path) {
    const COUNT: u64 = 100_000;
    let options = Options { rows_cache_bytes: 0, ..Options::default() };
    let store = Embedded::open_folder(&parent.join("lookups"), options).expect("opens");
    let mut batch = records(100);
    for turn in 0..COUNT / 100 {
        for (index, record) in (0..).zip(&mut batch) {
            record.rows = vec![change(turn * 100 + index)];
        }
        store.append(&batch, turn).expect("appends");
    }
    let keys: Vec<RowKey> = (0..COUNT).map(|number| key(number * 7_919 % COUNT)).collect();
    let absent: Vec<RowKey> = (COUNT..2 * COUNT).map(key).collect();
    store.commit().expect("commits");
    let timed = |name: &str, keys: &[RowKey]| {
        let before = Instant::now();
        for key in keys {
            store.load(std::slice::from_ref(key)).expect("loads");
        }
        let nanos = before.elapsed().as_nanos() / keys.len() as u128;
        println!("load {name:<28} {nanos:>7} ns");
    };
    timed("from the checkpoint", &keys);
    timed("absent", &absent);
    drop(store);
    let options = Options {
        checkpoint_rows_bytes: u64::MAX,
        checkpoint_log_bytes: u64::MAX,
        ..Options::default()
    };
    let store = Embedded::open_folder(&parent.join("lookups"), options).expect("opens");
    for turn in 0..COUNT / 100 {
        for (index, record) in (0..).zip(&mut batch) {
            record.rows = vec![change(turn * 100 + index)];
        }
        store.append(&batch, turn).expect("appends");
    }
    let timed = |name: &str, keys: &[RowKey]| {
        let before = Instant::now();
        for key in keys {
            store.load(std::slice::from_ref(key)).expect("loads");
        }
        let nanos = before.elapsed().as_nanos() / keys.len() as u128;
        println!("load {name:<28} {nanos:>7} ns");
    };
    timed("unwritten", &keys);
    store.commit().expect("commits");
    timed("cached", &keys);
}
