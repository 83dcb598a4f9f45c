//! What can be told without a data folder and a host: version, limits, configuration, contracts.

use std::path::Path;

use onex_contract::diagnostic::Severity;

use super::Finding;
use crate::config::setting::Argument;
use crate::config::{Config, ConfigError, open_files as limit};
use crate::system::System;

/// With fewer open files a busy host refuses connections.
const FILES_FEW: u64 = 1024;

/// Which version this is.
pub fn version() -> Finding {
    Finding::ok("version", format!("onex {}", env!("CARGO_PKG_VERSION")))
}

/// How many files a host started here may open.
pub fn open_files() -> Finding {
    let (most, name) = (limit::most(), "files");
    let detail = format!("at most {most} open files");
    let help = "raise it with `ulimit -n 65536`, or in the service's unit";
    if most < limit::LEAST {
        Finding::fail(name, format!("{detail}, a host needs {}", limit::LEAST), help)
    } else if most < FILES_FEW {
        Finding::warn(name, format!("{detail}: few connections at a time"), help)
    } else {
        Finding::ok(name, detail)
    }
}

/// The configuration, and whether it can be read.
pub fn config(
    path: &Path,
    file: Option<&Path>,
    arguments: Vec<Argument>,
) -> Result<(Config, Finding), Finding> {
    let config = Config::load(path, file, arguments).map_err(|error| match error {
        ConfigError::Read(path, error) => Finding::fail(
            "config",
            format!("reading {}: {error}", path.display()),
            "make it readable, or name another one with --config",
        ),
        ConfigError::Wrong(wrong) => {
            let told = wrong.iter().map(|wrong| format!("{}: {}", wrong.place, wrong.message));
            let told = told.collect::<Vec<_>>().join("; ");
            let help = wrong.into_iter().find_map(|wrong| wrong.help);
            Finding::fail("config", told, help.unwrap_or_else(|| "correct it".to_owned()))
        }
    })?;
    let is_given = |origin: &str| origin != "default";
    let given = config.settings.iter().filter(|one| is_given(&one.origin.to_string())).count();
    let detail = format!("{} values, {given} of them given", config.settings.len());
    Ok((config, Finding::ok("config", detail)))
}

/// What check says of the contracts.
pub fn contracts(path: &Path, config: &Config) -> Finding {
    let name = "contracts";
    let system = match System::load(&[path.to_owned()], config, true) {
        Ok(system) => system,
        Err(fault) => return Finding::of_fault(name, fault),
    };
    let (errors, warnings) = (system.count(Severity::Error), system.count(Severity::Warning));
    let count = system.checked.nodes.len();
    let detail = format!("{count} contracts, {errors} errors, {warnings} warnings");
    let help = format!("`onex check {}` says where and why", path.display());
    match (errors, warnings) {
        (0, 0) => Finding::ok(name, detail),
        (0, _) => Finding::warn(name, detail, help),
        _ => Finding::fail(name, detail, help),
    }
}
