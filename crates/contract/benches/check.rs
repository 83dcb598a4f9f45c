//! How long it takes to check a large system: 1,000 generated contracts with 10,000 edges, and every
//! contract below the folders given as arguments.
//!
//! `cargo bench -p onex-contract --bench check [-- FOLDER...]`. Fails when the generated system takes
//! a second or more, or when twice of anything takes more than three times as long: of contracts,
//! and in one contract of states, steps and misspelled keys.

#![allow(clippy::print_stdout)]

#[path = "../tests/host/mod.rs"]
mod host;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use onex_contract::catalog::HostValues;
use onex_contract::source::Source;
use onex_contract::{check, load_folder};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reducers that each hear this many topics.
const EDGES_EACH: usize = 10;

/// A system of that many reducers; each publishes one topic and hears those of the next ten.
fn generated(contracts: usize) -> Vec<Source> {
    (0..contracts)
        .map(|at| Source::new(format!("node_{at}.yaml").as_str(), contract(at, contracts)))
        .collect()
}

fn contract(at: usize, contracts: usize) -> String {
    let schema = "{type: object, required: [id, qty, lines], properties: {id: {type: string, maxLength: 64}, \
                  qty: {type: integer, minimum: 0}, lines: {type: array, maxItems: 10, items: {type: object, \
                  required: [sku], properties: {sku: {type: string}}}}}}";
    let mut text = format!("name: node_{at}\nnode_type: reducer\ncontract_version: 1.0.0\n");
    let _ = writeln!(text, "definitions: {{Made: {schema}}}\nevent_bus:\n  subscribe_topics:");
    let others = (1..=EDGES_EACH).map(|step| (at + step) % contracts);
    for other in others.clone() {
        let _ = writeln!(
            text,
            "    - {{topic: onex.evt.load.made-{other}.v1, payload: {{from: node_{other}, name: Made}}}}"
        );
    }
    let _ =
        writeln!(text, "  publish_topics: [{{topic: onex.evt.load.made-{at}.v1, payload: Made}}]");
    let _ = writeln!(
        text,
        "state_machine:\n  initial_state: idle\n  entity_key: payload.id\n  states: [{{state_name: idle, waits: forever}}]\n  transitions:"
    );
    for other in others {
        let _ = writeln!(
            text,
            "    - {{from_state: idle, trigger: made-{other}, conditions: [{{expression: \"payload.qty > {other}\"}}], \
             actions: [{{action_type: event, topic: onex.evt.load.made-{at}.v1, payload: {{id: \"${{payload.id}}\", qty: \"${{payload.qty - 1}}\", lines: \"${{payload.lines}}\"}}}}]}}"
        );
    }
    text
}

/// One reducer of that many states in a ring.
fn states(count: usize) -> Vec<Source> {
    let mut text = String::from(
        "name: ring\nnode_type: reducer\ncontract_version: 1.0.0\nevent_bus: {subscribe_topics: [onex.evt.load.next.v1]}\n\
         state_machine:\n  initial_state: s0\n  entity_key: payload.id\n  states:\n",
    );
    for at in 0..count {
        let _ = writeln!(text, "    - {{state_name: s{at}, waits: forever}}");
    }
    text.push_str("  transitions:\n");
    for at in 0..count {
        let to = (at + 1) % count;
        let _ = writeln!(text, "    - {{from_state: s{at}, to_state: s{to}, trigger: next}}");
    }
    vec![Source::new("ring.yaml", text)]
}

/// Steps that each of these waits for.
const WAITS_EACH: usize = 20;

/// One workflow of that many steps, each after the twenty before it.
fn steps(count: usize) -> Vec<Source> {
    let mut text = String::from(
        "name: long\nnode_type: orchestrator\ncontract_version: 1.0.0\nworkflow_coordination:\n  workflow_definition:\n    execution_graph:\n      nodes:\n",
    );
    for at in 0..count {
        let before: Vec<String> =
            (at.saturating_sub(WAITS_EACH)..at).map(|other| format!("s{other}")).collect();
        let _ = writeln!(
            text,
            "        - {{node_id: s{at}, depends_on: [{}], step_config: {{wait_ms: 1}}}}",
            before.join(", ")
        );
    }
    vec![Source::new("long.yaml", text)]
}

/// One contract with that many keys that nobody knows.
fn unknown_keys(count: usize) -> Vec<Source> {
    let mut text = String::from("name: odd\nnode_type: effect\ncontract_version: 1.0.0\n");
    for at in 0..count {
        let _ = writeln!(text, "unknown_key_{at}: 1");
    }
    vec![Source::new("odd.yaml", text)]
}

/// Checks both, the second of which has twice as much, and refuses what grows faster.
fn twice(name: &str, sources: impl Fn(usize) -> Vec<Source>, count: usize) {
    let half = fastest(&format!("{count} {name}"), &sources(count));
    let whole = fastest(&format!("{} {name}", 2 * count), &sources(2 * count));
    assert!(whole < half * 3, "twice the {name} took {whole:?} after {half:?}");
}

/// The fastest of a few checks, in time on one core.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn fastest(name: &str, sources: &[Source]) -> Duration {
    let host = HostValues::default();
    let mut best = Duration::MAX;
    let mut told = (0, 0);
    for _ in 0..5 {
        let begun = (Instant::now(), on_core());
        let checked = check(sources, &host::catalog(), &host);
        let used = on_core().zip(begun.1).map(|(now, then)| now - then);
        best = best.min(used.unwrap_or_else(|| begun.0.elapsed()));
        told = (checked.nodes.len(), checked.diagnostics.len());
    }
    let bytes: usize = sources.iter().map(|source| source.bytes.len()).sum();
    println!(
        "{name}: {} contracts, {} findings, {} KiB of text, {:.1} ms, peak memory {} MiB",
        told.0,
        told.1,
        bytes / 1024,
        best.as_secs_f64() * 1e3,
        peak_kib() / 1024
    );
    best
}

/// How long this thread has been on a core: what counts where neighbours take the machine as well.
fn on_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The most memory that this process has held, where the system tells.
fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn main() {
    for folder in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let sources = load_folder(Path::new(&folder)).expect("the folder can be read");
        fastest(&folder, &sources);
    }
    twice("states", states, 2000);
    twice("steps", steps, 1000);
    twice("misspelled keys", unknown_keys, 20_000);
    let half = fastest("500 generated", &generated(500));
    let whole = fastest("1000 generated, 10000 edges", &generated(1000));
    assert!(whole < Duration::from_secs(1), "checking took {whole:?}");
    assert!(whole < half * 3, "twice the contracts took {whole:?} after {half:?}");
}
