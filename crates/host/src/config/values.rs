//! `[config]` and `[config.<node>]`: values for contracts, overridden by `ONEX_CONFIG__X` and
//! `ONEX_CONFIG__NODE__X`.

use std::collections::BTreeMap;

use onex_expr::Value;

use super::layers::Layers;

/// Values by node (`""`: for every node), then name.
pub type Values = BTreeMap<String, BTreeMap<String, Value>>;

/// Reads the section. A table in it is both a value of that name and the values of that node:
/// only contracts know which names are nodes.
pub fn read(layers: &Layers) -> Values {
    let mut values = Values::new();
    for (name, value, origin) in layers.free_section("config") {
        if let Some(table) = value.as_map() {
            let node = values.entry(name.clone()).or_default();
            for (key, inner) in table.iter() {
                if let onex_expr::Key::String(key) = key {
                    node.insert(key.to_string(), inner.clone());
                }
            }
        }
        layers.note(format!("config.{name}"), value.clone(), origin);
        values.entry(String::new()).or_default().insert(name, value);
    }
    for (name, text, origin) in layers.free_variables("config") {
        let value = Value::text(text);
        match name.split_once("__") {
            Some((node, key)) => {
                let node = known(values.keys(), node);
                let of_node = values.entry(node.clone()).or_default();
                let key = known(of_node.keys(), key);
                layers.note(format!("config.{node}.{key}"), value.clone(), origin);
                of_node.insert(key, value);
            }
            None => {
                let names = values.values().flat_map(BTreeMap::keys);
                let key = known(names, &name);
                layers.note(format!("config.{key}"), value.clone(), origin);
                override_everywhere(&mut values, &key, value);
            }
        }
    }
    values
}

/// Environments shout; a name is as the file writes it, else in lower case.
fn known<'a>(mut names: impl Iterator<Item = &'a String>, shouted: &str) -> String {
    let same = |name: &&String| name.eq_ignore_ascii_case(shouted);
    names.find(same).cloned().unwrap_or_else(|| shouted.to_lowercase())
}

fn override_everywhere(values: &mut Values, key: &str, value: Value) {
    for (node, of_node) in &mut *values {
        if !node.is_empty() && of_node.contains_key(key) {
            of_node.insert(key.to_owned(), value.clone());
        }
    }
    let everywhere = values.entry(String::new()).or_default();
    everywhere.insert(key.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::super::file::File;
    use super::*;

    #[test]
    fn the_environment_wins_over_a_node_over_every_node() {
        let file =
            "[config]\nlimit = 1\ngateway = \"g\"\n[config.payment]\nlimit = 2\nretries = 3\n";
        let file = File::parse("onex.toml".into(), file).expect("the file is TOML");
        let environment = [
            ("ONEX_CONFIG__LIMIT", "9"),
            ("ONEX_CONFIG__PAYMENT__RETRIES", "7"),
            ("ONEX_CONFIG__NEW_ONE", "x"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let values = read(&Layers::new(Some(file), environment, Vec::new()));
        let get = |node: &str, key: &str| values[node][key].clone();
        assert_eq!(get("", "limit"), Value::text("9"));
        assert_eq!(get("payment", "limit"), Value::text("9"));
        assert_eq!(get("payment", "retries"), Value::text("7"));
        assert_eq!(get("", "gateway"), Value::text("g"));
        assert_eq!(get("", "new_one"), Value::text("x"));
    }
}
