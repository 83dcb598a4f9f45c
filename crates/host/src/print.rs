//! What a command prints: data on stdout, everything else on stderr. A reader that goes away
//! (`| head`) ends the command quietly.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use onex_expr::{Value, json};

use crate::fault::{Exit, Fault};

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// Prints a line of data.
pub fn line(text: impl AsRef<str>) -> Result<(), Fault> {
    write(&[text.as_ref(), "\n"])
}

/// Prints text as it is.
pub fn text(text: impl AsRef<str>) -> Result<(), Fault> {
    write(&[text.as_ref()])
}

/// Prints a value as one line of JSON.
pub fn value(value: &Value) -> Result<(), Fault> {
    line(json::to_string(value))
}

/// Prints rows under headings, without lines and without colour.
pub fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> Result<(), Fault> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    line(table.trim_fmt())
}

/// Says something beside the data.
pub fn note(text: impl AsRef<str>) {
    // Nobody reads it when stderr is closed, and nothing depends on it.
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Says why a command did not do what it was asked.
pub fn fault(fault: &Fault) {
    if !fault.what.is_empty() {
        note(format!("error: {}", fault.what));
    }
    if let Some(help) = &fault.help {
        note(format!("help: {help}"));
    }
}

/// Whether a person reads stderr.
pub fn has_reader() -> bool {
    io::stderr().is_terminal()
}

/// Whether stdout takes colours.
pub fn has_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn write(parts: &[&str]) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    let written =
        parts.iter().try_for_each(|part| out.write_all(part.as_bytes())).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Fault::new(Exit::Done, String::new()))
        }
        Err(error) => Err(Fault::doing("writing to stdout", error)),
        Ok(()) => Ok(()),
    }
}
