//! `onex show`: the normal form of one contract.

use std::path::PathBuf;

use clap::Args;
use onex_contract::diagnostic::Severity;
use onex_expr::Value;

use super::check::word;
use crate::cli::Output;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::system::{System, configure};

/// What `onex show` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The node's name
    node: String,
    /// A contract file, or a folder with contracts
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let config = configure(&arguments.path, None, Vec::new())?;
    let system = System::load(std::slice::from_ref(&arguments.path), &config, false)?;
    let nodes = &system.checked.nodes;
    let Some(node) = nodes.iter().find(|node| node.name == arguments.node) else {
        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        let what = format!("there is no node {}", arguments.node);
        return Err(Fault::no(what).help(format!("there are: {}", names.join(", "))));
    };
    let Some(form) = &node.normal_form else {
        print::note(system.findings(false));
        let what = format!("{} cannot be read as a contract", arguments.node);
        return Err(Fault::no(what).help("`onex check` says why"));
    };
    if arguments.output.is_json() {
        print::value(&Value::map([
            ("name", Value::text(node.name.as_str())),
            ("kind", node.kind.map_or(Value::Null, |kind| Value::text(word(kind)))),
            ("dialect", Value::text(node.dialect)),
            ("status", Value::text(node.status)),
            ("normal_form", Value::text(form.as_str())),
        ]))?;
    } else {
        print::text(form)?;
    }
    if system.count(Severity::Error) > 0 {
        print::note("note: `onex check` finds errors in this system");
    }
    Ok(Exit::Done)
}
