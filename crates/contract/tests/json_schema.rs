//! The schema that editors get and the sections that read contracts know the same keys, and judge
//! the contracts of all other tests alike.

mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::{Diagnostic, Severity, code};
use onex_contract::export::json_schema;
use onex_contract::schema::Schema;
use onex_contract::source::Source;
use onex_contract::yaml::{self, Entry, Node, Tree};
use onex_contract::{check, normal};
use onex_expr::{Key, Value};

/// Every contract in the normal form among the tests, by path.
fn contracts() -> Vec<(PathBuf, Node)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    for folder in ["example", "json_schema"] {
        collect(&tests.join(folder), &mut files);
    }
    let families = [
        "section",
        "identity",
        "reducer",
        "workflow",
        "effect",
        "topic",
        "expression",
        "host",
        "system",
    ];
    for family in families {
        collect(&tests.join("cases").join(family), &mut files);
    }
    collect(&tests.join("../../../examples"), &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("a case can be read");
        Some((path, contract(Source::new("a.yaml", bytes))?))
    };
    let mut seen = BTreeSet::new();
    let all = files.into_iter().filter_map(read).chain(of_vectors());
    all.filter(|(_, root)| seen.insert(root.to_value().to_json())).collect()
}

/// The contracts of the vectors of the language, with what they may leave out.
fn of_vectors() -> Vec<(PathBuf, Node)> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors"), &mut files);
    let mut found = Vec::new();
    for path in files {
        let source = Source::new("a.yaml", std::fs::read(&path).expect("a vector can be read"));
        let root = yaml::parse(&source).0.expect("a vector is YAML");
        let cases = root.get("cases").map(Node::items).unwrap_or_default();
        for part in [&root].into_iter().chain(cases) {
            let lists = ["contracts", "with"].into_iter().filter_map(|key| part.get(key));
            for listed in lists.flat_map(Node::items) {
                let mut whole = listed.clone();
                if let Tree::Map(entries) = &mut whole.tree
                    && !entries.iter().any(|entry| entry.key == "contract_version")
                {
                    let value = Node::new(Tree::String("1.0.0".into()));
                    entries.push(Entry { key: "contract_version".into(), key_span: 0..0, value });
                }
                let whole = contract(Source::new("a.yaml", normal::to_yaml(&whole)));
                found.extend(whole.map(|contract| (path.clone(), contract)));
            }
        }
    }
    assert!(!found.is_empty(), "the vectors have contracts");
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

/// The tree of a contract in the normal form that says what kind of node it is.
fn contract(source: Source) -> Option<Node> {
    let root = yaml::parse(&source).0.filter(|root| matches!(root.tree, Tree::Map(_)))?;
    let kinds = ["effect", "compute", "reducer", "orchestrator"];
    let checked = check(&[source], &host::catalog(), &HostValues::default());
    let is_normal = checked.nodes.iter().all(|node| node.dialect == "normal");
    let kind = root.get("node_type").and_then(Node::as_str).unwrap_or_default();
    (is_normal && kinds.contains(&kind)).then_some(root)
}

fn findings(root: &Node) -> Vec<Diagnostic> {
    let source = Source::new("a.yaml", normal::to_yaml(root));
    check(&[source], &host::catalog(), &HostValues::default()).diagnostics
}

fn keys(map: &Value) -> Vec<String> {
    let entries = map.as_map().into_iter().flat_map(|map| map.iter());
    let name = |(key, _): &(Key, Value)| match key {
        Key::String(name) => Some(name.to_string()),
        _ => None,
    };
    entries.filter_map(name).collect()
}

/// A mapping in a contract and the definition that describes it (empty: the whole contract).
struct Spot {
    definition: String,
    path: Vec<usize>,
}

fn spots(
    node: &Node,
    schema: &Value,
    name: &str,
    root: &Value,
    path: &[usize],
    out: &mut Vec<Spot>,
) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.strip_prefix("#/$defs/").expect("a reference to a definition");
        let target = root.get("$defs").and_then(|defs| defs.get(name)).expect("it is there");
        return spots(node, target, name, root, path, out);
    }
    let choices = schema.get("anyOf").and_then(Value::as_list).unwrap_or_default();
    for choice in choices {
        spots(node, choice, "", root, path, out);
    }
    let below = |at: usize| path.iter().copied().chain([at]).collect::<Vec<_>>();
    if let (Some(items), Tree::List(list)) = (schema.get("items"), &node.tree) {
        for (at, item) in list.iter().enumerate() {
            spots(item, items, "", root, &below(at), out);
        }
    }
    let (Some(properties), Tree::Map(entries)) = (schema.get("properties"), &node.tree) else {
        return;
    };
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        out.push(Spot { definition: name.to_owned(), path: path.to_owned() });
    }
    for (at, entry) in entries.iter().enumerate() {
        if let Some(inner) = properties.get(&entry.key) {
            spots(&entry.value, inner, "", root, &below(at), out);
        }
    }
}

