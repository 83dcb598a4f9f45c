//! Tasks of the workspace itself. `cargo run -p xtask -- tidy` tells what breaks a rule that no
//! compiler checks; the tests of this crate hold the workspace to the same rules.

mod repository;
mod tidy;

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "this is what the command is for")]
fn main() -> ExitCode {
    let verb = std::env::args().nth(1);
    if verb.as_deref() != Some("tidy") {
        eprintln!("usage: cargo run -p xtask -- tidy");
        return ExitCode::from(2);
    }
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
