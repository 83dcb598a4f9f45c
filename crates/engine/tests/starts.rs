//! What a start reads, and which contracts it refuses.

mod driver;

use driver::{Driver, accepted, graph};
use onex_engine::activation::{Lost, Stranded};
use onex_engine::{RecoverError, Request, key};
use onex_expr::Value;

const HIT: &str = "onex.evt.test.hit.v1";

const OPEN: &str = "
name: door
node_type: reducer
contract_version: 1.0.0
description: Opens, and closes by itself.
event_bus: {subscribe_topics: [{topic: onex.evt.test.hit.v1, payload: {type: object, required: [key], properties: {key: {type: string}}}}]}
state_machine:
  initial_state: closed
  entity_key: payload.key
  states: [{state_name: closed}, {state_name: open, timeout_ms: 60000}]
  transitions:
    - {from_state: closed, to_state: open, trigger: hit}
    - {from_state: open, trigger: hit}
    - {from_state: open, to_state: closed, trigger: timeout}
";

#[test]
fn a_start_reads_little_of_the_log_and_knows_every_id_of_the_window() {
    let mut driver = Driver::new(&[OPEN]);
    for number in 0..2500 {
        accepted(driver.publish(number, HIT, "{\"key\": \"a\"}"));
    }
    assert_eq!(driver.rows(key::WINDOW), 2);
    let recovered = driver.recovered(&[]).expect("it can be read");
    assert_eq!(recovered.window.iter().map(|piece| piece.seen.len()).sum::<usize>(), 2048);
    assert_eq!(recovered.seen.len(), 2500 - 2048);

    driver.crash();
    for number in [0, 1023, 1024, 2047, 2048, 2499] {
        let (offset, repeated) = accepted(driver.publish(number, HIT, "{\"key\": \"a\"}"));
        assert_eq!((offset, repeated), (number, true));
    }
    assert_eq!(driver.log().len(), 2500);
}

#[test]
fn what_the_window_forgets_leaves_the_store() {
    let mut driver = Driver::new(&[OPEN]);
    for number in 0..1024 {
        accepted(driver.publish(number, HIT, "{\"key\": \"a\"}"));
    }
    assert_eq!(driver.rows(key::WINDOW), 1);
    driver.pass_ms(driver.options.dedupe_window_us / 1000 + 1);
    for number in 5000..5000 + 1024 {
        accepted(driver.publish(number, HIT, "{\"key\": \"a\"}"));
    }
    assert_eq!(driver.rows(key::WINDOW), 1);
}

#[test]
fn contracts_that_strand_an_entity_are_refused() {
    let mut driver = Driver::new(&[OPEN]);
    let before = driver.graph.clone();
    driver.activate(before.clone());
    accepted(driver.publish(1, HIT, "{\"key\": \"a\"}"));
    accepted(driver.publish(2, HIT, "{\"key\": \"b\"}"));

    let without_state = OPEN.replace("open", "ajar");
    let without_timeout = OPEN
        .replace(", timeout_ms: 60000", ", waits: forever")
        .replace("    - {from_state: open, to_state: closed, trigger: timeout}\n", "");
    let renamed = OPEN.replace("name: door", "name: gate");
    for (contract, lost) in
        [(without_state, Lost::State), (without_timeout, Lost::Timeout), (renamed, Lost::State)]
    {
        driver.graph = graph(&[&contract]);
        let stranded = match driver.recovered(std::slice::from_ref(&before)) {
            Err(RecoverError::Stranded(stranded)) => stranded,
            other => panic!("not refused: {other:?}"),
        };
        let expected = Stranded {
            node: "door".into(),
            state: "open".into(),
            lost,
            entities: 2,
            key: "a".into(),
        };
        assert_eq!(stranded, [expected]);
    }

    driver.pass_ms(60_000);
    driver.graph = graph(&[&OPEN.replace("open", "ajar")]);
    assert!(driver.recovered(&[before]).is_ok(), "both doors have closed");
}

#[test]
fn a_graph_that_cannot_be_built_again_matters_only_to_work_in_progress() {
    let flow = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Waits.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    execution_graph: {nodes: [{node_id: one, step_config: {wait_ms: 1000}}]}
";
    let mut driver = Driver::new(&[flow]);
    driver.activate(driver.graph.clone());
    driver.start(1, "flow", "{}");
    driver.graph = graph(&[flow, OPEN]);
    assert!(matches!(driver.recovered(&[]), Err(RecoverError::Graph(_))));
    driver.pass_ms(1000);
    assert!(driver.recovered(&[]).is_ok(), "the run has ended");
}

const TARGET: &str = "
name: target
node_type: effect
contract_version: 1.0.0
effect_operations:
  operations: [{operation_name: call, idempotent: true, io_config: {handler_type: target}}]
";

const INNER: &str = "
name: inner
node_type: orchestrator
contract_version: 1.0.0
workflow_coordination:
  workflow_definition:
    execution_graph: {nodes: [{node_id: one, step_config: {effect_node: target, operation: call, input: {}}}]}
";

const OUTER: &str = "
name: outer
node_type: orchestrator
contract_version: 1.0.0
workflow_coordination:
  workflow_definition:
    execution_graph: {nodes: [{node_id: sub, step_config: {workflow: inner, input: {}}}]}
";

#[test]
fn a_run_that_only_waits_for_another_to_end_is_unfinished_after_a_start() {
    let mut driver = Driver::new(&[TARGET, INNER, OUTER]);
    driver.start(1, "outer", "{}");
    let run = driver.run(1).expect("it began").head.id;
    driver.request(Request::Cancel(run));
    assert!(driver.run(1).expect("it is kept").head.timer.is_none());
    assert_eq!(driver.engine.unfinished(), 3, "two runs and an intent");
    let recovered = driver.recovered(&[]).expect("the store can be read");
    assert_eq!(recovered.live.len(), 2, "the outer one waits for the inner one alone");
    driver.answer(404, Value::Null);
    assert_eq!(driver.engine.unfinished(), 0);
    let recovered = driver.recovered(&[]).expect("the store can be read");
    assert!(recovered.live.is_empty());
}
