//! While a frame is being written the next turn is decided: on what is not durable yet, so nothing
//! of it may be told, and nothing of what was not told may be needed.

mod driver;

use driver::{Driver, LOOP, begin, id, publish};
use onex_engine::{Input, Options, Reply, Request, Unguarded};
use onex_expr::Value;
use onex_kernel::row::RunStatus;

const COUNTER: &str = "
name: counter
node_type: reducer
contract_version: 1.0.0
description: Counts by key.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.in.v1, payload: {type: object, properties: {k: {type: integer}}}}]
state_machine:
  initial_state: open
  initial_data: {n: 0}
  entity_key: payload.k
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: in, actions: [{action_type: state_update, set: {n: '${state.n + 1}'}}]}
";

const TARGET: &str = "
name: target
node_type: effect
contract_version: 1.0.0
description: Does.
effect_operations:
  operations:
    - {operation_name: do, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}, retry_policy: {max_retries: 0}}
";

const FLOW: &str = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Two steps.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {effect_node: target, operation: do}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: target, operation: do}}
";

const IN: &str = "onex.evt.test.in.v1";

fn slow(options: Options) -> Driver {
    let mut driver = Driver::with(&[COUNTER, TARGET, FLOW], options, Box::new(Unguarded));
    driver.slow_disk = true;
    driver
}

fn count(driver: &Driver, key: u64) -> i64 {
    let entity = driver.entity("counter", &key.to_string());
    entity.and_then(|entity| entity.data.get("n")?.as_int()).unwrap_or(0)
}

fn put(driver: &mut Driver, number: u64, key: u64) {
    let request = Request::Publish(publish(number, IN, &format!("{{\"k\": {key}}}")));
    driver.arrive(request);
    driver.turn();
}

#[test]
fn the_next_turn_is_decided_while_a_frame_is_written_and_told_after_its_own() {
    let mut driver = slow(Options::default());
    put(&mut driver, 1, 7);
    put(&mut driver, 2, 7);
    assert_eq!((driver.frames, driver.replies.len()), (1, 0));
    driver.sync();
    assert_eq!((driver.frames, driver.replies.len(), count(&driver, 7)), (2, 1, 1));
    driver.sync();
    assert_eq!((driver.frames, driver.replies.len(), count(&driver, 7)), (2, 2, 2));
}

#[test]
fn a_turn_that_is_ready_does_not_wait_for_what_else_has_arrived() {
    let mut driver = slow(Options { turn_records_ready: 2, ..Options::default() });
    for number in 1..=5 {
        driver.arrive(Request::Publish(publish(number, IN, "{\"k\": 1}")));
    }
    driver.turn();
    assert_eq!(driver.unsynced.as_ref().map(Vec::len), Some(2));
    driver.give(Input::Tick);
    driver.sync();
    assert_eq!((driver.unsynced.as_ref().map(Vec::len), driver.replies.len()), (Some(3), 2));
}

#[test]
fn a_drain_waits_for_the_frame_and_for_the_turn_behind_it() {
    let mut driver = slow(Options::default());
    put(&mut driver, 1, 7);
    put(&mut driver, 2, 7);
    driver.give(Input::Drain);
    assert!(!driver.drained);
    driver.sync();
    assert!(!driver.drained);
    driver.sync();
    assert!(driver.drained);
    assert_eq!(count(&driver, 7), 2);
}

#[test]
fn a_drain_ends_though_a_cycle_has_always_something_to_decide() {
    let options = Options { turn_records_max: 8, ..Options::default() };
    let mut driver = Driver::with(&[LOOP], options, Box::new(Unguarded));
    driver.slow_disk = true;
    driver.arrive(Request::Publish(publish(1, IN, "{}")));
    driver.one_turn();
    for _ in 0..5 {
        driver.input(Input::Tick);
        driver.one_turn();
    }
    driver.input(Input::Drain);
    driver.one_turn();
    let frames = driver.frames;
    while !driver.drained {
        driver.sync();
        assert!(driver.frames <= frames + 1, "it goes on");
    }
}

#[test]
fn a_run_that_ended_in_the_frame_being_written_can_be_retried_in_the_turn_behind_it() {
    let mut driver = slow(Options::default());
    driver.arrive(Request::Start(begin(1, "flow", "{}")));
    driver.turn();
    driver.sync();
    driver.answer(400, Value::Null);
    assert!(driver.unsynced.is_some());
    driver.arrive(Request::Retry(id(1)));
    driver.turn();
    driver.sync();
    assert_eq!(driver.run(1).map(|run| run.head.status), Some(RunStatus::Failed));
    driver.sync();
    driver.answer(200, Value::Null);
    driver.sync();
    driver.answer(200, Value::Null);
    driver.sync();
    assert_eq!(driver.run(1).map(|run| run.head.status), Some(RunStatus::Completed));
}

/// A small generator, so that a seed names a schedule.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn any_schedule_of_arrivals_syncs_and_crashes_keeps_what_was_told() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let options = Options {
            cache_bytes_max: 1024 * dice.below(6) as usize,
            turn_records_ready: 1 + dice.below(4) as usize,
            turn_records_max: 2 + dice.below(6) as usize,
            ..Options::default()
        };
        let mut driver = slow(options);
        let (mut sent, mut runs) = ([0_u64; 4], 0);
        for number in 1..=60 {
            match dice.below(10) {
                0..=3 => {
                    let key = dice.below(4);
                    sent[key as usize] += 1;
                    put(&mut driver, number, key);
                }
                4 => {
                    runs += 1;
                    driver.arrive(Request::Start(begin(runs, "flow", "{}")));
                    driver.turn();
                }
                5 | 6 if !driver.attempts.is_empty() => {
                    driver.answer(if dice.below(5) == 0 { 400 } else { 200 }, Value::Null);
                }
                7 if runs > 0 => {
                    let run = id(1 + dice.below(runs));
                    let retry = dice.below(2) == 0;
                    driver.arrive(if retry { Request::Retry(run) } else { Request::Cancel(run) });
                    driver.turn();
                }
                8 if dice.below(4) == 0 => driver.crash(),
                _ => driver.sync(),
            }
            let told =
                driver.replies.iter().filter(|(_, reply)| matches!(reply, Reply::Accepted { .. }));
            let told = told.count() as i64;
            let kept: i64 = (0..4).map(|key| count(&driver, key)).sum();
            assert!(told <= kept, "seed {seed}: {told} told, {kept} kept");
        }
        while driver.unsynced.is_some() || !driver.attempts.is_empty() {
            driver.sync();
            if !driver.attempts.is_empty() {
                driver.answer(200, Value::Null);
            }
        }
        for (key, sent) in sent.into_iter().enumerate() {
            assert!(count(&driver, key as u64) <= sent as i64, "seed {seed}: twice");
        }
        for number in 1..=runs {
            let ended = driver.run(number).is_none_or(|run| run.head.ended_at.is_some());
            assert!(ended, "seed {seed}: run {number} is stuck");
        }
    }
}
