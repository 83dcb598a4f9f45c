//! Any bytes as contracts, divided by `---` lines: the whole check, twice with one answer.

#![no_main]

#[path = "../../crates/contract/tests/host/mod.rs"]
mod host;

use libfuzzer_sys::fuzz_target;
use onex_contract::catalog::HostValues;
use onex_contract::check;
use onex_contract::source::Source;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split("\n---\n").take(8).enumerate();
    let sources: Vec<Source> = parts
        .map(|(at, part)| Source::new(format!("{at}.yaml").as_str(), part.as_bytes().to_vec()))
        .collect();
    let catalog = host::catalog();
    let host = HostValues::default();
    let first = check(&sources, &catalog, &host);
    let second = check(&sources, &catalog, &host);
    assert_eq!(format!("{:?}", first.diagnostics), format!("{:?}", second.diagnostics));
});
