//! Random runs under random schedules: whatever ends, fires or is asked for in whatever order, a run
//! keeps its promises.
//!
//! `SEED=n` plays one seed, `SEEDS=n` that many.

mod model;
mod promises;
pub mod random;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use onex_contract::graph::Graph;

use crate::bench;

/// Enough that each promise has been seen to break when its code is broken.
const SEEDS: u64 = 5000;

#[test]
fn runs_keep_their_promises_under_any_schedule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deciders/schedules");
    let graph: Graph = bench::graph_of(&folder);
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a seed is a number"))
    };
    if let Some(seed) = number("SEED") {
        return model::play(&graph, seed);
    }
    for seed in 0..number("SEEDS").unwrap_or(SEEDS) {
        let played = catch_unwind(AssertUnwindSafe(|| model::play(&graph, seed)));
        assert!(played.is_ok(), "SEED={seed} breaks a promise");
    }
}
