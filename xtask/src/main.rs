//! Tasks of the workspace itself. `cargo run -p xtask -- tidy` tells what breaks a rule that no
//! compiler checks; the tests of this crate hold the workspace to the same rules. `simulate` runs
//! seeds of the simulation and makes one that fails smaller; `planted` shows that it finds bugs.

mod planted;
mod repository;
mod simulate;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- COMMAND
  tidy                     what breaks a rule of the workspace
  simulate --seed N        one seed; one that fails is made as small as it goes
  simulate --seeds A..B    many, told which fail
  planted [PART OF NAME]   plants bugs in a copy, tells which seed finds each";

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["tidy"] => tidied(),
        ["planted", rest @ ..] => planted(rest.first().copied().unwrap_or_default()),
        ["simulate", "--seed", seed] => seed.parse().map(simulate::one).unwrap_or(None),
        ["simulate", "--seeds", range] => range
            .split_once("..")
            .and_then(|(from, to)| Some(simulate::many(from.parse().ok()?..to.parse().ok()?))),
        ["simulate", "--until-broken", count] => count.parse().ok().map(simulate::until_broken),
        _ => None,
    };
    done.unwrap_or_else(|| {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    })
}

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn planted(only: &str) -> Option<ExitCode> {
    let done = repository::root().and_then(|root| planted::run(&root, only));
    Some(done.map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::from(70)
        },
        |all| ExitCode::from(u8::from(!all)),
    ))
}

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn tidied() -> Option<ExitCode> {
    let repository = match repository::Repository::open() {
        Ok(repository) => repository,
        Err(error) => {
            eprintln!("reading the workspace: {error}");
            return Some(ExitCode::from(70));
        }
    };
    let findings = tidy::check(&repository);
    for finding in &findings {
        eprintln!("{finding}");
    }
    Some(ExitCode::from(u8::from(!findings.is_empty())))
}
