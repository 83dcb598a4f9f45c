//! Systems that chance drew, under faults that chance drew, beside the reference model: a fixed set
//! of seeds and some new ones.

#[path = "drawn/fresh.rs"]
mod fresh;

use onex_sim::{Report, Scenario, Violation, World};

/// Seeds that are always run.
const FIXED: std::ops::Range<u64> = 0..60;

/// Seeds that are new with each commit.
const NEW: u64 = 20;

fn run(seed: u64) -> Result<Report, Violation> {
    let scenario = Scenario::draw(seed).expect("what is drawn passes the check");
    World::new(scenario).run()
}

fn hold(seeds: std::ops::Range<u64>) -> Vec<Report> {
    let held = seeds.map(|seed| {
        run(seed).unwrap_or_else(|violation| {
            panic!("cargo run -p xtask -- simulate --seed {seed}\n{violation}")
        })
    });
    held.collect()
}

#[test]
fn promises_hold_and_the_model_agrees() {
    let reports = hold(FIXED);
    // What is never drawn is not tested.
    let sum = |what: fn(&Report) -> u64| reports.iter().map(what).sum::<u64>();
    assert!(sum(|report| report.restarts) > 0, "no seed ended the process");
    assert!(sum(|report| report.batches) > 0, "no seed sent a batch");
    assert!(sum(|report| report.activations) > 0, "no seed activated another graph");
    assert!(sum(|report| report.claims_bytes) > 0, "no seed kept a payload beside the log");
}

#[test]
fn promises_hold_for_seeds_nobody_has_seen() {
    let first = fresh::new_seed(env!("CARGO_MANIFEST_DIR"));
    hold(first..first + NEW);
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [7, 20, 101] {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
