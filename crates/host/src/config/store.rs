//! `[store]`: the data folder and what it keeps; `[ingress] inline_max`: what it keeps beside the log.

use std::path::PathBuf;
use std::time::Duration;

use onex_store::embedded::Options;

use super::layers::Layers;

/// See the module.
#[derive(Clone, Debug)]
pub struct Store {
    /// The data folder.
    pub data: PathBuf,
    /// Whether everything is kept in memory and forgotten at the end.
    pub memory: bool,
    /// Limits of the embedded store.
    pub embedded: Options,
}

impl Store {
    /// Reads the section. The log is kept at least as long as client ids are remembered.
    pub fn read(layers: &Layers, dedupe_window_us: u64) -> Store {
        let defaults = Options::default();
        let age = Duration::from_micros(defaults.log_age_max_micros);
        let age = layers.duration("store.log_age_max", age);
        Store {
            data: PathBuf::from(layers.text("store.data", "./.onex")),
            memory: layers.flag("store.memory", false),
            embedded: Options {
                inline_bytes_max: layers.bytes("ingress.inline_max", defaults.inline_bytes_max),
                log_bytes_max: layers.bytes("store.log_bytes_max", defaults.log_bytes_max),
                log_age_max_micros: u64::try_from(age.as_micros()).unwrap_or(u64::MAX),
                log_keep_micros: dedupe_window_us,
                reserve_bytes: layers.bytes("store.reserve", defaults.reserve_bytes),
                rows_cache_bytes: layers.bytes("store.rows_cache", defaults.rows_cache_bytes),
                blocks_cache_bytes: layers.bytes("store.blocks_cache", defaults.blocks_cache_bytes),
                ..defaults
            },
        }
    }
}
