//! `onex restore`: a data folder of a backup.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;
use onex_store::StoreError;
use onex_store::backup::{restore, verify};

use super::backup::{MANIFEST, STREAM, tell};
use crate::cli::Output;
use crate::fault::{Exit, Fault};

/// What `onex restore` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
The backup is checked from end to end before anything is made. The folder must not be there, or be
empty; it is whole under its name or not there at all. Timers that came due meanwhile fire, and
attempts that were under way are made again, as after any stop: no other host may go on from there.
  onex restore /backups/monday --data /var/lib/onex")]
pub struct Arguments {
    /// The folder that `onex backup` made
    dir: PathBuf,
    /// The data folder to make
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let Arguments { dir, data, output } = arguments;
    if !dir.join(MANIFEST).is_file() {
        return Err(Fault::no(format!(
            "{} is no whole backup: it has no {MANIFEST}",
            dir.display()
        ))
        .help("name a folder that `onex backup` made"));
    }
    let path = dir.join(STREAM);
    let open = || {
        let file = File::open(&path);
        file.map(BufReader::new)
            .map_err(|error| Fault::doing(format!("opening {}", path.display()), error))
    };
    verify(&mut open()?).map_err(refused)?;
    let summary = restore(&mut open()?, data).map_err(refused)?;
    tell(&summary, data, *output)?;
    Ok(Exit::Done)
}

fn refused(error: StoreError) -> Fault {
    let help = match &error {
        StoreError::Corrupt { .. } => "nothing was made; use another backup",
        StoreError::Format { .. } => "use the version that wrote it",
        StoreError::Full { .. } => "make room on the disk and try again",
        _ => "name a folder that is not there yet, or is empty",
    };
    Fault::no(error.to_string()).help(help)
}
