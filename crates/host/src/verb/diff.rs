//! `onex diff`: what new contracts change, and what becomes of what is alive.

use std::path::{Path, PathBuf};

use clap::Args;
use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::{Diagnostic, human as findings};
use onex_contract::diff::{self, Diff, Set, Touches, Verdict};
use onex_contract::load_folder;
use onex_contract::source::Source;
use onex_expr::Value;

use super::{list, wait};
use crate::cli::Output;
use crate::client::{Client, segment};
use crate::compose;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::system::{System, configure};

/// What `onex diff` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Each change is one of
  compatible       activate it while everything runs
  needs drain      let what is under way end first
  needs migration  what is kept does not fit: move or rewrite it first
  breaking         someone outside has to change first, or `onex check` refuses NEW and not OLD

Exit code 0 when every change is compatible, 1 otherwise.
  onex diff contracts new-contracts        two folders, or two files
  onex diff new-contracts --url URL        what a running host has, against a folder
  onex diff OLD NEW --url URL              two folders; the host says how many instances it touches")]
pub struct Arguments {
    /// The contracts as they are (with --url, left out: those of the host)
    #[arg(required = true, num_args = 1..=2, value_names = ["OLD", "NEW"])]
    paths: Vec<PathBuf>,
    /// A running host: its instances are counted, and without OLD its contracts compared
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let client = arguments.url.as_deref().map(Client::new).transpose()?;
    let (old, new) = match (arguments.paths.as_slice(), &client) {
        ([old, new], _) => (read(old)?, new),
        ([new], Some(client)) => (wait(hosted(client))?, new),
        _ => {
            return Err(Fault::usage("there is nothing to compare with")
                .help("give OLD and NEW, or NEW and the --url of a running host"));
        }
    };
    let after = checked(new)?;
    let before = match arguments.paths.as_slice() {
        [old, _] => checked(old)?.checked,
        _ => onex_contract::check(&old, &compose::catalog(), &HostValues::default()),
    };
    let before = Set { sources: &old, checked: &before };
    let mut diff = diff::diff(before, Set { sources: &after.sources, checked: &after.checked });
    refuse_unreadable(&diff.old_errors, &old)?;
    if let Some(client) = &client {
        wait(count_alive(client, &mut diff))?;
    }
    if arguments.output.is_json() {
        print::value(&diff::json::value(&diff))?;
    } else {
        print::text(diff::human::render(&diff, print::has_colour()))?;
    }
    Ok(if diff.verdict() == Verdict::Compatible { Exit::Done } else { Exit::No })
}

/// A set of contracts as `onex check` sees it.
fn checked(path: &Path) -> Result<System, Fault> {
    let config = configure(path, None, Vec::new())?;
    System::load(&[path.to_owned()], &config, false)
}

fn read(path: &Path) -> Result<Vec<Source>, Fault> {
    load_folder(path).map_err(|error| Fault::no(error.to_string()))
}

/// A contract that cannot be read would look like one that is new.
fn refuse_unreadable(errors: &[Diagnostic], sources: &[Source]) -> Result<(), Fault> {
    if errors.is_empty() {
        return Ok(());
    }
    print::note(findings::render(errors, sources, findings::Options::default()));
    Err(Fault::no("the old contracts cannot be read").help("`onex check` says more"))
}

/// The contracts of a host, in their normal form.
async fn hosted(client: &Client) -> Result<Vec<Source>, Fault> {
    let names = list::fetch(None, || client.get("/v1/contracts")).await?;
    let mut sources = Vec::new();
    for item in names.get("items").and_then(Value::as_list).unwrap_or_default() {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let contract = client.get(format!("/v1/contracts/{}", segment(name))).json().await?;
        let form = contract.get("normal_form").and_then(Value::as_str).unwrap_or_default();
        sources.push(Source::new(format!("{name} (host)"), form));
    }
    Ok(sources)
}

/// Asks the host how many instances each change touches.
async fn count_alive(client: &Client, diff: &mut Diff) -> Result<(), Fault> {
    let mut counts: Vec<(Touches, Option<u64>)> = Vec::new();
    for change in &diff.changes {
        if counts.iter().all(|(known, _)| *known != change.touches) {
            let count = match &change.touches {
                Touches::Nothing => None,
                Touches::Entities { node, state } => {
                    entities(client, node, state.as_deref()).await?
                }
                Touches::Runs { node } => Some(runs(client, node).await?),
            };
            counts.push((change.touches.clone(), count));
        }
    }
    diff.count_alive(|touches| counts.iter().find(|(known, _)| known == touches)?.1);
    Ok(())
}

/// Entities of a reducer, in one state or in all; unknown when the host has no such reducer.
async fn entities(client: &Client, node: &str, state: Option<&str>) -> Result<Option<u64>, Fault> {
    let path = format!("/v1/state/{}", segment(node));
    let answer = match client.get(path).with("count_by", Some("state")).json().await {
        Err(fault) if fault.exit == Exit::Refused => return Ok(None),
        answer => answer?,
    };
    let Some(counts) = answer.get("counts").and_then(Value::as_map) else {
        return Ok(None);
    };
    let wanted = counts.iter().filter(|(key, _)| match (key, state) {
        (onex_expr::Key::String(name), Some(state)) => name == state,
        _ => true,
    });
    let sum: i64 = wanted.filter_map(|(_, count)| count.as_int()).sum();
    Ok(u64::try_from(sum).ok())
}

/// Statuses of a run that has not ended.
const ALIVE: [&str; 3] = ["pending", "running", "paused"];

async fn runs(client: &Client, node: &str) -> Result<u64, Fault> {
    let mut count = 0;
    for status in ALIVE {
        let ask =
            || client.get("/v1/workflows").with("node", Some(node)).with("status", Some(status));
        let found = list::fetch(None, ask).await?;
        count += found.get("items").and_then(Value::as_list).unwrap_or_default().len();
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}
