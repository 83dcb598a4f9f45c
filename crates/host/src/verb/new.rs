//! `onex new`: a project that passes `check` and runs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::fault::{Exit, Fault};
use crate::print;

mod template;

/// What `onex new` takes.
#[derive(Debug, Args)]
#[command(after_help = "  onex new shop --template hello && cd shop && onex run")]
pub struct Arguments {
    /// The folder to make
    dir: PathBuf,
    /// What it begins with
    #[arg(long, value_enum, default_value = "hello")]
    template: Template,
}

/// What a project begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A visitor is greeted: one node of each kind
    Hello,
    /// An order is paid and shipped, or cancelled and undone
    Order,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let dir = &arguments.dir;
    let occupied = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => dir.exists(),
    };
    if occupied {
        let what = format!("{} is not an empty folder", dir.display());
        return Err(Fault::no(what).help("nothing was written; name a folder that is not there"));
    }
    let files = match arguments.template {
        Template::Hello => template::HELLO,
        Template::Order => template::ORDER,
    };
    for (path, text) in files {
        write(&dir.join(path), text)?;
    }
    print::line(format!("{} is ready", dir.display()))?;
    print::note(format!("next: cd {} && onex check && onex run", dir.display()));
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let doing = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Fault::doing(doing(), error))?;
    }
    fs::write(path, text).map_err(|error| Fault::doing(doing(), error))
}
