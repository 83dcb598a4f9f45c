//! Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the changed lines.

use std::collections::BTreeMap;

use onex_expr::Value;

use super::json::number;
use super::{Diagnostic, Severity, code};

/// One log with one run. `version` is that of the program.
pub fn log(diagnostics: &[Diagnostic], version: &str) -> Value {
    let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let places: BTreeMap<&str, usize> = codes.iter().enumerate().map(|(at, c)| (*c, at)).collect();
    let results = diagnostics.iter().map(|d| result(d, places[d.code])).collect();
    let driver = Value::map([
        ("name", Value::text("onex")),
        ("semanticVersion", Value::text(version)),
        ("rules", Value::list(codes.into_iter().map(rule).collect())),
    ]);
    let run = Value::map([
        ("tool", Value::map([("driver", driver)])),
        ("columnKind", Value::text("unicodeCodePoints")),
        ("results", Value::list(results)),
    ]);
    Value::map([
        ("$schema", Value::text("https://json.schemastore.org/sarif-2.1.0.json")),
        ("version", Value::text("2.1.0")),
        ("runs", Value::list(vec![run])),
    ])
}

fn rule(code: &str) -> Value {
    let mut fields = vec![("id", Value::text(code))];
    if let Some(page) = code::page(code) {
        fields.push(("shortDescription", text(page.title())));
        fields.push((
            "help",
            Value::map([("text", Value::text(page.text)), ("markdown", Value::text(page.text))]),
        ));
    }
    Value::map(fields)
}

fn result(diagnostic: &Diagnostic, rule_index: usize) -> Value {
    let message = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let place = Region {
        start: (diagnostic.line, diagnostic.column),
        end: (diagnostic.end_line, diagnostic.end_column),
    };
    let mut fields = vec![
        ("ruleId", Value::text(diagnostic.code)),
        ("ruleIndex", number(rule_index)),
        ("level", Value::text(level(diagnostic.severity))),
        ("message", text(&message)),
        ("locations", Value::list(vec![location(&diagnostic.file, &place, None)])),
    ];
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(|related| {
            let place = Region {
                start: (related.line, related.column),
                end: (related.end_line, related.end_column),
            };
            location(&related.file, &place, Some(&related.message))
        });
        fields.push(("relatedLocations", Value::list(related.collect())));
    }
    Value::map(fields)
}

struct Region {
    start: (usize, usize),
    end: (usize, usize),
}

fn location(file: &str, region: &Region, message: Option<&str>) -> Value {
    let region = Value::map([
        ("startLine", number(region.start.0)),
        ("startColumn", number(region.start.1)),
        ("endLine", number(region.end.0)),
        ("endColumn", number(region.end.1)),
    ]);
    let artifact = Value::map([("uri", Value::text(uri(file)))]);
    let physical = Value::map([("artifactLocation", artifact), ("region", region)]);
    let mut fields = vec![("physicalLocation", physical)];
    if let Some(message) = message {
        fields.push(("message", text(message)));
    }
    Value::map(fields)
}

fn text(text: &str) -> Value {
    Value::map([("text", Value::text(text))])
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a URI reference (RFC 3986): relative as it is, absolute with its scheme.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'\\' => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
