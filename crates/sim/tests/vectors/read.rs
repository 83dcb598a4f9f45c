//! Reads vectors and rules.

use std::fs;
use std::path::{Path, PathBuf};

use onex_contract::source::Source;
use onex_contract::yaml;
use onex_expr::Value;

/// One vector.
pub struct Vector {
    /// `area/file/case`.
    pub name: String,
    /// Ids of the rules that it pins.
    pub pins: Vec<String>,
    /// The contracts, as values.
    pub contracts: Vec<Value>,
    /// Everything it says, the file's own keys being defaults.
    pub says: Value,
}

/// One rule of the language.
pub struct Rule {
    pub id: String,
    pub section: String,
    pub text: String,
}

/// The folder of vectors.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

/// Every vector, by name.
pub fn all() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for area in sorted(&root()).into_iter().filter(|path| path.is_dir()) {
        for file in sorted(&area).into_iter().filter(|path| stem(path).1 == "yaml") {
            let name = format!("{}/{}", stem(&area).0, stem(&file).0);
            let value = parse(&file);
            for case in list(&value, "cases") {
                let says = merged(&value, &case);
                let own = list(&case, "contracts");
                let contracts = if own.is_empty() { list(&value, "contracts") } else { own };
                let with = list(&case, "with");
                let text =
                    |key: &str| says.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
                let pins = list(&says, "pins");
                vectors.push(Vector {
                    name: format!("{name}/{}", text("case").replace(' ', "-")),
                    pins: pins.iter().filter_map(|pin| pin.as_str().map(str::to_owned)).collect(),
                    contracts: replaced(contracts, with),
                    says,
                });
            }
        }
    }
    assert!(!vectors.is_empty(), "no vector was found");
    vectors
}

/// Every rule, in the order written.
pub fn rules() -> Vec<Rule> {
    let value = parse(&root().join("rules.yaml"));
    let sections = value.as_list().expect("rules.yaml is a list of sections");
    let mut rules = Vec::new();
    for section in sections {
        let name = section.get("section").and_then(Value::as_str).expect("a section has a name");
        for (id, text) in section.get("rules").and_then(Value::as_map).expect("rules").iter() {
            rules.push(Rule {
                id: id.as_str().expect("an id is text").to_owned(),
                section: name.to_owned(),
                text: text.as_str().expect("a rule is text").to_owned(),
            });
        }
    }
    rules
}

/// The items of a list under a key; a value alone is a list of one.
pub fn list(value: &Value, key: &str) -> Vec<Value> {
    match value.get(key) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.iter().cloned().collect(),
        Some(other) => vec![other.clone()],
    }
}

/// Contracts of which those with the same name are replaced.
pub fn replaced(mut contracts: Vec<Value>, with: Vec<Value>) -> Vec<Value> {
    for one in with {
        contracts.retain(|other| other.get("name") != one.get("name"));
        contracts.push(one);
    }
    contracts
}

fn merged(file: &Value, case: &Value) -> Value {
    let mut all = file.as_map().expect("a file of vectors is a map").clone();
    for (key, value) in case.as_map().expect("a case is a map").iter() {
        all.insert(key.clone(), value.clone());
    }
    Value::Map(all.into())
}

fn parse(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let name = path.display().to_string();
    let (root, faults) = yaml::parse_any(&Source::new(name.as_str(), text));
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    root.unwrap_or_else(|| panic!("{name} is empty")).to_value()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of vectors is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|e| e.expect("an entry can be read").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> (String, String) {
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    (text(path.file_stem()), text(path.extension()))
}
