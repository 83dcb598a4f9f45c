//! Files written by every format so far must stay readable, and today's must not change unnoticed.
//!
//! `UPDATE=1` rewrites the files of the current format.

mod model;

use std::fs;
use std::path::{Path, PathBuf};

use model::{Model, record};
use onex_store::Store;
use onex_store::disk::{Disk, Memory};
use onex_store::embedded::{Embedded, Options};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

fn options(entropy: u64) -> Options {
    Options { segment_first_bytes: 2 * 1024, segment_bytes: 3 * 1024, ..model::options(entropy) }
}

/// What the samples hold: three segments and a checkpoint in the middle.
fn sample(sealed: bool) -> (Memory, Model) {
    let disk = Memory::new();
    let store = Embedded::open(disk.clone(), options(0x0123_4567_89ab_cdef)).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 6, 150);
    store.commit().expect("commits");
    let turn: Vec<_> = (6..9).map(|number| record(number, 90)).collect();
    model.append(&store, &turn).expect("appends");
    model.fill(&store, 4, 150);
    if sealed {
        store.seal().expect("seals");
    }
    (disk, model)
}

fn read_folder(name: &str) -> Memory {
    let disk = Memory::new();
    let mut files: Vec<_> = fs::read_dir(folder(name))
        .expect("the sample folder is there")
        .map(|entry| entry.expect("lists").path())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let bytes = fs::read(&path).expect("reads");
        disk.create(name, bytes.len() as u64).expect("creates");
        disk.write_at(name, 0, &bytes).expect("writes");
        disk.sync(name).expect("syncs");
    }
    disk
}

fn write_folder(name: &str, disk: &Memory) {
    fs::create_dir_all(folder(name)).expect("makes the folder");
    for (file, length) in disk.list().expect("lists") {
        let mut bytes = vec![0; length as usize];
        disk.read_at(&file, 0, &mut bytes).expect("reads");
        fs::write(folder(name).join(file), bytes).expect("writes");
    }
}

fn files(disk: &Memory) -> Vec<(String, Vec<u8>)> {
    let content = |(name, length): (String, u64)| {
        let mut bytes = vec![0; length as usize];
        disk.read_at(&name, 0, &mut bytes).expect("reads");
        (name, bytes)
    };
    disk.list().expect("lists").into_iter().map(content).collect()
}

fn stays_readable(name: &str, sealed: bool) {
    let (disk, mut model) = sample(sealed);
    if std::env::var_os("UPDATE").is_some() {
        write_folder(name, &disk);
    }
    let found = read_folder(name);
    for ((name, bytes), (expected_name, expected)) in files(&found).iter().zip(files(&disk)) {
        assert_eq!(*name, expected_name);
        let difference = bytes.iter().zip(&expected).position(|(one, other)| one != other);
        assert_eq!((difference, bytes.len()), (None, expected.len()), "first difference in {name}");
    }
    let store = Embedded::open(found, options(2)).expect("opens");
    assert_eq!(store.status().checkpoint, 6);
    model.check(&store);
    model.fill(&store, 5, 200);
    model.check(&store);
}

#[test]
fn a_sealed_log_of_format_1() {
    stays_readable("v1/sealed", true);
}

#[test]
fn an_unsealed_log_of_format_1() {
    stays_readable("v1/unsealed", false);
}
