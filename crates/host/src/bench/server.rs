//! The host under test: a process of its own on a folder of its own, ended and removed at the end.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
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
    folder: TempDir,
}

/// How a process is ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// Without warning.
    Kill,
    /// As asked: it drains.
    Terminate,
}

impl Server {
    /// Starts a host with the built-in contracts, its data below `data` (default: where temporary
    /// files are).
    pub fn start(data: Option<&Path>) -> Result<Server, Fault> {
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
        let (process, address, ready_after) = begin(folder.path())?;
        Ok(Server { address, ready_after, process, folder })
    }

    /// Ends the process and starts another on the same folder.
    pub fn restart(&mut self, end: End) -> Result<(), Fault> {
        match end {
            End::Kill => self.process.kill().map_err(starting)?,
            End::Terminate => {
                let pid = Pid::from_child(&self.process);
                kill_process(pid, Signal::TERM).map_err(|error| starting(error.into()))?;
            }
        }
        self.process.wait().map_err(starting)?;
        (self.process, self.address, self.ready_after) = begin(self.folder.path())?;
        Ok(())
    }

    /// What the system says of the process: a file of `/proc`; `None` where there is none.
    pub fn said(&self, file: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).ok()
    }

    /// The folder in which it keeps its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn starting(error: io::Error) -> Fault {
    Fault::doing("starting a host to measure", error)
}

fn begin(folder: &Path) -> Result<(Child, String, Duration), Fault> {
    let began = Instant::now();
    let mut process = Command::new(env::current_exe().map_err(starting)?)
        .arg("run")
        .arg(folder.join("contracts"))
        .arg("--data")
        .arg(folder.join("data"))
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
    Ok((process, address.to_owned(), ready_after))
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its folder goes with it, so there is nothing to drain.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
