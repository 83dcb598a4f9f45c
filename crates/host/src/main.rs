//! `onex`: the command line.
//!
//! In reading order: [`cli`] what can be said, [`verb`] one file a command, [`config`] what a host
//! is told, [`compose`] the only place that names concrete parts, [`http`] the port, [`shape`] what
//! things look like as JSON, [`client`] talking to a host, [`bench`] measuring one.

mod bench;
mod cli;
mod client;
mod compose;
mod config;
mod fault;
mod http;
mod print;
mod shape;
mod system;
mod verb;

use std::panic;
use std::process::ExitCode;

use clap::Parser;

use crate::fault::Exit;

/// The engine makes and lets go of many small values, on one thread and for others; the system's
/// allocator would take a third of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let ended = panic::catch_unwind(|| verb::run(cli.command));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(fault)) => {
            print::fault(&fault);
            fault.exit
        }
        Err(_) => {
            print::note("error: this is a bug of onex; the lines above say where");
            Exit::Bug
        }
    };
    ExitCode::from(exit as u8)
}
