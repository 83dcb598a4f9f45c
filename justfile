# The commands of the project. `just` lists them.

_list:
    @just --list

# Build the host and the example's service, start both
run:
    scripts/run-example

# Everything that must hold: format, lints, tests
test:
    scripts/test

# Rules that no compiler checks
tidy:
    cargo run --quiet -p xtask -- tidy

# Many runs of the simulation; `just simulate 0..10000`
simulate SEEDS:
    cargo run --quiet --release -p xtask -- simulate --seeds {{SEEDS}}

# Licences, sources and known holes of dependencies (needs cargo-deny)
deny:
    cargo deny check

# What a change of one crate needs to be seen
check CRATE:
    cargo clippy -p {{CRATE}} --all-targets -- -D warnings
    cargo test -p {{CRATE}}

# Format everything
format:
    cargo fmt --all
