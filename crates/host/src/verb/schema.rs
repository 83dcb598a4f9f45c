//! `onex schema`: the JSON Schema of contracts, for editors.

use clap::Args;
use onex_contract::export::json_schema;
use onex_contract::graph::Kind;

use crate::fault::{Exit, Fault};
use crate::print;

/// A kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Of {
    /// All I/O
    Effect,
    /// A pure function
    Compute,
    /// A state machine
    Reducer,
    /// A workflow
    Orchestrator,
}

/// What `onex schema` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
  onex schema > contract.schema.json
and, as the first line of a contract, for the YAML language server:
  # yaml-language-server: $schema=../contract.schema.json")]
pub struct Arguments {
    /// Only contracts of this kind
    kind: Option<Of>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let kind = arguments.kind.map(|of| match of {
        Of::Effect => Kind::Effect,
        Of::Compute => Kind::Compute,
        Of::Reducer => Kind::Reducer,
        Of::Orchestrator => Kind::Orchestrator,
    });
    print::value(&json_schema::document(kind))?;
    Ok(Exit::Done)
}
