//! Runs the simulation: seeds of drawn systems, each with its own faults.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use onex_sim::{Report, Scenario, World, shrink};

/// One seed; when it breaks a promise, the least that still does.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn one(seed: u64) -> Option<ExitCode> {
    let scenario = match Scenario::draw(seed) {
        Ok(scenario) => scenario,
        Err(text) => {
            println!("{text}");
            return Some(ExitCode::from(70));
        }
    };
    match World::new(scenario.clone()).run() {
        Ok(report) => {
            println!("{report:?}");
            return Some(ExitCode::SUCCESS);
        }
        Err(violation) => println!("seed {seed}: {}", violation.what),
    }
    if let Some((least, violation)) = shrink(scenario) {
        println!("\nthe least that breaks a promise:\n\n{}", least.contracts());
        least.ops.iter().for_each(|(number, op)| println!("op {number}: {op:?}"));
        println!("{:#?}\n\n{violation}", least.troubles);
    }
    Some(ExitCode::from(1))
}

/// Many seeds, on every core.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn many(seeds: Range<u64>) -> ExitCode {
    // A violation is told at once: the other seeds may take long.
    let sum = Sum::of(seeds, &|seed, what| {
        println!("seed {seed}: {what}");
        ControlFlow::Continue(())
    });
    println!(
        "{} runs, {} records, {} restarts, {} attempts, {} refused damage, {} broken",
        sum.runs,
        sum.records,
        sum.restarts,
        sum.attempts,
        sum.refused,
        sum.broken.len()
    );
    ExitCode::from(u8::from(!sum.broken.is_empty()))
}

/// Seeds from 0 on until one breaks a promise: the first that does.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn until_broken(count: u64) -> ExitCode {
    // Seeds are taken in order, and each that was begun is ended: the least of them is the first.
    let sum = Sum::of(0..count, &|_, _| ControlFlow::Break(()));
    match sum.broken.first_key_value() {
        None => ExitCode::SUCCESS,
        Some((seed, what)) => {
            println!("seed {seed}: {what}");
            ExitCode::from(1)
        }
    }
}

/// What seeds gave.
#[derive(Debug, Default)]
struct Sum {
    runs: u64,
    records: u64,
    restarts: u64,
    attempts: u64,
    refused: u64,
    /// Seeds, and what they break.
    broken: BTreeMap<u64, String>,
}

impl Sum {
    /// `broken` is told of each seed that breaks a promise, and says whether more are wanted.
    fn of(seeds: Range<u64>, broken: &(dyn Fn(u64, &str) -> ControlFlow<()> + Sync)) -> Sum {
        let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
        let stopped = AtomicBool::new(false);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let work = || {
            while !stopped.load(Ordering::Relaxed) {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return;
                }
                let run = run(seed);
                if let Err(what) = &run
                    && broken(seed, what).is_break()
                {
                    stopped.store(true, Ordering::Relaxed);
                }
                let Ok(mut sum) = sum.lock() else { return };
                sum.add(seed, run);
            }
        };
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        sum.into_inner().unwrap_or_default()
    }

    fn add(&mut self, seed: u64, run: Result<Report, String>) {
        self.runs += 1;
        match run {
            Ok(report) => {
                self.records += report.records;
                self.restarts += report.restarts;
                self.attempts += report.attempts;
                self.refused += u64::from(report.refused);
            }
            Err(what) => {
                self.broken.insert(seed, what);
            }
        }
    }
}

/// Runs one seed; what it breaks, a panic included.
fn run(seed: u64) -> Result<Report, String> {
    let run = || World::new(Scenario::draw(seed)?).run().map_err(|violation| violation.what);
    panic::catch_unwind(run).unwrap_or_else(|_| Err("it panicked".to_owned()))
}
