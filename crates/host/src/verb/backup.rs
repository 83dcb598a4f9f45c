//! `onex backup`: everything that is durable, to a folder that is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use http_body_util::BodyExt;
use onex_expr::{Value, json};
use onex_store::backup::{Summary, verify};

use super::wait;
use crate::cli::{Host, Output};
use crate::client::{Client, unreachable};
use crate::compose;
use crate::config::setting::Argument;
use crate::fault::{Exit, Fault};
use crate::print;
use crate::shape::time;
use crate::system::configure;

/// The file with everything.
pub const STREAM: &str = "backup";
/// The file that says what it is; written last.
pub const MANIFEST: &str = "manifest.json";

/// What `onex backup` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
A running host is backed up while it works: the backup holds everything before the offset that is
durable when it begins. It is read back and checked before the folder gets its name.
  onex backup /backups/monday                        the host at --url
  onex backup /backups/monday --data /var/lib/onex   a data folder that no host uses")]
pub struct Arguments {
    /// The folder to make; it must not be there yet
    dir: PathBuf,
    /// Back up a data folder that no host uses, instead of a host
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    host: Host,
    #[command(flatten)]
    output: Output,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let dir = &arguments.dir;
    if fs::symlink_metadata(dir).is_ok() {
        return Err(Fault::no(format!("{} is there already", dir.display()))
            .help("name a folder that is not there yet"));
    }
    let unfinished = unfinished(dir);
    let failed = |error| Fault::doing(format!("making {}", unfinished.display()), error);
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => fs::create_dir_all(&unfinished).map_err(failed)?,
    }
    let made = fill(arguments, &unfinished).and_then(|summary| {
        let named = fs::rename(&unfinished, dir).and_then(|()| sync_parent(dir));
        named.map(|()| summary).map_err(failed)
    });
    let summary = made.inspect_err(|_| {
        // It is told what went wrong; the next attempt removes what is left.
        let _ = fs::remove_dir_all(&unfinished);
    })?;
    tell(&summary, dir, arguments.output)?;
    Ok(Exit::Done)
}

fn unfinished(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    dir.with_file_name(name)
}

fn fill(arguments: &Arguments, folder: &Path) -> Result<Summary, Fault> {
    let path = folder.join(STREAM);
    let writing = |error| Fault::doing(format!("writing {}", path.display()), error);
    let mut file = File::create_new(&path).map_err(writing)?;
    match &arguments.data {
        Some(data) => of_folder(data, &mut file)?,
        None => wait(of_host(&arguments.host.url, &mut file, &path))?,
    }
    file.sync_all().map_err(writing)?;
    let written = File::open(&path).map_err(writing)?;
    let bytes = written.metadata().map_err(writing)?.len();
    let summary = verify(&mut BufReader::new(written)).map_err(|error| {
        Fault::no(error.to_string()).help("the host ended meanwhile, or the disk is at fault")
    })?;
    let mut manifest = File::create_new(folder.join(MANIFEST)).map_err(writing)?;
    let text = json::to_string(&described(&summary, bytes));
    manifest.write_all(text.as_bytes()).and_then(|()| manifest.sync_all()).map_err(writing)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(writing)?;
    Ok(summary)
}

fn of_folder(data: &Path, file: &mut File) -> Result<(), Fault> {
    let value = data.display().to_string();
    let argument = Argument { key: "store.data", value, name: "--data" };
    if !data.is_dir() {
        return Err(Fault::no(format!("{} is no data folder", data.display())));
    }
    let config = configure(Path::new("."), None, vec![argument])?;
    let (store, _guard) = compose::open(&config)?;
    store.backup(file).map(|_| ()).map_err(|error| Fault::no(error.to_string()))
}

async fn of_host(url: &str, file: &mut File, path: &Path) -> Result<(), Fault> {
    let client = Client::new(url)?;
    let mut body = client.get("/v1/backup").send().await?.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreachable(url, &error.to_string()))?;
        if let Some(piece) = frame.data_ref() {
            file.write_all(piece)
                .map_err(|error| Fault::doing(format!("writing {}", path.display()), error))?;
        }
    }
    Ok(())
}

fn described(summary: &Summary, bytes: u64) -> Value {
    let count = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Value::map([
        ("format", Value::Int(1)),
        ("version", Value::text(env!("CARGO_PKG_VERSION"))),
        ("offset", count(summary.offset)),
        ("time", time::value(onex_kernel::Micros(summary.time_micros))),
        ("rows", count(summary.rows)),
        ("segments", count(summary.segments)),
        ("payloads", count(summary.payloads)),
        ("bytes", count(bytes)),
    ])
}

/// Says what a backup holds.
pub fn tell(summary: &Summary, place: &Path, output: Output) -> Result<(), Fault> {
    if output.is_json() {
        let count = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        return print::value(&Value::map([
            ("path", Value::text(place.display().to_string())),
            ("offset", count(summary.offset)),
            ("time", time::value(onex_kernel::Micros(summary.time_micros))),
        ]));
    }
    let offset = summary.offset;
    print::line(format!("{}: everything before offset {offset}", place.display()))
}

fn sync_parent(folder: &Path) -> io::Result<()> {
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
