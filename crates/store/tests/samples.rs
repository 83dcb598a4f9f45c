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
    Options {
        segment_first_bytes: 2 * 1024,
        segment_bytes: 3 * 1024,
        inline_bytes_max: 500,
        ..model::options(entropy)
    }
}

/// What the samples hold: three segments, a payload beside them, and a checkpoint in the middle.
fn sample(sealed: bool) -> (Memory, Model) {
    let disk = Memory::new();
    let store = Embedded::open(disk.clone(), options(0x0123_4567_89ab_cdef)).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 6, 150);
    store.commit().expect("commits");
    let turn: Vec<_> = (6..9).map(|number| record(number, 90)).collect();
    model.append(&store, &turn).expect("appends");
    model.fill(&store, 1, 700);
    model.fill(&store, 3, 150);
    if sealed {
        store.seal().expect("seals");
    }
    (disk, model)
}

/// The files of a sample, those of its folders with their folder's name.
fn names(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("the sample folder is there") {
        let entry = entry.expect("lists");
        let name = entry.file_name().into_string().expect("a plain name");
        match entry.path().is_dir() {
            true => names.extend(self::names(&entry.path(), &format!("{name}/"))),
            false => names.push(format!("{prefix}{name}")),
        }
    }
    names.sort();
    names
}

fn read_folder(name: &str) -> Memory {
    let disk = Memory::new();
    for file in names(&folder(name), "") {
        let bytes = fs::read(folder(name).join(&file)).expect("reads");
        disk.put(&file, &[&bytes]).expect("puts");
    }
    disk
}

fn write_folder(name: &str, disk: &Memory) {
    for (file, bytes) in files(disk) {
        let path = folder(name).join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("makes the folder");
        fs::write(path, bytes).expect("writes");
    }
}

fn files(disk: &Memory) -> Vec<(String, Vec<u8>)> {
    let content = |(name, length): (String, u64)| {
        let mut bytes = vec![0; length as usize];
        disk.read_at(&name, 0, &mut bytes).expect("reads");
        (name, bytes)
    };
    let inner = disk.list_in("claims").expect("lists");
    disk.list().expect("lists").into_iter().chain(inner).map(content).collect()
}

fn stays_readable(name: &str, sealed: bool) {
    let (disk, mut model) = sample(sealed);
    if std::env::var_os("UPDATE").is_some() {
        write_folder(name, &disk);
    }
    let found = read_folder(name);
    assert_eq!(files(&found).len(), files(&disk).len());
    for ((name, bytes), (expected_name, expected)) in files(&found).iter().zip(files(&disk)) {
        assert_eq!(*name, expected_name);
        let difference = bytes.iter().zip(&expected).position(|(one, other)| one != other);
        assert_eq!((difference, bytes.len()), (None, expected.len()), "first difference in {name}");
    }
    let store = Embedded::open(found, options(2)).expect("opens");
    assert_eq!(store.status().checkpoint, 6);
    model.check(&store);
    assert!(store.status().claims_bytes > 500);
    model.fill(&store, 5, 200);
    model.check(&store);
}

#[test]
fn a_sealed_log_of_format_2() {
    stays_readable("v2/sealed", true);
}

#[test]
fn an_unsealed_log_of_format_2() {
    stays_readable("v2/unsealed", false);
}

#[test]
fn a_log_of_format_1_is_refused_by_its_number_and_left_as_it_is() {
    for name in ["v1/sealed", "v1/unsealed"] {
        let disk = read_folder(name);
        let before = files(&disk);
        let refused = Embedded::open(disk.clone(), options(2)).err().expect("refused").to_string();
        assert_eq!(refused, "log-0000000001 has format 1, this version reads format 2");
        assert!(files(&disk) == before, "a refused folder was changed");
    }
}
