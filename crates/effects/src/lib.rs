//! Effect kinds: what a host can do to the world outside, one folder each.
//!
//! In reading order: [`catalog`] tells contracts which kinds there are, [`build`] makes them,
//! [`echo`], [`filesystem`] and [`http`] perform one attempt each. Retries, breakers, deadlines,
//! topics and the log are not known here, so a handler cannot publish.

pub mod catalog;
pub mod echo;
mod fault;
pub mod filesystem;
pub mod http;

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_expr::{Value, json};
use onex_kernel::port::Effect;

pub use catalog::catalog;

/// What the host allows and how much.
#[derive(Clone, Debug)]
pub struct Options {
    /// `[effects.http]`
    pub http: http::Options,
    /// `[effects.filesystem]`
    pub filesystem: filesystem::Options,
}

impl Options {
    /// What holds when the host configures nothing: loopback, and one folder for files.
    pub fn with_folder(folder: impl Into<std::path::PathBuf>) -> Options {
        Options {
            http: http::Options::default(),
            filesystem: filesystem::Options::with_folder(folder),
        }
    }
}

/// Why the kinds could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// An entry of `[effects.http] allow` is neither `loopback`, `host:port` nor a network.
    Allow {
        /// The entry.
        entry: String,
    },
    /// The HTTP client could not be made.
    Client(reqwest::Error),
    /// `[effects.filesystem] allow` is empty.
    NoFolder,
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BuildError::Allow { entry } => write!(
                f,
                "`{entry}` in [effects.http] allow is neither \"loopback\", \"host:port\" nor a \
                 network such as \"10.0.0.0/8\""
            ),
            BuildError::Client(_) => f.write_str("making the HTTP client"),
            BuildError::NoFolder => f.write_str("[effects.filesystem] allow names no folder"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BuildError::Client(source) => Some(source),
            BuildError::Allow { .. } | BuildError::NoFolder => None,
        }
    }
}

/// The kinds of one host. Cheap to clone.
#[derive(Clone)]
pub struct Effects {
    by_kind: Arc<BTreeMap<&'static str, Arc<dyn Effect>>>,
}

impl Effects {
    /// The kind that a contract names as `handler_type`.
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn Effect>> {
        self.by_kind.get(kind)
    }

    /// Every kind with its name, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn Effect>)> {
        self.by_kind.iter().map(|(name, effect)| (*name, effect))
    }
}

/// Makes every kind of the [`catalog`]. Touches neither disk nor network.
pub fn build(options: Options) -> Result<Effects, BuildError> {
    let kinds: [(&'static str, Arc<dyn Effect>); 3] = [
        (echo::NAME, Arc::new(echo::Echo)),
        (filesystem::NAME, Arc::new(filesystem::Filesystem::new(options.filesystem)?)),
        (http::NAME, Arc::new(http::Http::new(options.http)?)),
    ];
    Ok(Effects { by_kind: Arc::new(BTreeMap::from(kinds)) })
}

/// Bytes that are no text, as the text that stands for them in JSON.
fn base64(bytes: Vec<u8>) -> Value {
    let quoted = json::to_string(&Value::Bytes(bytes.into()));
    Value::text(quoted.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_an_effect_for_every_kind_of_the_catalog() {
        let effects = build(Options::with_folder("files")).expect("defaults are valid");
        let built: Vec<_> = effects.iter().map(|(name, _)| name).collect();
        let declared: Vec<_> = catalog().effects.keys().copied().collect();
        assert_eq!(built, declared);
    }
}
