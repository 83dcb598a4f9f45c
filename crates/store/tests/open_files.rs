//! A process that can open no more files: the log goes on with handles held for that.
//!
//! Alone in its file, since the limit is one of the whole process.

mod model;

use std::fs::File;
use std::sync::Arc;

use model::{Model, options};
use onex_store::disk::Real;
use onex_store::embedded::{Embedded, Options};
use onex_store::rows::Plain;
use onex_store::{Store, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn open(folder: &std::path::Path, background: bool) -> Result<Embedded<Real>, StoreError> {
    let disk = Arc::new(Real::open(folder)?);
    let rows = Arc::new(Plain::open(Arc::clone(&disk))?);
    Embedded::open_with(disk, rows, Options { background, ..options(1) })
}

#[test]
fn a_log_grows_into_new_segments_when_the_process_can_open_no_more_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).expect("lowers");
    for background in [false, true] {
        let folder = folder.path().join(background.to_string());
        let store = open(&folder, background).expect("opens");
        let mut taken = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            taken.push(file);
        }
        let mut model = Model::default();
        model.fill(&store, 300, 700);
        store.commit().expect("commits");
        assert!(store.status().segments > 3);
        drop(taken);
        model.check(&store);
    }
}
