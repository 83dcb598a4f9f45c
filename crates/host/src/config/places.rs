//! Where the values for contracts were given, so that check can say what nothing reads.

use std::collections::BTreeMap;

use onex_contract::catalog::Place;
use onex_contract::diagnostic::{Diagnostic, code};
use onex_contract::source::Source;

use super::setting::{Origin, Wrong};

/// Places by key, as check shows them.
pub fn of(origins: &BTreeMap<String, Origin>) -> BTreeMap<String, Place> {
    origins.iter().filter_map(|(key, origin)| Some((key.clone(), place(origin)?))).collect()
}

/// What is wrong with the configuration as findings, and the files that they stand in.
pub fn findings(wrong: &[Wrong]) -> (Vec<Diagnostic>, Vec<Source>) {
    let mut files: Vec<Source> = Vec::new();
    let found = wrong.iter().map(|wrong| {
        let elsewhere = || Place { source: Source::new(wrong.place.to_string(), ""), span: 0..0 };
        let Place { source, span } = place(&wrong.place).unwrap_or_else(elsewhere);
        let found = Diagnostic::error(&source, code::WRONG_SETTING, span, wrong.message.as_str());
        if files.iter().all(|known| known.path != source.path) {
            files.push(source);
        }
        found.with_help(wrong.help.as_deref().unwrap_or("correct the value"))
    });
    (found.collect(), files)
}

fn place(origin: &Origin) -> Option<Place> {
    match origin {
        Origin::File { path, line } => {
            let text = std::fs::read(path).ok()?;
            let lines = text.split_inclusive(|byte| *byte == b'\n');
            let start: usize = lines.clone().take(line - 1).map(<[u8]>::len).sum();
            let length = lines.clone().nth(line - 1).unwrap_or_default().trim_ascii_end().len();
            let source = Source::new(path.to_string_lossy(), text.as_slice());
            Some(Place { source, span: start..start + length })
        }
        Origin::Environment(_) => {
            Some(Place { source: Source::new(origin.to_string(), ""), span: 0..0 })
        }
        Origin::Default | Origin::Argument(_) | Origin::OpenFiles(_) => None,
    }
}
