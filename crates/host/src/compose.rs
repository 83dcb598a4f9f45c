//! The composition root: the only place that names concrete stores, effects and guards.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use onex_contract::catalog::Catalog;
use onex_contract::graph::Graph;
use onex_engine::guard::Guard;
use onex_expr::Text;
use onex_kernel::Micros;
use onex_runtime::guard::StepGuard;
use onex_runtime::{Binding, Clock, Deps, Handle, Restore, Secrets, Service};
use onex_store::embedded::Embedded;
use onex_store::memory::Memory;
use onex_store::{Store, StoreError};

use crate::config::Config;
use crate::config::secrets::Secret;
use crate::fault::Fault;

/// The file of the data folder that notes the step at hand.
const STEP_PAGE: &str = "step";

/// Kinds that answer without waiting for anything.
const IMMEDIATE: [&str; 1] = ["echo"];

/// What this host can perform.
pub fn catalog() -> Catalog {
    onex_effects::catalog()
}

/// Builds everything a host is made of, within a tokio runtime, and recovers.
pub fn host(
    config: &Config,
    graph: Graph,
    (store, guard): Durable,
) -> Result<(Service, Handle), Fault> {
    let deps = Deps {
        store,
        graph: Arc::new(graph),
        restore: restore(),
        effects: effects(config)?,
        secrets: secrets(&config.secrets)?,
        guard,
        clock: clock(),
    };
    onex_runtime::build(config.runtime.clone(), deps).map_err(|error| Fault::no(error.to_string()))
}

/// What keeps things, and what notes the step at hand beside it.
pub type Durable = (Arc<dyn Store>, Box<dyn Guard>);

/// Opens the data folder and takes its lock.
pub fn open(config: &Config) -> Result<Durable, Fault> {
    if config.store.memory {
        return Ok((Arc::new(Memory::new()), Box::new(StepGuard::in_memory())));
    }
    let folder = &config.store.data;
    let store = Embedded::open_folder(folder, config.store.embedded.clone())
        .map_err(|error| not_opened(folder, &error))?;
    let page = folder.join(STEP_PAGE);
    let guard = StepGuard::open(&page)
        .map_err(|error| Fault::doing(format!("opening {}", page.display()), error))?;
    Ok((Arc::new(store), Box::new(guard)))
}

/// A data folder that was used before and that no host has open, to be read.
pub fn at_rest(folder: &Path) -> Result<Arc<dyn Store>, Fault> {
    if !folder.is_dir() {
        return Err(Fault::no(format!("there is no data folder {}", folder.display())));
    }
    let opened = Embedded::open_folder(folder, onex_store::embedded::Options::default());
    Ok(Arc::new(opened.map_err(|error| not_opened(folder, &error))?))
}

fn not_opened(folder: &Path, error: &StoreError) -> Fault {
    let fault = Fault::no(format!("opening {}: {error}", folder.display()));
    match error {
        StoreError::Locked { .. } => {
            Fault::no(format!("another host uses the data folder {}", folder.display()))
                .help("stop it, or give this one a folder of its own with --data")
        }
        StoreError::Corrupt { .. } => {
            fault.help("nothing was changed; restore the folder from a backup")
        }
        StoreError::Full { .. } => {
            fault.help("make room on the disk and start again; nothing that was accepted is lost")
        }
        StoreError::Format { .. } => {
            fault.help("use the version that wrote it, or another folder with --data")
        }
        _ => fault,
    }
}

/// Builds graphs again from what a data folder keeps of them.
pub fn restore() -> Restore {
    Arc::new(|stored| match Graph::restore(stored, &catalog()) {
        Ok(graph) => Some(graph),
        Err(checked) => {
            for finding in &checked.diagnostics {
                tracing::error!(code = finding.code, "{}", finding.message);
            }
            None
        }
    })
}

fn effects(config: &Config) -> Result<HashMap<Text, Binding>, Fault> {
    let built = onex_effects::build(config.effects.clone())
        .map_err(|error| Fault::no(error.to_string()))?;
    let bindings = built.iter().map(|(kind, effect)| {
        let binding = Binding { effect: effect.clone(), immediate: IMMEDIATE.contains(&kind) };
        (Text::from(kind), binding)
    });
    Ok(bindings.collect())
}

fn secrets(places: &[Secret]) -> Result<Secrets, Fault> {
    let mut by_name = BTreeMap::new();
    for secret in places {
        let value = secret.value().map_err(Fault::no)?;
        by_name.insert(secret.name.clone(), value);
    }
    Secrets::new(by_name).map_err(|name| {
        let least = Secrets::BYTES_MIN;
        Fault::no(format!("secret {name} is shorter than {least} bytes"))
            .help("one so short could not be kept out of answers and logs")
    })
}

fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.map_or(0, |since| since.as_micros());
        Micros(u64::try_from(micros).unwrap_or(u64::MAX))
    })
}
