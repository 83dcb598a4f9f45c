//! `onex explain`: the page of a code.

use clap::Args;
use onex_contract::diagnostic::code;

use crate::fault::{Exit, Fault};
use crate::print;

/// What `onex explain` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A code such as C0105; without one, all codes
    code: Option<String>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> Result<Exit, Fault> {
    let Some(wanted) = &arguments.code else {
        let rows = code::PAGES.iter().map(|page| [page.code.to_owned(), page.title().to_owned()]);
        print::table(["code", "title"], rows.collect())?;
        return Ok(Exit::Done);
    };
    match code::page(wanted) {
        Some(page) => {
            print::text(page.text)?;
            Ok(Exit::Done)
        }
        None => {
            Err(Fault::no(format!("there is no code {wanted}"))
                .help("`onex explain` lists every code"))
        }
    }
}
