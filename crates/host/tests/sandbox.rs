//! The limits that an old file puts on the paths of an operation, in a running host: within them a
//! file is read, beyond them the attempt fails and nothing is touched.

mod support;

use onex_expr::Value;
use support::Host;

/// As older dialects write it.
const READER: &str = r#"
name: reader
node_type: EFFECT_GENERIC
contract_version: 1.0.0
effect_operations:
  operations:
    - operation_name: read_one
      io_config:
        handler_type: filesystem
        operation: read
        file_path_template: "${input.path}"
        security:
          allowed_base_paths: ["./open"]
          require_path_under_base: true
          validate_extension: [.yaml]
          path_validation: {enabled: true, deny_patterns: ["~", "*draft*"], deny_absolute_paths: true}
"#;

const FETCH: &str = r#"
name: fetch
node_type: orchestrator
contract_version: 1.0.0
description: Reads one file.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: fetch, timeout_ms: 60000}
    execution_graph:
      nodes:
        - node_id: read
          step_config: {effect_node: reader, operation: read_one, input: {path: "${input.path}"}}
"#;

#[test]
fn a_file_is_read_within_the_limits_of_its_operation_only() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    let files = folder.path().join("data/files");
    std::fs::create_dir_all(&contracts).expect("a folder can be made");
    std::fs::create_dir_all(files.join("open")).expect("a folder can be made");
    for (name, text) in [("reader.yaml", READER), ("fetch.yaml", FETCH)] {
        std::fs::write(contracts.join(name), text).expect("a file can be written");
    }
    for name in ["open/a.yaml", "open/a.txt", "open/a-draft.yaml", "open~.yaml", "shut.yaml"] {
        std::fs::write(files.join(name), "treasure").expect("a file can be written");
    }
    let host = Host::start_with(&contracts, folder.path(), &[], &[]);
    let fetch = |path: &str| {
        let input = format!(r#"{{"path": "{path}"}}"#);
        host.post("/v1/workflows/fetch?wait=30s", &input).json()
    };
    let status = |run: &Value| run.get("status").and_then(Value::as_str).map(str::to_owned);

    let read = fetch("open/a.yaml");
    assert_eq!(status(&read).as_deref(), Some("completed"), "{}", read.to_json());
    assert!(read.to_json().contains("treasure"));
    for beyond in [
        "shut.yaml",
        "open/../shut.yaml",
        "./open/../shut.yaml",
        "open/a.txt",
        "open/a-draft.yaml",
        "open~.yaml",
        "/etc/hostname.yaml",
        "",
    ] {
        let run = fetch(beyond);
        assert_eq!(status(&run).as_deref(), Some("failed"), "{beyond}: {}", run.to_json());
        assert!(!run.to_json().contains("treasure"), "{beyond}");
    }
}