/// The contract with one more key in the mapping at this path.
fn with_key(root: &Node, path: &[usize], key: &str) -> Node {
    let mut changed = root.clone();
    let mut at = &mut changed;
    for step in path {
        at = match &mut at.tree {
            Tree::Map(entries) => &mut entries[*step].value,
            Tree::List(items) => &mut items[*step],
            _ => panic!("a path leads through mappings and lists"),
        };
    }
    if let Tree::Map(entries) = &mut at.tree {
        entries.retain(|entry| entry.key != key);
        let value = Node::new(Tree::Int(1));
        entries.push(Entry { key: key.into(), key_span: 0..0, value });
    }
    changed
}

/// A key that makes a contract one of another dialect.
const OF_OTHERS: &str = "projector_kind";

/// A key that is near to no other.
const STRANGE: &str = "qqqqqqqqqqqqqqqqqqqq";

/// The keys that a section reads, as it tells who gives it a strange one.
fn read_keys(found: &[Diagnostic]) -> Option<Vec<String>> {
    let unknown = found
        .iter()
        .find(|finding| finding.code == code::UNKNOWN_KEY && finding.message.contains(STRANGE))?;
    let list = unknown.help.as_deref()?.strip_prefix("known keys are ")?;
    Some(list.split(", ").map(|key| key.trim_matches('`').to_owned()).collect())
}

