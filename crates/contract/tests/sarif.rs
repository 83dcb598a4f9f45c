//! What SARIF 2.1.0 (OASIS) and the code hosts that read it ask of a log, written down as a
//! schema, and held against the findings of every failing case.

mod host;

use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::sarif;
use onex_contract::schema::Schema;
use onex_contract::source::Source;
use onex_contract::{check, load_folder};
use onex_expr::Value;

/// Sections 3.13 to 3.30 of the standard, as far as our logs have the parts.
const LOG: &str = r##"{
  "type": "object", "required": ["$schema", "version", "runs"], "additionalProperties": false,
  "properties": {
    "$schema": {"type": "string"}, "version": {"const": "2.1.0"},
    "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/run"}}
  },
  "$defs": {
    "run": {
      "type": "object", "required": ["tool", "results"], "additionalProperties": false,
      "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
          "type": "object", "required": ["name", "semanticVersion", "rules"],
          "properties": {"name": {"const": "onex"}, "rules": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/$defs/rule"}}}
        }}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": {"$ref": "#/$defs/result"}}
      }
    },
    "rule": {
      "type": "object", "required": ["id", "shortDescription", "help"], "additionalProperties": false,
      "properties": {
        "id": {"type": "string", "pattern": "^C[0-9]{4}$"},
        "shortDescription": {"$ref": "#/$defs/message"},
        "help": {"type": "object", "required": ["text", "markdown"]}
      }
    },
    "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
    "result": {
      "type": "object", "required": ["ruleId", "ruleIndex", "level", "message", "locations"], "additionalProperties": false,
      "properties": {
        "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": {"$ref": "#/$defs/message"},
        "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
        "relatedLocations": {"type": "array", "items": {"$ref": "#/$defs/location"}}
      }
    },
    "location": {
      "type": "object", "required": ["physicalLocation"],
      "properties": {
        "message": {"$ref": "#/$defs/message"},
        "physicalLocation": {"type": "object", "required": ["artifactLocation", "region"], "properties": {
          "artifactLocation": {"type": "object", "required": ["uri"], "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9/._~%-]+$"}}},
          "region": {"type": "object", "required": ["startLine", "startColumn", "endLine", "endColumn"], "additionalProperties": {"type": "integer", "minimum": 1}}
        }}
      }
    }
  }
}"##;

/// Every failing case of every family, each file under a relative path.
fn failing_cases() -> Vec<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut bad = Vec::new();
    collect(&root, &mut bad);
    bad.sort();
    let read = |folder: &PathBuf| -> Vec<Source> {
        let files = std::fs::read_dir(folder).expect("a case has files");
        let mut files: Vec<PathBuf> =
            files.map(|file| file.expect("a folder can be listed").path()).collect();
        files.sort();
        let named = |source: Source| {
            let path = Path::new(&*source.path).strip_prefix(&root).expect("it is inside");
            let path = path.display().to_string();
            source.at(path)
        };
        let sources = files.iter().flat_map(|file| load_folder(file).expect("a case can be read"));
        sources.map(named).collect()
    };
    bad.iter().map(read).collect()
}

fn collect(folder: &Path, bad: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name == "bad") {
            bad.push(path);
        } else if path.is_dir() {
            collect(&path, bad);
        }
    }
}

#[test]
fn every_log_is_as_the_standard_asks() {
    let schema = Schema::from_json(LOG).expect("the schema compiles");
    let cases = failing_cases();
    assert!(cases.len() > 50, "only {} cases", cases.len());
    for sources in cases {
        let checked = check(&sources, &host::catalog(), &HostValues::default());
        let log = sarif::log(&checked.diagnostics, "1.0.0");
        let verdict = schema.validate(&log);
        assert!(verdict.is_ok(), "{verdict:?}\n{}", log.to_json());
        rules_and_results_agree(&log);
    }
}

/// `ruleIndex` points at the rule that `ruleId` names, and every rule is used.
fn rules_and_results_agree(log: &Value) {
    let run = &log.get("runs").and_then(Value::as_list).expect("runs")[0];
    let rules = run.get_path(["tool", "driver", "rules"]).and_then(Value::as_list);
    let rules = rules.unwrap_or_default();
    let results = run.get("results").and_then(Value::as_list).unwrap_or_default();
    let mut used = vec![false; rules.len()];
    for result in results {
        let index = result.get("ruleIndex").and_then(Value::as_int).expect("an index");
        let index = usize::try_from(index).expect("from 0");
        assert_eq!(rules[index].get("id"), result.get("ruleId"));
        used[index] = true;
    }
    assert!(used.iter().all(|used| *used), "{}", log.to_json());
}
