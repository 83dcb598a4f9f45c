//! What a decision costs, and runs that no contract can make.

use std::path::Path;

use onex_contract::graph::{Body, Graph};
use onex_expr::Value;
use onex_kernel::decision::RowWrite;
use onex_kernel::row::{Ending, RunStatus};

use crate::bench::{Bench, graph_of};

fn graph() -> Graph {
    graph_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deciders/schedules"))
}

/// The prototypes' graph with only the steps of these ids, side by side.
fn only(ids: &[&str]) -> Graph {
    let mut graph = graph();
    let node = graph.find("prototypes").expect("the prototypes are there");
    let Body::Orchestrator(plan) = &mut graph.nodes[usize::from(node.0)].body else {
        panic!("the prototypes are steps of an orchestrator");
    };
    plan.steps.retain(|step| ids.contains(&step.id.as_str()));
    for step in &mut plan.steps {
        step.max_parallel = 8;
    }
    graph
}

#[test]
fn the_end_of_an_item_among_ten_thousand_writes_that_item_the_next_and_the_step() {
    let mut bench = Bench::new(only(&["many"]));
    let list = Value::list(vec![Value::Int(1); 10_000]);
    let done = bench.start("prototypes", Value::map([("list", list)]));
    assert_eq!(done.decision.messages.len(), 8);
    let intent = bench.open[3].clone();
    let done = bench.end(&intent, &Ending::Completed(Value::Null));
    let writes = done.decision.writes.iter().map(|write| match write {
        RowWrite::Step(step, _) => format!("step {step}"),
        RowWrite::Item(step, item, _) => format!("item {step} {item}"),
        other => panic!("{other:?} did not change"),
    });
    assert_eq!(writes.collect::<Vec<_>>(), ["step 0", "item 0 3", "item 0 8"]);
}

#[test]
fn an_empty_workflow_completes_at_once() {
    let mut bench = Bench::new(only(&[]));
    let done = bench.start("prototypes", Value::Null);
    let run = bench.runs.values().next().expect("a run was begun");
    assert_eq!(run.head.status, RunStatus::Completed);
    assert!(done.decision.ended && done.decision.timers.is_empty());
}

#[test]
fn rows_of_another_graph_are_a_dead_letter_and_no_panic() {
    let mut bench = Bench::new(only(&["single"]));
    bench.start("prototypes", Value::Null);
    bench.graph = only(&["single", "once"]);
    let intent = bench.open[0].clone();
    let done = bench.end(&intent, &Ending::Completed(Value::Null));
    assert!(done.decision.writes.is_empty());
}

#[test]
fn a_step_whose_items_lost_their_rows_fails_and_does_not_hang() {
    let mut bench = Bench::new(only(&["many"]));
    let list = Value::list(vec![Value::Int(1); 9]);
    bench.start("prototypes", Value::map([("list", list)]));
    let run = bench.runs.values_mut().next().expect("a run was begun");
    run.items.remove(&(0, 8));
    while let Some(intent) = bench.open.first().cloned() {
        bench.end(&intent, &Ending::Completed(Value::Null));
    }
    let run = bench.runs.values().next().expect("a run was begun");
    let error = run.head.error.as_ref().map(|error| error.code.as_str());
    assert_eq!(error, Some("missing_row"));
    assert_eq!(run.head.status, RunStatus::Failed);
}

#[test]
fn the_same_delivery_gives_the_same_decision() {
    let play = || {
        let mut bench = Bench::new(only(&["single", "many", "told"]));
        let list = Value::list(vec![Value::Int(1), Value::Int(0)]);
        let input = Value::map([("list", list), ("n", Value::Int(1))]);
        let done = bench.start("prototypes", input);
        format!("{:?}", done.decision)
    };
    assert_eq!(play(), play());
}
