//! A file's text read as a tree, in whatever dialect it is written.

mod other;

use std::path::Path;

use crate::catalog::HostValues;
use crate::diagnostic::{Diagnostic, code};
use crate::dialect::{self, Parts, Verdict};
use crate::findings::Findings;
use crate::model::At;
use crate::section::reading::Reading;
use crate::source::{Origin, Source};
use crate::yaml::{self, Node};

/// One file.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Index of its source.
    pub file: u32,
    /// The name to use when it does not say its own.
    pub stem: String,
    /// Its dialect.
    pub dialect: &'static str,
    /// The tree as written; absent when the text is no mapping.
    pub root: Option<Node>,
    /// The tree in the normal form, when it is another one.
    pub normal: Option<Node>,
    /// Whether it can run here, as far as the file tells.
    pub verdict: Verdict,
}

impl Parsed {
    /// The tree in the normal form.
    pub(crate) fn normal_root(&self) -> Option<&Node> {
        match self.dialect {
            dialect::NORMAL => self.root.as_ref(),
            _ => self.normal.as_ref(),
        }
    }
}

/// Reads every file that is a contract, and translates those of old dialects. Of the others it is
/// said that they are none.
pub(crate) fn all(
    sources: &[Source],
    host: &HostValues,
    findings: &mut Findings<'_>,
) -> Vec<Parsed> {
    let texts: Vec<_> = sources.iter().map(readable).collect();
    let roots: Vec<_> = texts.iter().map(|(root, _)| root.as_ref()).collect();
    let mut parts = Parts::find(sources, &roots, findings);
    let mut parsed: Vec<Parsed> = Vec::new();
    for (file, (source, text)) in (0u32..).zip(sources.iter().zip(texts)) {
        let index = file as usize;
        match parts.owner(index) {
            Some(owner) => parsed.push(part(file, source, text, &sources[owner], findings)),
            None => parsed.extend(parse(file, source, text, findings)),
        }
        if let Some(Parsed { file: last, root: Some(root), .. }) = parsed.last_mut()
            && *last == file
        {
            parts.take_in(index, root, findings);
        }
    }
    parsed.iter_mut().for_each(|parsed| parsed.translate(host, findings));
    dialect::check_folders(sources, &parsed, findings);
    parsed
}

/// A tree, and what is wrong with the text.
type Read = (Option<Node>, Vec<Diagnostic>);

/// The tree of a file that can be read.
fn readable(source: &Source) -> Read {
    match source.origin() {
        Origin::Unreadable(_) => (None, Vec::new()),
        _ => yaml::parse(source),
    }
}

/// A file that a contract names as a part of itself is never judged as one.
fn part(
    file: u32,
    source: &Source,
    (root, found): Read,
    owner: &Source,
    findings: &mut Findings<'_>,
) -> Parsed {
    findings.is_translation(file);
    findings.extend(file, found);
    Parts::tell(file, root.as_ref(), owner, findings);
    let (normal, verdict, dialect) = (None, Verdict::Inert, dialect::SUBCONTRACT);
    Parsed { file, stem: stem(&source.path), dialect, root: None, normal, verdict }
}

/// Reads one file; what is wrong with its text is reported, and whether it is no contract.
fn parse(
    file: u32,
    source: &Source,
    (root, found): Read,
    findings: &mut Findings<'_>,
) -> Option<Parsed> {
    if let Origin::Unreadable(why) = source.origin() {
        let message = format!("the file cannot be read: {why}");
        findings.refuse(code::UNREADABLE_FILE, At::new(file, &(0..0)), message);
        findings.is_unread(file);
        return None;
    }
    if *source.origin() == Origin::Met && !other::is_contract(source, root.as_ref(), &found) {
        other::tell((file, source), root.as_ref(), found, findings);
        return None;
    }
    let root = root.filter(|root| matches!(root.tree, yaml::Tree::Map(_)));
    if root.is_none() {
        findings.is_unread(file);
    }
    let dialect = root.as_ref().map_or(dialect::NORMAL, dialect::recognise);
    if dialect != dialect::NORMAL {
        findings.is_translation(file);
    } else if root.as_ref().is_some_and(|root| root.get("handler_routing").is_some()) {
        // It runs elsewhere: what is wrong with it must not keep the others from running here.
        findings.judge_mildly(file);
    }
    findings.extend(file, found);
    let (normal, verdict) = (None, Verdict::Native);
    Some(Parsed { file, stem: stem(&source.path), dialect, root, normal, verdict })
}

impl Parsed {
    /// Translates a file of an old dialect; what is wrong with it or left out is reported.
    fn translate(&mut self, host: &HostValues, findings: &mut Findings<'_>) {
        let Some(root) = self.root.as_ref().filter(|_| self.dialect != dialect::NORMAL) else {
            return;
        };
        let mut reading = Reading::new(self.file, findings);
        let translated = dialect::translate(&mut reading, root, self.dialect, &self.stem, host);
        self.normal = translated.root;
        self.verdict = translated.verdict;
        // What was found so far is not part of the normal form, so it does not keep it from running.
        findings.take_at_fault();
    }
}

/// `order` of `contracts/order.contract.yaml`; the folder's name of `order/contract.yaml`.
fn stem(path: &str) -> String {
    let path = Path::new(path);
    let text =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let file = text(path.file_name()).unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    if stem != "contract" {
        return stem.to_owned();
    }
    text(path.parent().and_then(Path::file_name)).unwrap_or_else(|| stem.to_owned())
}
