//! Every example passes the check that the host makes before it starts.

use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_expr::Value;

#[test]
fn the_contracts_of_every_example_pass_without_a_warning() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut checked = 0;
    for entry in std::fs::read_dir(&examples).expect("the examples are there") {
        let folder = entry.expect("readable").path();
        let sources = onex_contract::load_folder(&folder).expect("readable");
        let report = onex_contract::check(&sources, &onex_effects::catalog(), &values(&folder));
        let faults: Vec<String> = report
            .diagnostics
            .iter()
            .filter(|finding| finding.severity != Severity::Note)
            .map(|d| format!("{}:{}:{}: {} {}", d.file, d.line, d.column, d.code, d.message))
            .collect();
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
        assert!(report.graph.is_some(), "{}", folder.display());
        assert!(report.nodes.iter().all(|node| node.status == "native"));
        checked += 1;
    }
    assert!(checked > 0);
}

/// `[config]` of the example's `onex.toml`, as text values.
fn values(folder: &Path) -> HostValues {
    let text = std::fs::read_to_string(folder.join("onex.toml")).expect("an onex.toml");
    let file: toml::Table = text.parse().expect("TOML");
    let config = file["config"].as_table().expect("[config]");
    let everywhere = config
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), Value::text(value.as_str()?))))
        .collect();
    HostValues {
        config: [(String::new(), everywhere)].into(),
        strict: true,
        ..HostValues::default()
    }
}
