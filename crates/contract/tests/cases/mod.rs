//! The one helper of tests that are data: each input file is compared with the file beside it.

use std::path::{Path, PathBuf};

use onex_contract::source::Source;

/// Runs `answer` on every `cases/<folder>/*.yaml` and compares with the `.txt` of the same name;
/// with `UPDATE` set, writes it instead.
pub fn compare(folder: &str, answer: impl Fn(&Source) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut inputs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of cases is there")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "no cases in {}", folder.display());
    let mut wrong = Vec::new();
    for input in inputs {
        let name = input.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let bytes = std::fs::read(&input).expect("a case can be read");
        let answer = answer(&Source::new(name.as_str(), bytes));
        let expected = input.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, answer).expect("an expectation can be written");
        } else if std::fs::read_to_string(&expected).ok().as_deref() != Some(&*answer) {
            wrong.push(format!("{name}: now\n{answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n\n{}", wrong.len(), wrong.join("\n"));
}
