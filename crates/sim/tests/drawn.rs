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

fn hold(seeds: std::ops::Range<u64>) -> u64 {
    let mut restarts = 0;
    for seed in seeds {
        match run(seed) {
            Ok(report) => restarts += report.restarts,
            Err(violation) => {
                panic!("cargo run -p xtask -- simulate --seed {seed}\n{violation}")
            }
        }
    }
    restarts
}

#[test]
fn promises_hold_and_the_model_agrees() {
    assert!(hold(FIXED) > 0, "no seed ended the process: the test attacks nothing");
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
