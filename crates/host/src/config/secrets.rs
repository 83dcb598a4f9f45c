//! `[secrets]`: names, and where their values are: `{env = "NAME"}` or `{file = "path"}`.
//! A value never stands in the configuration, is never printed and never logged.

use std::path::{Path, PathBuf};

use onex_expr::{Text, Value};

use super::layers::Layers;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a variable of the environment.
    Environment(String),
    /// In a file, without the line end at its end.
    File(PathBuf),
}

/// A secret's name and place.
#[derive(Clone, Debug)]
pub struct Secret {
    /// As `${secret.NAME}` names it.
    pub name: Text,
    /// Where it is.
    pub place: Place,
}

/// Reads the section.
pub fn read(layers: &Layers, beside: &Path) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for (name, value, origin) in layers.free_section("secrets") {
        let Some(place) = place(&value, beside) else {
            let message = format!("`secrets.{name}` says where the secret is, not what it is");
            let help = "write {env = \"NAME\"} or {file = \"path\"}";
            layers.wrong(&origin, message, Some(help));
            continue;
        };
        layers.note(format!("secrets.{name}"), value, origin);
        secrets.push(Secret { name: name.into(), place });
    }
    secrets
}

fn place(value: &Value, beside: &Path) -> Option<Place> {
    let map = value.as_map().filter(|map| map.len() == 1)?;
    match (map.get("env"), map.get("file")) {
        (Some(name), None) => Some(Place::Environment(name.as_str()?.to_owned())),
        (None, Some(path)) => Some(Place::File(beside.join(path.as_str()?))),
        _ => None,
    }
}

impl Secret {
    /// The value, or why it cannot be had, in words without it.
    pub fn value(&self) -> Result<Text, String> {
        match &self.place {
            Place::Environment(name) => std::env::var(name)
                .map(Text::from)
                .map_err(|_| format!("secret {}: the variable {name} is not set", self.name)),
            Place::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Text::from(text.trim_end_matches(['\r', '\n']))),
                Err(error) => Err(format!("secret {}: {}: {error}", self.name, path.display())),
            },
        }
    }
}
