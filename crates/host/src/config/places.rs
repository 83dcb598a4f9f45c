//! Where the values for contracts were given, so that check can say what nothing reads.

use std::collections::BTreeMap;

use onex_contract::catalog::Place;
use onex_contract::source::Source;

use super::setting::Origin;

/// Places by key, as check shows them.
pub fn of(origins: &BTreeMap<String, Origin>) -> BTreeMap<String, Place> {
    origins.iter().filter_map(|(key, origin)| Some((key.clone(), place(origin)?))).collect()
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
