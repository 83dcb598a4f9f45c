//! Runs the simulation: seeds of drawn systems, each with its own faults.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use onex_sim::{Report, Scenario, Violation, World};

/// What seeds gave.
#[derive(Debug, Default)]
pub struct Sum {
    pub runs: u64,
    pub records: u64,
    pub restarts: u64,
    pub attempts: u64,
    pub refused: u64,
    /// Seeds that broke a promise, and how.
    pub broken: Vec<(u64, Violation)>,
}

/// Runs one seed.
pub fn seed(seed: u64, whole: bool) -> Result<Report, Violation> {
    let scenario = match Scenario::draw(seed) {
        Ok(scenario) => scenario,
        Err(what) => return Err(Violation { what, before: String::new() }),
    };
    let world = World::new(scenario);
    if whole { world.telling_all().run() } else { world.run() }
}

/// Runs a range of seeds on so many threads; stops after so many violations.
pub fn seeds(range: Range<u64>, threads: usize, broken_max: usize) -> Sum {
    let (next, sum) = (AtomicU64::new(range.start), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= range.end {
                        return;
                    }
                    let run = std::panic::catch_unwind(|| seed(number, false));
                    let run = run.unwrap_or_else(|_| {
                        let what = "it panicked".to_owned();
                        Err(Violation { what, before: String::new() })
                    });
                    let Ok(mut sum) = sum.lock() else { return };
                    told(number, &run);
                    sum.add(number, run);
                    if sum.broken.len() >= broken_max {
                        return;
                    }
                }
            });
        }
    });
    sum.into_inner().unwrap_or_default()
}

impl Sum {
    fn add(&mut self, seed: u64, run: Result<Report, Violation>) {
        self.runs += 1;
        match run {
            Ok(report) => {
                self.records += report.records;
                self.restarts += report.restarts;
                self.attempts += report.attempts;
                self.refused += u64::from(report.refused);
            }
            Err(violation) => self.broken.push((seed, violation)),
        }
    }
}

/// A violation is told at once: the other seeds may take long.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn told(seed: u64, run: &Result<Report, Violation>) {
    if let Err(violation) = run {
        println!("seed {seed}: {}", violation.what);
    }
}
