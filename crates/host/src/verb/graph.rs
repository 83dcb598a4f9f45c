//! `onex graph`: the system as a picture, or as a description of its messages.

use std::path::{Path, PathBuf};

use clap::Args;
use onex_contract::export::{Picture, asyncapi, dot, json, mermaid, svg};
use onex_contract::load_folder;

use crate::fault::{Exit, Fault};
use crate::print;

/// In what form the system is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A Mermaid flowchart, for Markdown pages
    Mermaid,
    /// For Graphviz
    Dot,
    /// For programs
    Json,
    /// A drawing
    Svg,
    /// An AsyncAPI 3.0 document: topics, who sends and receives, schemas
    Asyncapi,
}

/// What `onex graph` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
It draws contracts as far as they can be read; `onex check` says what is wrong with them.
  onex graph --format svg > system.svg
  onex graph contracts --format asyncapi > asyncapi.json")]
pub struct Arguments {
    /// A contract file, or a folder with contracts
    #[arg(default_value = ".")]
    path: PathBuf,
    /// In what form
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Format,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let path = &arguments.path;
    let sources = load_folder(path).map_err(|error| Fault::no(error.to_string()))?;
    let picture = Picture::of(&sources);
    if picture.nodes.is_empty() {
        let what = format!("there is no contract to draw below {}", path.display());
        return Err(Fault::no(what).help("`onex check` says why"));
    }
    match arguments.format {
        Format::Mermaid => print::text(mermaid::render(&picture))?,
        Format::Dot => print::text(dot::render(&picture))?,
        Format::Svg => print::text(svg::render(&picture))?,
        Format::Json => print::value(&json::value(&picture))?,
        Format::Asyncapi => {
            let title = title(path);
            let info = asyncapi::Info { title: &title, version: env!("CARGO_PKG_VERSION") };
            print::value(&asyncapi::document(&picture, info))?;
        }
    }
    Ok(Exit::Done)
}

/// The system's name: that of the folder it stands in.
fn title(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let named = full.ancestors().find(|folder| {
        folder.file_name().is_some_and(|name| name != "contracts") && folder.is_dir()
    });
    let name = named.and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().into_owned()
}
