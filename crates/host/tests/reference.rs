//! Pages of `docs/reference` that the binary prints itself: the command line, the schema of
//! contracts, the API. `UPDATE=1` writes them anew.

mod support;

use std::fs;
use std::path::Path;

use onex_expr::Value;
use support::{onex, run};

fn compare(page: &str, answer: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(page);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, answer).expect("a page can be written");
    } else {
        let page = fs::read_to_string(&path).unwrap_or_default();
        assert!(page == answer, "{} is old: run the test with UPDATE=1", path.display());
    }
}

fn printed(arguments: &[&str]) -> String {
    let output = run(onex().args(arguments));
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// The commands that a help page lists.
fn commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

fn pages(path: &[&str], out: &mut String) {
    let mut arguments = path.to_vec();
    arguments.push("--help");
    let help = printed(&arguments);
    let heading = if path.is_empty() { "#" } else { "##" };
    let name = [&["onex"], path].concat().join(" ");
    out.push_str(&format!("{heading} {name}\n\n```text\n{}\n```\n\n", help.trim_end()));
    for command in commands(&help) {
        pages(&[path, &[command]].concat(), out);
    }
}

#[test]
fn the_command_line_is_described() {
    let mut page = String::new();
    pages(&[], &mut page);
    compare("cli.md", &(page.trim_end().to_owned() + "\n"));
}

#[test]
fn the_schema_of_contracts_is_there_to_be_linked() {
    compare("contract.schema.json", &indented(&printed(&["schema"])));
}

/// JSON as people read it.
fn indented(json: &str) -> String {
    let mut out = String::new();
    write(&support::parse(json.as_bytes()), 0, &mut out);
    out + "\n"
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let inner = "  ".repeat(depth + 1);
    let is_flat = |value: &Value| value.to_json().len() <= 100;
    match value {
        Value::Map(map) if !is_flat(value) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                let onex_expr::Key::String(name) = key else { panic!("a key is text") };
                let comma = if index > 0 { "," } else { "" };
                out.push_str(&format!(
                    "{comma}\n{inner}{}: ",
                    Value::text(name.as_str()).to_json()
                ));
                write(value, depth + 1, out);
            }
            out.push_str(&format!("\n{}}}", "  ".repeat(depth)));
        }
        Value::List(items) if !is_flat(value) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                out.push_str(&format!("{comma}\n{inner}"));
                write(item, depth + 1, out);
            }
            out.push_str(&format!("\n{}]", "  ".repeat(depth)));
        }
        _ => out.push_str(&value.to_json()),
    }
}
