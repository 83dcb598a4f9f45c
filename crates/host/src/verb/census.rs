//! `onex census`: what of a foreign tree of contracts would run here.

use std::path::PathBuf;

use clap::Args;
use onex_contract::census::{Census, Fate, File, census};
use onex_contract::load_folder;
use onex_expr::Value;

use super::check::word;
use crate::cli::Output;
use crate::compose;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::system::{configure, no_contracts};

/// What `onex census` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A folder with contracts of any dialect
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    output: Output,
}

/// The most keys that people are shown.
const KEYS_SHOWN: usize = 20;

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let path = &arguments.path;
    let sources = load_folder(path).map_err(|error| Fault::no(error.to_string()))?;
    let host = configure(path, None, Vec::new())?.host_values(false);
    let checked = onex_contract::check(&sources, &compose::catalog(), &host);
    if checked.nodes.is_empty() {
        return Err(no_contracts(path));
    }
    let census = census(&sources, &checked);
    if arguments.output.is_json() {
        print::value(&value(&census))?;
    } else {
        human(&census)?;
    }
    Ok(Exit::Done)
}

fn human(census: &Census) -> Result<(), Fault> {
    let row = |file: &File| {
        [
            file.path.to_string(),
            file.dialect.to_owned(),
            file.kind.map_or("-", word).to_owned(),
            file.fate.word().to_owned(),
            file.reason.clone().unwrap_or_default(),
        ]
    };
    let rows = census.files.iter().map(row).collect();
    print::table(["file", "dialect", "kind", "status", "why"], rows)?;
    print::line("")?;
    if !census.not_enforced.is_empty() {
        let shown = census.not_enforced.iter().take(KEYS_SHOWN);
        let rows = shown.map(|(key, count)| [key.clone(), count.to_string()]).collect();
        print::table(["key not enforced", "files and places"], rows)?;
        let more = census.not_enforced.len().saturating_sub(KEYS_SHOWN);
        if more > 0 {
            print::line(format!("and {more} more, with -o json"))?;
        }
        print::line("")?;
    }
    if !census.others.is_empty() {
        let rows = census.others.iter().map(|(path, why)| [path.to_string(), why.clone()]);
        print::table(["other file", "why it is no contract"], rows.collect())?;
        print::line("")?;
    }
    print::line(format!("{} contracts", census.files.len()))?;
    for fate in Fate::ALL.into_iter().filter(|fate| census.count(*fate) > 0) {
        print::line(format!("{:>6} {}: {}", census.count(fate), fate.word(), fate.meaning()))?;
    }
    Ok(())
}

fn value(census: &Census) -> Value {
    let count = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let file = |file: &File| {
        Value::map([
            ("file", Value::text(&*file.path)),
            ("name", Value::text(file.name.as_str())),
            ("kind", file.kind.map_or(Value::Null, |kind| Value::text(word(kind)))),
            ("dialect", Value::text(file.dialect)),
            ("status", Value::text(file.fate.word())),
            ("reason", file.reason.as_deref().map_or(Value::Null, Value::text)),
        ])
    };
    let fates = Fate::ALL.map(|fate| (fate.word(), count(census.count(fate))));
    let summary = [("contracts", count(census.files.len()))].into_iter().chain(fates);
    let keys = census.not_enforced.iter().map(|(key, number)| {
        Value::map([("key", Value::text(key.as_str())), ("count", count(*number))])
    });
    let others = census.others.iter().map(|(path, why)| {
        Value::map([("file", Value::text(&**path)), ("reason", Value::text(why.as_str()))])
    });
    Value::map([
        ("summary", Value::map(summary)),
        ("files", Value::list(census.files.iter().map(file).collect())),
        ("others", Value::list(others.collect())),
        ("not_enforced", Value::list(keys.collect())),
    ])
}
