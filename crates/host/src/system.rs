//! Contracts as a system: found on disk, checked against what this host can perform.

use std::path::{Path, PathBuf};

use onex_contract::diagnostic::{Severity, human};
use onex_contract::source::Source;
use onex_contract::{Checked, load_folder};

use crate::compose;
use crate::config::setting::Argument;
use crate::config::{Config, ConfigError};
use crate::fault::Fault;
use crate::print;

/// The deepest folder that is looked into.
const DEPTH_MAX: usize = 32;

/// Contracts with what was found in them.
pub struct System {
    /// The files.
    pub sources: Vec<Source>,
    /// What checking gave.
    pub checked: Checked,
}

impl System {
    /// Reads and checks everything at these paths. `strict`: a missing host value is an error.
    pub fn load(paths: &[PathBuf], config: &Config, strict: bool) -> Result<System, Fault> {
        let mut sources: Vec<Source> = Vec::new();
        for path in paths {
            for source in read(path)? {
                if sources.iter().all(|known| known.path != source.path) {
                    sources.push(source);
                }
            }
        }
        let host = config.host_values(strict);
        let checked = onex_contract::check(&sources, &compose::catalog(), &host);
        Ok(System { sources, checked })
    }

    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let findings = &self.checked.diagnostics;
        findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Every finding for people.
    pub fn findings(&self, colour: bool) -> String {
        let options = human::Options { colour, ..human::Options::default() };
        human::render(&self.checked.diagnostics, &self.sources, options)
    }
}

fn read(path: &Path) -> Result<Vec<Source>, Fault> {
    refuse_unreadable(path, DEPTH_MAX)?;
    let found = load_folder(path).map_err(|error| Fault::no(error.to_string()))?;
    if found.is_empty() {
        let what = format!("there are no contracts below {}", path.display());
        let help = "contracts are `contract.yaml`, `*.contract.yaml`, and every `*.yaml` in a \
                    folder named `contracts`; `onex new hello` makes some";
        return Err(Fault::no(what).help(help));
    }
    Ok(found)
}

/// Refuses what has the name of a contract and is neither a file nor a folder, such as a link that
/// leads nowhere: loading would pass it over.
fn refuse_unreadable(folder: &Path, depth: usize) -> Result<(), Fault> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        // A file, or what loading says more about.
        return Ok(());
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() && !path.is_symlink() && depth > 0 {
            refuse_unreadable(&path, depth - 1)?;
        } else if is_contract(&path, &name) && !path.is_file() && !path.is_dir() {
            let what = match std::fs::metadata(&path) {
                Err(error) => format!("reading {}: {error}", path.display()),
                Ok(_) => format!("reading {}: it is no file", path.display()),
            };
            return Err(Fault::no(what).help("it has the name of a contract; mend it or remove it"));
        }
    }
    Ok(())
}

fn is_contract(path: &Path, name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    let folder = path.parent().and_then(Path::file_name);
    stem.is_some_and(|stem| {
        stem == "contract"
            || stem.ends_with(".contract")
            || folder.is_some_and(|name| name == "contracts")
    })
}

/// The configuration beside a path, or what is wrong with it.
pub fn configure(
    path: &Path,
    file: Option<&Path>,
    arguments: Vec<Argument>,
) -> Result<Config, Fault> {
    Config::load(path, file, arguments).map_err(|error| match error {
        ConfigError::Read(path, error) => {
            Fault::doing(format!("reading {}", path.display()), error)
        }
        ConfigError::Wrong(wrong) => {
            let last = wrong.len().saturating_sub(1);
            for wrong in &wrong[..last] {
                print::fault(&in_config(wrong));
            }
            wrong.last().map_or_else(|| Fault::no("the configuration is wrong"), in_config)
        }
    })
}

fn in_config(wrong: &crate::config::setting::Wrong) -> Fault {
    let fault = Fault::no(format!("{}: {}", wrong.place, wrong.message));
    match &wrong.help {
        Some(help) => fault.help(help.as_str()),
        None => fault,
    }
}
