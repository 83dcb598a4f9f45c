//! What is asked of a host: two workflows whose contracts are built in.

use clap::ValueEnum;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Three `echo` effects in a row, each outcome durable before the next step begins
    A,
    /// Three computes in a row, in one commit
    B,
}

impl Workload {
    /// Its name on the interface.
    pub fn word(self) -> &'static str {
        match self {
            Workload::A => "A",
            Workload::B => "B",
        }
    }

    /// The orchestrator that is started.
    pub fn node(self) -> &'static str {
        match self {
            Workload::A => "bench_effects",
            Workload::B => "bench_computes",
        }
    }
}

/// What a run is given.
pub const INPUT: &str = "{\"count\":1}";

/// The contracts of both: file name and text.
pub const CONTRACTS: [(&str, &str); 4] = [
    ("bench_echo.yaml", include_str!("contracts/bench_echo.yaml")),
    ("bench_step.yaml", include_str!("contracts/bench_step.yaml")),
    ("bench_effects.yaml", include_str!("contracts/bench_effects.yaml")),
    ("bench_computes.yaml", include_str!("contracts/bench_computes.yaml")),
];
