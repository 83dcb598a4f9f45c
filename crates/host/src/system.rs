//! Contracts as a system: found on disk, checked against what this host can perform.

use std::path::{Path, PathBuf};

use onex_contract::diagnostic::{Severity, human};
use onex_contract::source::Source;
use onex_contract::{Checked, load_folder};

use crate::compose;
use crate::config::places;
use crate::config::setting::{Argument, Wrong};
use crate::config::{Config, ConfigError};
use crate::fault::Fault;
use crate::print;

/// Contracts with what was found in them.
pub struct System {
    /// The files, the configuration's among them.
    pub sources: Vec<Source>,
    /// What checking gave.
    pub checked: Checked,
}

impl System {
    /// Reads and checks everything at these paths. `strict`: a missing host value is an error.
    pub fn load(paths: &[PathBuf], config: &Config, strict: bool) -> Result<System, Fault> {
        let mut sources: Vec<Source> = Vec::new();
        for path in paths {
            let found = load_folder(path).map_err(|error| Fault::no(error.to_string()))?;
            for source in found {
                if sources.iter().all(|known| known.path != source.path) {
                    sources.push(source);
                }
            }
        }
        let host = config.host_values(strict);
        let checked = onex_contract::check(&sources, &compose::catalog(), &host);
        let told = checked.diagnostics.iter().any(|found| found.severity == Severity::Error);
        if checked.nodes.is_empty() && !told {
            return Err(no_contracts(paths.first().map_or(Path::new("."), PathBuf::as_path)));
        }
        for place in host.places.into_values() {
            if sources.iter().all(|known| known.path != place.source.path) {
                sources.push(place.source);
            }
        }
        Ok(System { sources, checked })
    }

    /// Of contracts that were not looked at: the configuration that they need cannot be read.
    pub fn unread(wrong: &[Wrong]) -> System {
        let (diagnostics, sources) = places::findings(wrong);
        System { sources, checked: Checked::unread(diagnostics) }
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

/// Nothing below a path is a contract.
pub fn no_contracts(path: &Path) -> Fault {
    let what = format!("there are no contracts below {}", path.display());
    Fault::no(what).help(
        "contracts are `contract.yaml`, `*.contract.yaml`, every `*.yaml` in a folder named \
         `contracts`, and other YAML with a `node_type`; `onex new hello` makes some",
    )
}

/// The configuration beside a path, or what is wrong with it.
pub fn configure(
    path: &Path,
    file: Option<&Path>,
    arguments: Vec<Argument>,
) -> Result<Config, Fault> {
    Config::load(path, file, arguments).map_err(misread)
}

/// Why there is no configuration; of several reasons all but the last are printed.
pub fn misread(error: ConfigError) -> Fault {
    match error {
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
    }
}

fn in_config(wrong: &Wrong) -> Fault {
    let fault = Fault::no(format!("{}: {}", wrong.place, wrong.message));
    match &wrong.help {
        Some(help) => fault.help(help.as_str()),
        None => fault,
    }
}
