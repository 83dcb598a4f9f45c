//! Small systems reduced from defects that real products had: each is told before anything starts.
//! `defects/<name>/*.yaml`; the first file begins with where it comes from and the code that must be
//! found; `expected.txt` has every error and warning with its place. `UPDATE=1` writes it anew.
//! `spared/<name>/*.yaml` are right systems near them, of which nothing is told.

mod host;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::check;
use onex_contract::diagnostic::{Diagnostic, Severity};
use onex_contract::source::Source;

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder can be listed");
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry is there").path()).collect();
    paths.sort();
    paths
}

fn sources(folder: &Path) -> Vec<Source> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let files = listed(folder).into_iter().filter(is_yaml);
    files
        .map(|file| {
            let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
            Source::new(name.as_str(), fs::read(&file).expect("a contract can be read"))
        })
        .collect()
}

/// The code that a defect's header names: `# Told as C0101.` or `# Refused with C0101.`
fn header(source: &Source) -> (String, bool) {
    let text = String::from_utf8_lossy(&source.bytes).into_owned();
    let mut lines = text.lines().take_while(|line| line.starts_with('#'));
    let first = lines.next().expect("a header");
    assert!(first.starts_with("# Reduced from: "), "{}: {first}", source.path);
    let verdict = lines.last().expect("a verdict");
    let word = verdict.rsplit(' ').next().expect("a code").trim_end_matches('.');
    (word.to_owned(), verdict.starts_with("# Refused with "))
}

fn lines(found: &[Diagnostic]) -> String {
    let mut text = String::new();
    for finding in found.iter().filter(|finding| finding.severity > Severity::Note) {
        let _ = writeln!(
            text,
            "{} {} {}:{}:{} {}",
            finding.severity.word(),
            finding.code,
            finding.file,
            finding.line,
            finding.column,
            finding.message
        );
    }
    text
}

fn values() -> HostValues {
    HostValues {
        secrets: vec!["TOKEN".to_owned()],
        allow: [("http".to_owned(), vec!["loopback".to_owned()])].into(),
        ..HostValues::default()
    }
}

#[test]
fn of_a_right_system_nothing_is_told() {
    let right = listed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spared"));
    assert!(right.len() >= 25, "only {} systems", right.len());
    let mut wrong = Vec::new();
    for system in right {
        let checked = check(&sources(&system), &host::catalog(), &values());
        let text = lines(&checked.diagnostics);
        if !text.is_empty() {
            wrong.push(format!("{}:\n{text}", system.display()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_defect_is_told_before_anything_starts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/defects");
    let defects = listed(&root);
    assert!(defects.len() >= 40, "only {} defects", defects.len());
    let host = values();
    let mut wrong = Vec::new();
    for defect in defects {
        let sources = sources(&defect);
        let name = defect.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        let checked = check(&sources, &host::catalog(), &host);
        let text = lines(&checked.diagnostics);
        let (code, is_error) = header(sources.first().expect("a defect has contracts"));
        let found = checked.diagnostics.iter().find(|finding| finding.code == code);
        if found.is_none_or(|finding| (finding.severity == Severity::Error) != is_error) {
            wrong.push(format!("{name}: {code} is not told as its header says\n{text}"));
        }
        let helpless = |f: &&Diagnostic| f.severity > Severity::Note && f.help.is_none();
        let helpless = checked.diagnostics.iter().filter(helpless);
        wrong.extend(helpless.map(|f| format!("{name}: {} has no help: {}", f.code, f.message)));
        let expected = defect.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, text).expect("an expectation can be written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&*text) {
            wrong.push(format!("{name}: now\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}
