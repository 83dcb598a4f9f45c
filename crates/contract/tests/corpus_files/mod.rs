//! Where real contracts of every dialect are: in the folder that `ONEX_CORPUS` names, else in
//! `../shared/corpus` beside the workspace; and always the samples in `cases/dialect_samples`.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of the corpus and of the samples.
pub fn all() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(&root.join("tests/cases/dialect_samples"), &mut found);
    let beside = root.ancestors().skip(2).map(|folder| folder.join("../shared/corpus"));
    let named = std::env::var_os("ONEX_CORPUS").map(PathBuf::from);
    let corpus = named.or_else(|| beside.take(2).find(|folder| folder.is_dir()));
    corpus.iter().for_each(|folder| collect(folder, &mut found));
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the corpus can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
}
