//! Tasks of the workspace itself. `cargo run -p xtask -- tidy` tells what breaks a rule that no
//! compiler checks; the tests of this crate hold the workspace to the same rules. `simulate` runs
//! seeds of the simulation.

mod repository;
mod simulate;
mod tidy;

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidied(),
        ["simulate", rest @ ..] => simulated(rest),
        _ => {
            eprintln!("usage: cargo run -p xtask -- tidy | simulate --seed N | simulate --seeds A..B");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "this is what the command is for")]
fn simulated(words: &[&str]) -> ExitCode {
    match words {
        ["--seed", number] => {
            let Ok(number) = number.parse() else { return ExitCode::from(2) };
            match simulate::seed(number, true) {
                Ok(report) => println!("{report:?}"),
                Err(violation) => {
                    println!("{violation}");
                    return ExitCode::from(1);
                }
            }
        }
        ["--seeds", range] => {
            let parsed = range.split_once("..").and_then(|(from, to)| {
                Some(from.parse::<u64>().ok()?..to.parse::<u64>().ok()?)
            });
            let Some(range) = parsed else { return ExitCode::from(2) };
            let sum = simulate::seeds(range, 2, 40);
            println!(
                "{} runs, {} records, {} restarts, {} attempts, {} refused, {} broken",
                sum.runs, sum.records, sum.restarts, sum.attempts, sum.refused, sum.broken.len()
            );
            return ExitCode::from(u8::from(!sum.broken.is_empty()));
        }
        _ => {
            eprintln!("usage: simulate --seed N | --seeds A..B");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn tidied() -> ExitCode {
    let repository = match repository::Repository::open() {
        Ok(repository) => repository,
        Err(error) => {
            eprintln!("reading the workspace: {error}");
            return ExitCode::from(70);
        }
    };
    let findings = tidy::check(&repository);
    for finding in &findings {
        eprintln!("{finding}");
    }
    ExitCode::from(u8::from(!findings.is_empty()))
}
