//! Contracts and requests at the edge of sense: nothing of them may stop the engine, be lost, or
//! happen twice.

mod driver;

use driver::{Driver, LOOP, accepted, payload, publish};
use onex_engine::{Input, Reply, Request, key};
use onex_expr::Value;
use onex_kernel::row::{Reason, RunStatus, StepStatus, Undoing};

const FAN: &str = "
name: fan
node_type: reducer
contract_version: 1.0.0
description: Says everything to everybody.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.in.v1, payload: {type: object, properties: {doc: {type: string}, items: {type: array}}}, entity_key: \"'one'\"}]
  publish_topics: [onex.evt.test.out.v1]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: in
      actions:
        - {action_type: event, topic: onex.evt.test.out.v1, for_each: payload.items, payload: {doc: '${payload.doc}'}}
";

const TARGET: &str = "
name: target
node_type: effect
contract_version: 1.0.0
description: Does and undoes.
event_bus: {publish_topics: [onex.evt.test.lost.v1]}
effect_operations:
  operations:
    - {operation_name: do, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}, retry_policy: {max_retries: 0}, operation_timeout_ms: 1000, on_exhausted: {event: onex.evt.test.lost.v1, payload: {x: '${json.parse(json.format(input) + \"{\")}'}}}
    - {operation_name: undo, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}}
";

fn flow(nodes: &str, rules: &str) -> String {
    format!(
        "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Steps.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {{workflow_name: flow, timeout_ms: 60000}}
    execution_graph: {{nodes: [{nodes}]}}
    coordination_rules: {{{rules}}}
"
    )
}

const IN: &str = "onex.evt.test.in.v1";

fn large(items: usize) -> String {
    let items = vec!["0"; items].join(",");
    format!(r#"{{"doc": "{}", "items": [{items}]}}"#, "x".repeat(600_000))
}

#[test]
fn a_decision_that_sends_too_much_is_a_letter_and_the_next_message_goes_on() {
    let mut driver = Driver::new(&[FAN]);
    accepted(driver.publish(1, IN, &large(460)));
    let letters = driver.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, Reason::TooLarge);
    assert!(driver.published("onex.evt.test.out.v1").is_empty());
    accepted(driver.publish(2, IN, &large(20)));
    assert_eq!(driver.published("onex.evt.test.out.v1").len(), 20);
}

#[test]
fn a_step_whose_items_are_given_too_much_at_once_fails_and_its_run_ends() {
    let each = "{node_id: all, step_config: {effect_node: target, operation: do, for_each: input.items, max_parallel: 1000, input: {doc: '${input.doc}'}}}";
    let mut driver = Driver::new(&[&flow(each, ""), TARGET]);
    driver.start(1, "flow", &large(460));
    while !driver.attempts.is_empty() {
        driver.answer(200, Value::Null);
    }
    let run = driver.run(1).expect("it is kept");
    assert_eq!(run.head.status, RunStatus::Failed);
    assert_eq!(run.head.error.expect("why").code, "too_large");
}

#[test]
fn a_run_that_became_large_is_kept_and_can_be_retried() {
    let nodes = "{node_id: all, step_config: {effect_node: target, operation: do, for_each: input.items, max_parallel: 2, input: {doc: '${input.doc}'}}},
        {node_id: last, depends_on: [all], step_config: {effect_node: target, operation: do}}";
    let mut driver = Driver::new(&[&flow(nodes, ""), TARGET]);
    driver.start(1, "flow", &large(8));
    for _ in 0..8 {
        driver.answer(200, Value::Null);
    }
    driver.answer(422, Value::Null);
    assert_eq!(driver.run(1).expect("it is kept").head.status, RunStatus::Failed);
    assert_eq!(driver.rows(b"i"), 8, "it is not put into one row");
    driver.crash();
    assert!(matches!(driver.request(Request::Retry(driver::id(1))), Reply::Done));
    assert_eq!(driver.attempts.len(), 1, "what stands is not done again");
    driver.answer(200, Value::Null);
    assert_eq!(driver.run(1).expect("it is kept").head.status, RunStatus::Completed);
}

