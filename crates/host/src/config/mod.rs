//! Configuration of one host: `onex.toml`, environment and command line, one file a section.
//!
//! In reading order: [`setting`] a value and where it came from, [`file`] and [`layers`] how keys
//! are found, then the sections.

pub mod effects;
pub mod engine;
pub mod file;
pub mod layers;
pub mod open_files;
pub mod places;
pub mod secrets;
pub mod server;
pub mod setting;
pub mod store;
pub mod unit;
pub mod values;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use onex_contract::catalog::HostValues;

use file::File;
use layers::Layers;
use setting::{Argument, Origin, Setting, Wrong};

/// Everything a host is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: server::Server,
    /// `[engine]` and `[dedupe]`
    pub runtime: onex_runtime::Options,
    /// `[store]` and `[ingress] inline_max`
    pub store: store::Store,
    /// `[effects.*]`
    pub effects: onex_effects::Options,
    /// `[secrets]`
    pub secrets: Vec<secrets::Secret>,
    /// `[config]`
    pub values: values::Values,
    /// Where values for contracts and the list of topics were given, when a folder is checked.
    pub origins: BTreeMap<String, Origin>,
    /// `[ingress] allow`: internal topics that clients may publish to.
    pub ingress_allow: Vec<String>,
    /// Every effective value and where it came from.
    pub settings: Vec<Setting>,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Read(PathBuf, io::Error),
    /// What is wrong in it, in the environment or in the arguments.
    Wrong(Vec<Wrong>),
}

impl Config {
    /// Reads the configuration for contracts at `path`: `file`, else `onex.toml` beside the path.
    pub fn load(
        path: &Path,
        file: Option<&Path>,
        arguments: Vec<Argument>,
    ) -> Result<Config, ConfigError> {
        let found = match file {
            Some(file) => Some(file.to_owned()),
            None => beside(path),
        };
        let (parsed, folder) = match found {
            Some(found) => {
                let text = std::fs::read_to_string(&found)
                    .map_err(|error| ConfigError::Read(found.clone(), error))?;
                let folder = found.parent().unwrap_or(Path::new("")).to_owned();
                let parsed = File::parse(found, &text);
                let parsed = parsed.map_err(|wrong| ConfigError::Wrong(vec![wrong]))?;
                (Some(parsed), folder)
            }
            None => (None, PathBuf::new()),
        };
        let mut config = Config::read(Layers::new(parsed, variables(), arguments), &folder)?;
        if !path.is_dir() {
            // What other contracts of the same host take is not known.
            config.origins.clear();
        }
        Ok(config)
    }

    fn read(layers: Layers, beside: &Path) -> Result<Config, ConfigError> {
        let mut server = server::Server::read(&layers);
        let mut runtime = engine::read(&layers);
        let store = store::Store::read(&layers, runtime.engine.dedupe_window_us);
        let effects = effects::read(&layers, beside, &store.data);
        let secrets = secrets::read(&layers, beside);
        let ingress_allow = layers.texts("ingress.allow", &[]);
        let values = values::read(&layers);
        let origins = layers.origins_below(&["config", "ingress"]);
        let (mut settings, wrong) = layers.finish();
        if !wrong.is_empty() {
            return Err(ConfigError::Wrong(wrong));
        }
        let most = open_files::most();
        let (connections, attempts) = open_files::shares(most);
        let mut bound = |limit: &mut usize, share, key| {
            open_files::bound(limit, share, key, most, &mut settings);
        };
        bound(&mut server.connections_max, connections, "server.connections_max");
        bound(&mut runtime.attempts_max, attempts, "engine.attempts_max");
        Ok(Config {
            server,
            runtime,
            store,
            effects,
            secrets,
            values,
            origins,
            ingress_allow,
            settings,
        })
    }

    /// What contracts may see of the host. `strict`: a missing value is an error.
    pub fn host_values(&self, strict: bool) -> HostValues {
        HostValues {
            config: self.values.clone(),
            env: variables().collect(),
            places: places::of(&self.origins),
            ingress_allow: self.ingress_allow.clone(),
            allow: effects::reached(&self.effects),
            secrets: self.secrets.iter().map(|secret| secret.name.to_string()).collect(),
            strict,
        }
    }
}

/// Variables of the environment that are text; others cannot be meant for us.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// `onex.toml` in the folder of contracts, beside it, or in the current folder.
fn beside(path: &Path) -> Option<PathBuf> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let above =
        folder.file_name().filter(|name| *name == "contracts").and_then(|_| folder.parent());
    [Some(folder), above]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("onex.toml"))
        .find(|file| file.is_file())
}
