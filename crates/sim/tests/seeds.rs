//! The shop under power losses, lost answers and impatient clients, seed by seed.

use std::path::Path;
use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_expr::Value;
use onex_sim::{Faults, Op, Random, Report, Scenario, Violation, World, catalog};

/// The contracts of a scenario: `shop`, and `nested`, where runs begin runs, trigger a reducer that all
/// share and wait for events.
fn graph_of(scenario: &str) -> Arc<Graph> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let folder = scenarios.join(scenario).join("contracts");
    let sources =
        onex_contract::load_folder(&folder).expect("the scenario's contracts can be read");
    let checked = onex_contract::check(&sources, &catalog(), &Default::default());
    let graph = checked.graph;
    Arc::new(graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics)))
}

fn order(number: u64, random: &mut Random) -> Op {
    let id = Value::text(format!("o{number}"));
    let line =
        |sku: u64| Value::map([("sku", Value::text(format!("s{sku}"))), ("qty", Value::Int(1))]);
    let lines = Value::list((0..1 + random.below(4)).map(line).collect());
    let payload = Value::map([("order_id", id), ("lines", lines)]);
    if random.percent(20) {
        let (node, key) = ("fulfil_order".into(), format!("k{number}").into());
        Op::Start { node, key, input: payload }
    } else {
        Op::Publish { topic: "onex.evt.shop.order-placed.v1".into(), payload }
    }
}

fn run(graph: &Arc<Graph>, seed: u64) -> Result<Report, Violation> {
    let scenario = Scenario::generate(graph.clone(), seed, 30, order);
    World::new(scenario, Faults::default(), seed)?.run()
}

/// `SEEDS=from..to` runs others.
fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("SEEDS").ok();
    let asked = asked.as_deref().and_then(|text| text.split_once(".."));
    match asked {
        Some((from, to)) => from.parse().expect("a number")..to.parse().expect("a number"),
        None => 0..100,
    }
}

fn promises_hold(scenario: &str) {
    let graph = graph_of(scenario);
    let mut crashes = 0;
    for seed in seeds() {
        match run(&graph, seed) {
            Ok(report) => crashes += report.crashes,
            Err(violation) => panic!("{scenario}, seed {seed}: {violation}"),
        }
    }
    assert!(crashes > 0, "no seed lost power: the test attacks nothing");
}

#[test]
fn promises_hold_for_every_seed() {
    promises_hold("shop");
}

#[test]
fn promises_hold_where_runs_begin_runs_and_wait() {
    promises_hold("nested");
}

#[test]
fn the_same_seed_is_the_same_run() {
    let graph = graph_of("shop");
    assert_eq!(run(&graph, 7), run(&graph, 7));
}