#[test]
fn a_cycle_shuts_nobody_out_and_does_not_keep_a_drain_from_ending() {
    let mut driver = Driver::new(&[LOOP, FAN]);
    driver.arrive(Request::Publish(publish(1, IN, "{}")));
    for _ in 0..3 {
        driver.one_turn();
    }
    let asked = driver.arrive(Request::Publish(publish(2, IN, r#"{"items": [1]}"#)));
    for _ in 0..3 {
        driver.one_turn();
    }
    assert!(driver.replies.iter().any(|(ticket, _)| *ticket == asked), "it was answered");
    driver.input(Input::Drain);
    for _ in 0..3 {
        driver.one_turn();
    }
    assert!(driver.drained);
    assert!(driver.rows(key::BACKLOG) > 0, "the next start goes on");
}

#[test]
fn a_letter_named_twice_is_put_back_once() {
    let broken = FAN
        .replace("payload.items", "\"[1 / payload.by]\"")
        .replace("items: {type: array}", "by: {type: integer}");
    let mut driver = Driver::new(&[&broken]);
    accepted(driver.publish(1, IN, r#"{"doc": "d", "by": 0}"#));
    let letter = driver.letters()[0].id;
    let reply = driver.request(Request::Redrive { letters: vec![letter; 3], dry_run: false });
    assert!(matches!(reply, Reply::Redriven { redriven, .. } if redriven == [letter]));
    let letters = driver.letters();
    assert_eq!(letters.len(), 2, "it failed again, once");
}

#[test]
fn two_operations_on_one_topic_are_two_intents() {
    let both = "
name: both
node_type: effect
contract_version: 1.0.0
description: Does two things about it.
event_bus: {subscribe_topics: [onex.evt.test.in.v1]}
effect_operations:
  operations:
    - {operation_name: one, on_topic: onex.evt.test.in.v1, idempotent: true, io_config: {handler_type: target, what: one}, response_handling: {success_codes: [200]}, ordered: false}
    - {operation_name: two, on_topic: onex.evt.test.in.v1, idempotent: true, io_config: {handler_type: target, what: two}, response_handling: {success_codes: [200]}, ordered: false}
";
    let mut driver = Driver::new(&[both]);
    for number in 1..=5 {
        accepted(driver.publish(number, IN, "{}"));
    }
    assert_eq!(driver.attempts.len(), 10);
    let mut keys: Vec<_> = driver.attempts.iter().map(|attempt| attempt.intent.id).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 10);
    for _ in 0..10 {
        driver.answer(200, Value::Null);
    }
    assert_eq!(driver.rows(key::INTENTS), 0);
}

#[test]
fn an_event_that_cannot_be_worked_out_is_a_letter_beside_the_outcome() {
    let nodes = "{node_id: one, step_config: {effect_node: target, operation: do}}";
    let mut driver = Driver::new(&[&flow(nodes, ""), TARGET]);
    driver.start(1, "flow", "{}");
    driver.fail(true, true);
    assert_eq!(driver.run(1).expect("it is kept").head.status, RunStatus::Failed);
    let letters = driver.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, Reason::ExpressionError);
    assert_eq!(letters[0].message.topic, "onex.evt.test.lost.v1");
}

#[test]
fn an_attempt_may_take_no_longer_than_what_is_left_for_all_of_them() {
    let target = TARGET.replace(
        "max_retries: 0",
        "max_retries: 9, backoff_strategy: fixed, base_delay_ms: 400, jitter_factor: 0",
    );
    let nodes = "{node_id: one, step_config: {effect_node: target, operation: do}}";
    let mut driver = Driver::new(&[&flow(nodes, ""), &target]);
    driver.start(1, "flow", "{}");
    assert_eq!(driver.attempts[0].timeout_ms, 1000);
    driver.fail(true, true);
    driver.pass_ms(400);
    assert_eq!(driver.attempts[0].timeout_ms, 600);
}

#[test]
fn the_first_attempt_after_a_crash_has_its_whole_time_however_late_it_is() {
    let nodes = "{node_id: one, step_config: {effect_node: target, operation: do}}";
    let mut driver = Driver::new(&[&flow(nodes, ""), TARGET]);
    driver.start(1, "flow", "{}");
    driver.pass_ms(5000);
    driver.crash();
    driver.pass_ms(5000);
    assert_eq!(driver.attempts[0].timeout_ms, 1000);
    driver.answer(200, Value::Null);
    assert_eq!(driver.run(1).expect("it is kept").head.status, RunStatus::Completed);
}

#[test]
fn a_run_that_is_ending_can_be_cancelled_and_then_undoes_what_it_did() {
    let nodes = "{node_id: done, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}},
        {node_id: slow, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}},
        {node_id: bad, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}}";
    let mut driver = Driver::new(&[&flow(nodes, "failure_recovery_strategy: fail_fast"), TARGET]);
    driver.start(1, "flow", "{}");
    driver.answer(200, Value::Null);
    driver.attempts.swap(0, 1);
    driver.answer(422, Value::Null);
    assert!(matches!(driver.request(Request::Cancel(driver::id(1))), Reply::Done));
    driver.answer(200, Value::Null);
    driver.answer(200, Value::Null);
    driver.answer(200, Value::Null);
    let run = driver.run(1).expect("it is kept");
    assert_eq!(run.head.status, RunStatus::Cancelled);
    assert_eq!(run.head.compensation, Undoing::Done);
    let undone = |status: &StepStatus| *status == StepStatus::Compensated;
    assert_eq!(run.steps.iter().filter(|step| undone(&step.status)).count(), 2);
}

#[test]
fn a_compensation_that_cannot_be_asked_for_says_where_and_is_not_put_back() {
    let nodes = "{node_id: done, step_config: {effect_node: target, operation: do}, compensation: {operation: undo, input: {n: '${1 / (size(step.intent_id) - size(step.intent_id))}'}}},
        {node_id: bad, depends_on: [done], step_config: {effect_node: target, operation: do}, compensation: none}";
    let mut driver = Driver::new(&[&flow(nodes, "failure_recovery_strategy: compensate"), TARGET]);
    driver.start(1, "flow", "{}");
    driver.answer(200, Value::Null);
    driver.answer(422, Value::Null);
    let letter = driver.letters().remove(0);
    assert_eq!(letter.reason, Reason::CompensationFailed);
    assert_eq!(letter.run_id, Some(driver::id(1)));
    assert_eq!(letter.step.as_deref(), Some("done"));
    assert_eq!(letter.node.as_deref(), Some("target"));
    assert_eq!(letter.operation.as_deref(), Some("undo"));
    let reply = driver.request(Request::Redrive { letters: vec![letter.id], dry_run: false });
    assert!(matches!(reply, Reply::Redriven { refused, .. } if refused.len() == 1));
    assert_eq!(driver.letters().len(), 1);
}

#[test]
fn runs_that_are_ending_count_as_unfinished_after_a_restart() {
    let nodes = "{node_id: one, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}}";
    let mut driver = Driver::new(&[&flow(nodes, ""), TARGET]);
    driver.start(1, "flow", "{}");
    driver.answer(200, Value::Null);
    driver.start(2, "flow", "{}");
    driver.request(Request::Cancel(driver::id(2)));
    let before = driver.engine.unfinished();
    driver.crash();
    assert_eq!(driver.engine.unfinished(), before);
    while !driver.attempts.is_empty() {
        driver.answer(200, Value::Null);
    }
    assert_eq!(driver.engine.unfinished(), 0);
}

#[test]
fn the_id_of_a_run_is_nobodys_message_id_after_a_restart_either() {
    let nodes =
        "{node_id: one, step_config: {effect_node: target, operation: do}, compensation: none}";
    let mut driver = Driver::new(&[&flow(nodes, ""), TARGET, FAN]);
    driver.start(1, "flow", "{}");
    driver.crash();
    let message = onex_engine::input::Publish { payload: payload("{}"), ..publish(1, IN, "{}") };
    assert!(!accepted(driver.request(Request::Publish(message))).1);
}
