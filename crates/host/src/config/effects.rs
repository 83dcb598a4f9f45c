//! `[effects.*]`: what effects may reach, and how much they may take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use onex_effects::{Options, filesystem, http};

use super::layers::Layers;

/// Reads the sections. Relative folders are meant from where the configuration file stands; without
/// any, files lie in `files/` of the data folder.
pub fn read(layers: &Layers, beside: &Path, data: &Path) -> Options {
    let http = http::Options::default();
    let files = filesystem::Options::with_folder(data.join("files"));
    let allow = layers.texts("effects.filesystem.allow", &[]);
    let allow: Vec<PathBuf> = allow.iter().map(|folder| beside.join(folder)).collect();
    Options {
        http: http::Options {
            allow: layers.texts_that(
                "effects.http.allow",
                &["loopback"],
                "a list of \"loopback\", \"host:port\" and networks such as \"10.0.0.0/8\"",
                http::is_target,
            ),
            response_bytes_max: layers
                .bytes_count("effects.http.response_max", http.response_bytes_max),
        },
        filesystem: filesystem::Options {
            allow: if allow.is_empty() { files.allow } else { allow },
            file_bytes_max: layers.bytes("effects.filesystem.file_max", files.file_bytes_max),
            entries_max: layers.count("effects.filesystem.entries_max", files.entries_max),
        },
    }
}

/// What each kind of effect may reach, as contracts are held against it: a folder as it is named
/// and as the system knows it.
pub fn reached(effects: &Options) -> BTreeMap<String, Vec<String>> {
    let named = effects.filesystem.allow.iter().filter_map(|path| std::path::absolute(path).ok());
    let real = effects.filesystem.allow.iter().filter_map(|path| path.canonicalize().ok());
    let folders = named.chain(real).map(|path| path.to_string_lossy().into_owned());
    [("http".to_owned(), effects.http.allow.clone()), ("filesystem".to_owned(), folders.collect())]
        .into()
}
