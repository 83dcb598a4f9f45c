//! Written contracts under faults: the shop and its nested sister, seed by seed.

use std::path::Path;
use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_expr::Value;
use onex_sim::{Held, Op, Random, Report, Scenario, Violation, World, catalog};

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
        let topic = "onex.evt.shop.order-placed.v1".into();
        Op::Publish { topic, payload, story: None, same_id: None }
    }
}

fn run(graph: &Arc<Graph>, seed: u64) -> Result<Report, Violation> {
    let held = Held { reserving: &["stock", "carrier"], order: "order", charging: "payment" };
    let scenario = Scenario::generate(graph.clone(), seed, 20, order);
    World::new(scenario.holding(held)).run()
}

fn promises_hold(scenario: &str) {
    let graph = graph_of(scenario);
    let mut restarts = 0;
    for seed in 0..12 {
        match run(&graph, seed) {
            Ok(report) => restarts += report.restarts,
            Err(violation) => panic!("{scenario}, seed {seed}: {violation}"),
        }
    }
    assert!(restarts > 0, "no seed ended the process: the test attacks nothing");
}

#[test]
fn all_or_nothing_in_the_shop() {
    promises_hold("shop");
}

#[test]
fn all_or_nothing_where_runs_begin_runs_and_wait() {
    promises_hold("nested");
}
