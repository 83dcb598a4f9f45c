//! A real process on a real disk, killed while it appends.

mod model;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use model::{Model, record};
use onex_store::Store;
use onex_store::embedded::{Embedded, Options};

/// Set for the process that is to be killed: the folder of its store.
const FOLDER: &str = "STORE_TO_APPEND_TO";
const ROUNDS: u64 = 4;
const TURNS_A_ROUND: u64 = 60;

fn options() -> Options {
    Options {
        segment_first_bytes: 64 * 1024,
        segment_bytes: 128 * 1024,
        checkpoint_rows_bytes: 2_000,
        checkpoint_log_bytes: 100_000,
        ..Options::default()
    }
}

/// Appends until it is killed and prints each offset once it is acknowledged.
fn append_for_ever(folder: &Path) {
    let store = Embedded::open_folder(folder, options()).expect("opens");
    let mut out = std::io::stdout().lock();
    loop {
        let next = store.durable_to();
        store.append(&[record(next, 400), record(next + 1, 2_000)], next).expect("appends");
        writeln!(out, "acknowledged {next}").expect("prints");
        out.flush().expect("prints");
    }
}

#[test]
fn every_acknowledged_turn_survives_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        append_for_ever(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "every_acknowledged_turn_survives_a_kill", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let out = BufReader::new(child.stdout.take().expect("was asked for"));
        let acknowledged = out
            .lines()
            .filter_map(|line| line.ok()?.strip_prefix("acknowledged ")?.parse::<u64>().ok())
            .nth(TURNS_A_ROUND as usize);
        child.kill().expect("is running");
        child.wait().expect("ends");
        let last = acknowledged.expect("appends until it is killed");
        let store = Embedded::open_folder(folder.path(), options()).expect("opens");
        assert!(store.durable_to() >= last + 2);
        Model { records: (0..store.durable_to()).map(turn).collect() }.check(&store);
    }
}

fn turn(offset: u64) -> onex_store::Record {
    record(offset, if offset.is_multiple_of(2) { 400 } else { 2_000 })
}
