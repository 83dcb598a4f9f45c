//! `onex doctor`: whether a host would start here, runs well, and has nothing that waits for a person.
//!
//! One family of checks a file, each a list of lines; nothing is changed but a probe file that
//! measures the disk.

use std::path::PathBuf;

use clap::Args;
use onex_expr::Value;

use super::wait;
use crate::cli::{Host, Output};
use crate::config::setting::Argument;
use crate::fault::{Exit, Fault};
use crate::print;

mod data;
mod host;
mod local;

/// What `onex doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line is ok, warn or fail, with what to do about it. Exit code 0 when nothing fails, else 1.
  onex doctor                        the contracts here, ./.onex, and the host at --url
  onex doctor contracts --data /var/lib/onex")]
pub struct Arguments {
    /// A contract file, or a folder with contracts
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The data folder (default: ./.onex)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration file (default: `onex.toml` beside the path)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// It does not work.
    Fail,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

/// One line.
#[derive(Debug)]
pub struct Finding {
    name: &'static str,
    status: Status,
    detail: String,
    help: Option<String>,
}

impl Finding {
    fn ok(name: &'static str, detail: impl Into<String>) -> Finding {
        Finding { name, status: Status::Ok, detail: detail.into(), help: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Finding {
        let help = Some(help.into());
        Finding { name, status: Status::Warn, detail: detail.into(), help }
    }

    fn fail(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Finding {
        let help = Some(help.into());
        Finding { name, status: Status::Fail, detail: detail.into(), help }
    }

    fn of_fault(name: &'static str, fault: Fault) -> Finding {
        Finding { name, status: Status::Fail, detail: fault.what, help: fault.help }
    }

    fn to_value(&self) -> Value {
        Value::map([
            ("name", Value::text(self.name)),
            ("status", Value::text(self.status.word())),
            ("detail", Value::text(self.detail.as_str())),
            ("help", self.help.as_deref().map_or(Value::Null, Value::text)),
        ])
    }
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let mut findings = vec![local::version(), local::open_files()];
    let data = arguments.data.as_ref().map(|data| Argument {
        key: "store.data",
        value: data.display().to_string(),
        name: "--data",
    });
    match local::config(&arguments.path, arguments.config.as_deref(), data.into_iter().collect()) {
        Ok((config, finding)) => {
            findings.push(finding);
            findings.push(local::contracts(&arguments.path, &config));
            findings.extend(data::check(&config.store));
        }
        Err(finding) => findings.push(finding),
    }
    findings.extend(wait(host::check(&arguments.host.url))?);
    show(&findings, arguments.output)?;
    let failed = findings.iter().any(|finding| finding.status == Status::Fail);
    Ok(if failed { Exit::No } else { Exit::Done })
}

fn show(findings: &[Finding], output: Output) -> Result<(), Fault> {
    if output.is_json() {
        let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
        let checks = findings.iter().map(Finding::to_value).collect();
        return print::value(&Value::map([
            ("status", Value::text(worst.word())),
            ("checks", Value::list(checks)),
        ]));
    }
    for finding in findings {
        let Finding { name, status, detail, help } = finding;
        print::line(format!("{:<5} {name:<10} {detail}", status.word()))?;
        if let Some(help) = help {
            print::line(format!("{:16} help: {help}", ""))?;
        }
    }
    Ok(())
}
