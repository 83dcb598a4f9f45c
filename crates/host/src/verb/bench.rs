//! `onex bench`: stub.
use crate::fault::{Exit, Fault};
/// x
#[derive(Debug, clap::Args)]
pub struct Arguments {}
/// x
pub fn run(_: &Arguments) -> Result<Exit, Fault> { Ok(Exit::Done) }
