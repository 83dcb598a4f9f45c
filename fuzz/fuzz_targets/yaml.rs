//! Any bytes: read as a contract file and, where that gives a tree, shown and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onex_contract::source::Source;
use onex_contract::{normal, yaml};

fuzz_target!(|bytes: &[u8]| {
    let (node, findings) = yaml::parse(&Source::new("any.yaml", bytes.to_vec()));
    for finding in &findings {
        assert!(finding.span.start <= finding.span.end && finding.span.end <= bytes.len());
    }
    if let Some(node) = node {
        let shown = normal::to_yaml(&node);
        let (again, _) = yaml::parse(&Source::new("shown.yaml", shown.clone()));
        let again = again.expect("what is shown can be read");
        assert_eq!(normal::to_yaml(&again), shown);
    }
});