#[test]
fn sections_and_schema_know_the_same_keys() {
    let schema = json_schema::document(None);
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut where_met: BTreeMap<String, Vec<(Node, Vec<usize>)>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (path, root) in contracts() {
        let mut found = Vec::new();
        spots(&root, &schema, "", &schema, &[], &mut found);
        for spot in found {
            let mapping = at_path(&root, &spot.path);
            let mut given: Vec<&str> = mapping.entries().iter().map(|e| e.key.as_str()).collect();
            given.sort_unstable();
            if !seen.insert((spot.definition.clone(), given.join(" "))) {
                continue;
            }
            let answer = findings(&with_key(&root, &spot.path, STRANGE));
            // A section that could not be read at all tells nothing about its keys.
            let Some(keys) = read_keys(&answer) else {
                let has_errors = answer.iter().any(|found| found.severity == Severity::Error);
                assert!(has_errors, "{}: `{}` takes any key", path.display(), spot.definition);
                continue;
            };
            read.entry(spot.definition.clone()).or_default().extend(keys);
            where_met.entry(spot.definition).or_default().push((root.clone(), spot.path));
        }
    }
    let mut wrong = Vec::new();
    for (definition, read) in &read {
        let described = match definition.as_str() {
            "" => &schema,
            name => schema.get("$defs").and_then(|defs| defs.get(name)).expect("it is there"),
        };
        let described: BTreeSet<String> =
            keys(described.get("properties").expect("a mapping")).into_iter().collect();
        let is_refused = |key: &String| {
            where_met[definition].iter().any(|(root, path)| {
                let found = findings(&with_key(root, path, key));
                let name = format!("`{key}`");
                found.iter().any(|f| f.code == code::NOT_BUILT && f.message.contains(&name))
            })
        };
        let unknown = read.difference(&described).filter(|key| *key != OF_OTHERS);
        for key in unknown.filter(|key| !is_refused(key)) {
            wrong.push(format!("{definition}: `{key}` is read and not described"));
        }
        for key in described.difference(read) {
            wrong.push(format!("{definition}: `{key}` is described and not read"));
        }
        for key in described.intersection(read).filter(|key| is_refused(key)) {
            wrong.push(format!("{definition}: `{key}` is described and not built"));
        }
    }
    let all = keys(schema.get("$defs").expect("definitions"));
    let closed = |name: &&String| {
        let definition = schema.get("$defs").and_then(|defs| defs.get(name));
        definition.and_then(|d| d.get("additionalProperties")) == Some(&Value::Bool(false))
    };
    for name in all.iter().filter(closed).filter(|name| !read.contains_key(*name)) {
        wrong.push(format!("no contract of the tests has a {name}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Findings that the schema must have too.
const OF_SHAPE: [&str; 5] = [
    code::UNKNOWN_KEY,
    code::UNQUOTED_EXPRESSION,
    code::WRONG_TYPE,
    code::MISSING_KEY,
    code::NOT_BUILT,
];

#[test]
fn check_and_schema_judge_every_contract_alike() {
    let kinds = [None, Some("effect"), Some("compute"), Some("reducer"), Some("orchestrator")];
    let schemas = kinds.map(|kind| (kind, Schema::from_value(&schema_of(kind)).expect("a schema")));
    let mut wrong = Vec::new();
    for (path, root) in contracts() {
        let found = findings(&root);
        let kind = root.get("node_type").and_then(Node::as_str);
        for (_, schema) in schemas.iter().filter(|(of, _)| of.is_none() || *of == kind) {
            let verdict = schema.validate(&root.to_value());
            // Which kinds of effects there are is the host's to say.
            let of_host = |f: &Diagnostic| f.message.starts_with("`handler_type: ");
            let shape = found.iter().find(|f| OF_SHAPE.contains(&f.code) && !of_host(f));
            let has_errors = found.iter().any(|f| f.severity == Severity::Error);
            match (&verdict, shape) {
                (Ok(()), Some(finding)) => wrong.push(format!(
                    "{}: fits the schema, but {}",
                    path.display(),
                    finding.message
                )),
                (Err(misfits), _) if !has_errors => wrong.push(format!(
                    "{}: passes check, but {} {}",
                    path.display(),
                    misfits[0].at,
                    misfits[0].message
                )),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Values that a key may be given by mistake, or by another habit.
fn odd_values() -> Vec<Tree> {
    let text = |text: &str| Node::new(Tree::String(text.into()));
    vec![
        Tree::Null,
        Tree::Bool(true),
        Tree::Int(0),
        Tree::Int(5),
        Tree::Double(1.5),
        Tree::String("".into()),
        Tree::String("5".into()),
        Tree::List(Vec::new()),
        Tree::List(vec![text("x")]),
        Tree::Map(Vec::new()),
    ]
}

#[test]
fn check_and_schema_judge_odd_values_alike() {
    let document = json_schema::document(None);
    let schema = Schema::from_value(&document).expect("a schema");
    let mut seen = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    for (_, root) in contracts() {
        let mut found = Vec::new();
        spots(&root, &document, "", &document, &[], &mut found);
        let is_new = |spot: &Spot| {
            let keys = at_path(&root, &spot.path).entries().iter();
            keys.map(|e| (spot.definition.clone(), e.key.clone())).any(|key| !seen.contains(&key))
        };
        found.retain(is_new);
        if found.is_empty() || findings(&root).iter().any(|f| OF_SHAPE.contains(&f.code)) {
            continue;
        }
        for spot in found {
            let mapping = at_path(&root, &spot.path);
            for (index, entry) in mapping.entries().iter().enumerate() {
                if !seen.insert((spot.definition.clone(), entry.key.clone())) {
                    continue;
                }
                let path: Vec<usize> = spot.path.iter().copied().chain([index]).collect();
                for odd in odd_values() {
                    let changed = with_value(&root, &path, odd.clone());
                    let answer = findings(&changed);
                    let shape = answer.iter().find(|f| OF_SHAPE.contains(&f.code));
                    let is_error = answer.iter().any(|f| f.severity == Severity::Error);
                    let place = format!("{}.{} as {odd:?}", spot.definition, entry.key);
                    match (schema.validate(&changed.to_value()), shape) {
                        (Ok(()), Some(finding)) => {
                            wrong.insert(format!("{place}: only check: {}", finding.message));
                        }
                        (Err(misfits), None) if !is_error => {
                            let misfit = &misfits[0];
                            wrong.insert(format!("{place}: only the schema: {}", misfit.message));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn at_path<'n>(root: &'n Node, path: &[usize]) -> &'n Node {
    path.iter().fold(root, |node, step| match &node.tree {
        Tree::Map(entries) => &entries[*step].value,
        _ => &node.items()[*step],
    })
}

/// The contract with another value at this path.
fn with_value(root: &Node, path: &[usize], value: Tree) -> Node {
    let mut changed = root.clone();
    let mut at = &mut changed;
    for step in path {
        at = match &mut at.tree {
            Tree::Map(entries) => &mut entries[*step].value,
            Tree::List(items) => &mut items[*step],
            _ => panic!("a path leads through mappings and lists"),
        };
    }
    at.tree = value;
    changed
}

fn schema_of(kind: Option<&str>) -> Value {
    use onex_contract::graph::Kind;
    json_schema::document(kind.map(|kind| match kind {
        "effect" => Kind::Effect,
        "compute" => Kind::Compute,
        "reducer" => Kind::Reducer,
        _ => Kind::Orchestrator,
    }))
}

#[test]
fn the_schema_of_a_kind_has_its_sections_only() {
    let schema = schema_of(Some("reducer"));
    let sections = keys(schema.get("properties").expect("properties"));
    assert!(sections.contains(&"state_machine".to_owned()));
    assert!(!sections.contains(&"effect_operations".to_owned()));
    let definitions = keys(schema.get("$defs").expect("definitions"));
    assert!(!definitions.contains(&"retry_policy".to_owned()), "{definitions:?}");
    assert!(!schema.to_json().contains("x-kinds"));
}
