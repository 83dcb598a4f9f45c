//! The host under test: a process of its own on a folder of its own, ended and removed at the end.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::workload::CONTRACTS;
use crate::fault::Fault;

/// A host that was started here.
pub struct Server {
    /// Its address, `127.0.0.1:PORT`.
    pub address: String,
    /// From the start of the process until it said that it was ready.
    pub ready_after: Duration,
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts a host with the built-in contracts, its data below `data` (default: where temporary
    /// files are).
    pub fn start(data: Option<&Path>) -> Result<Server, Fault> {
        let starting = |error| Fault::doing("starting a host to measure", error);
        let folder = match data {
            Some(data) => tempfile::Builder::new().prefix("onex-bench-").tempdir_in(data),
            None => tempfile::Builder::new().prefix("onex-bench-").tempdir(),
        }
        .map_err(starting)?;
        let contracts = folder.path().join("contracts");
        fs::create_dir(&contracts).map_err(starting)?;
        for (name, text) in CONTRACTS {
            fs::write(contracts.join(name), text).map_err(starting)?;
        }
        let began = Instant::now();
        let mut process = Command::new(env::current_exe().map_err(starting)?)
            .arg("run")
            .arg(&contracts)
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(starting)?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(starting)?;
        }
        let ready_after = began.elapsed();
        let Some(address) = line.trim().strip_prefix("ready http://") else {
            // It has said on stderr why not; it is gone or will be.
            let _ = process.kill();
            let _ = process.wait();
            return Err(Fault::no("the host to measure did not become ready"));
        };
        Ok(Server { address: address.to_owned(), ready_after, process, _folder: folder })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its folder goes with it, so there is nothing to drain.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
