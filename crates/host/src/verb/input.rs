//! JSON given on the command line: as it is, `@FILE`, or `-` for stdin.

use std::io::{self, Read};

use onex_expr::{Value, json};

use crate::fault::Fault;

/// The bytes that an argument stands for.
pub fn bytes(given: &str) -> Result<Vec<u8>, Fault> {
    if given == "-" {
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Fault::doing("reading stdin", error))?;
        return Ok(bytes);
    }
    match given.strip_prefix('@') {
        Some(file) => {
            std::fs::read(file).map_err(|error| Fault::doing(format!("reading {file}"), error))
        }
        None => Ok(given.as_bytes().to_vec()),
    }
}

/// The value that an argument stands for.
pub fn value(argument: &str, given: &str) -> Result<Value, Fault> {
    parse(&bytes(given)?).map_err(|error| {
        Fault::usage(format!("{argument} is no JSON: {error}"))
            .help("quote it for the shell, or use @FILE, or - for stdin")
    })
}

/// Reads JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    json::parse(bytes, &json::Limits::default())
        .map_err(|error| format!("{} at byte {}", error.message, error.at))
}
