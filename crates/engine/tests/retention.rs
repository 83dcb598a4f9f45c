//! What has ended is kept for a while, and then forgotten.

mod driver;

use driver::{Driver, TARGET, accepted, id};
use onex_engine::codec::record;
use onex_engine::{Input, Kind, Options, Reply, Request, Unguarded, key};
use onex_expr::Value;
use onex_kernel::Category;
use onex_kernel::row::RunStatus;

const HIT: &str = "onex.evt.test.hit.v1";
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const FLOW: &str = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Does one thing.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    execution_graph: {nodes: [{node_id: one, step_config: {effect_node: target, operation: do}}]}
";

const UNDONE: &str = "
name: undone
node_type: orchestrator
contract_version: 1.0.0
description: Does something that cannot be undone.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: undone, timeout_ms: 60000}
    coordination_rules: {failure_recovery_strategy: compensate}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: target, operation: do}, compensation: none}
";

const OUTER: &str = "
name: outer
node_type: orchestrator
contract_version: 1.0.0
description: Begins a run and goes on for long.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: outer, timeout_ms: 200000000}
    execution_graph:
      nodes:
        - {node_id: sub, step_config: {workflow: flow, input: {}}}
        - {node_id: long, depends_on: [sub], step_config: {wait_ms: 108000000}}
";

const DOOR: &str = "
name: door
node_type: reducer
contract_version: 1.0.0
description: Is walled up in the end; counts who knocks then.
definitions:
  Hit: {type: object, required: [key], properties: {key: {type: string}, n: {type: integer}}}
event_bus:
  subscribe_topics:
    - {topic: onex.evt.test.hit.v1, payload: Hit}
    - {topic: onex.evt.test.knock.v1, payload: Hit}
state_machine:
  initial_state: open
  initial_data: {knocks: 0}
  entity_key: payload.key
  states: [{state_name: open, waits: forever}, {state_name: walled, is_terminal: true}]
  transitions:
    - {from_state: open, to_state: walled, trigger: hit, actions: [{action_type: state_update, set: {knocks: '${0 / payload.n}'}}]}
    - {from_state: walled, trigger: knock, actions: [{action_type: state_update, set: {knocks: '${state.knocks + 1}'}}]}
";

fn driver(contracts: &[&str], options: Options) -> Driver {
    Driver::with(contracts, options, Box::new(Unguarded))
}

fn flows() -> Driver {
    driver(&[FLOW, TARGET], Options::default())
}

fn run(driver: &mut Driver, number: u64, status: i64) {
    driver.start(number, "flow", "{}");
    driver.answer(status, Value::Null);
}

/// How many were forgotten in each record that says so.
fn forgotten(driver: &Driver, what: &str) -> Vec<usize> {
    let log = driver.log();
    let controls = log.iter().filter(|one| one.message.category == Category::Control);
    let said = controls
        .map(record::payload)
        .filter(|said| said.get("control").and_then(Value::as_str) == Some("forget"));
    said.filter_map(|said| Some(said.get(what)?.as_list()?.len())).collect()
}

#[test]
fn a_run_is_forgotten_when_its_time_is_over_and_not_before() {
    let mut driver = flows();
    assert_eq!(driver.wake_at, None, "nothing is kept");
    run(&mut driver, 1, 200);
    let frames = driver.frames;
    driver.pass_ms(DAY - 1);
    assert!(driver.run(1).is_some());
    assert_eq!(driver.frames, frames);

    driver.pass_ms(MINUTE + 1);
    assert!(driver.run(1).is_none());
    assert_eq!(driver.frames, frames + 1, "in one record");
    assert_eq!(forgotten(&driver, "runs"), [1]);
    let kept = driver.engine.retained();
    assert_eq!((kept.kept(Kind::Runs), kept.forgotten(Kind::Runs)), (0, 1));
    assert_eq!(driver.wake_at, None, "an idle host sleeps");

    let again = driver.start(1, "flow", "{}");
    assert!(matches!(again, Reply::Started { repeated: false, .. }), "{again:?}");
}

#[test]
fn the_oldest_runs_beyond_the_count_are_forgotten() {
    let mut driver = driver(&[FLOW, TARGET], Options { ended_runs_max: 3, ..Options::default() });
    for number in 1..=5 {
        run(&mut driver, number, 200);
    }
    let kept: Vec<u64> = (1..=5).filter(|number| driver.run(*number).is_some()).collect();
    assert_eq!(kept, [3, 4, 5]);
}

#[test]
fn a_start_knows_what_ended_and_forgets_a_bounded_number_at_a_time() {
    let mut driver = flows();
    for number in 0..1500 {
        run(&mut driver, number, 200);
    }
    assert_eq!(driver.rows(key::retained_of(Kind::Runs)), 1, "one piece, the rest is in the log");
    driver.crash();
    assert_eq!(driver.engine.retained().kept(Kind::Runs), 1500);

    driver.now += (DAY + MINUTE) * 1000;
    for _ in 0..9 {
        driver.one_turn();
    }
    assert!(
        (500..1500).contains(&driver.rows(key::RUNS)),
        "some are forgotten, and the piece is not used up"
    );
    driver.crash();
    driver.pass_ms(MINUTE);
    assert_eq!(driver.rows(key::RUNS), 0);
    let records = forgotten(&driver, "runs");
    assert_eq!(records.iter().sum::<usize>(), 1500);
    assert!(records.iter().all(|count| *count <= 128), "{records:?}");
    driver.crash();
    assert_eq!(driver.engine.retained().kept(Kind::Runs), 0);
    assert_eq!(driver.wake_at, None);
}

#[test]
fn a_start_whose_log_does_not_reach_back_looks_through_the_rows() {
    let mut driver = flows();
    for number in 0..1100 {
        driver.pass_ms(1);
        run(&mut driver, number, 200);
    }
    driver.oldest = driver.log().len() as u64;
    driver.crash();
    let kept = driver.engine.retained().kept(Kind::Runs);
    assert_eq!(kept, 1101, "the last of the piece is known twice");
    driver.pass_ms(DAY + MINUTE);
    assert_eq!(driver.rows(key::RUNS), 0);
}

#[test]
fn a_run_that_was_retried_is_kept_from_its_new_end_on() {
    let mut driver = flows();
    run(&mut driver, 1, 422);
    driver.pass_ms(12 * HOUR);
    driver.request(Request::Retry(id(1)));
    driver.answer(200, Value::Null);
    driver.pass_ms(13 * HOUR);
    assert_eq!(driver.run(1).map(|run| run.head.status), Some(RunStatus::Completed));
    driver.crash();
    driver.pass_ms(11 * HOUR + MINUTE);
    assert!(driver.run(1).is_none());
}

#[test]
fn a_run_stays_while_a_dead_letter_of_its_story_is_open() {
    let mut driver = driver(&[FLOW, TARGET, DOOR], Options::default());
    run(&mut driver, 1, 200);
    accepted(driver.publish(1, HIT, r#"{"key": "a", "n": 0}"#));
    let letter = driver.letters()[0].id;
    driver.pass_ms(25 * HOUR);
    driver.crash();
    driver.pass_ms(DAY);
    assert!(driver.run(1).is_some());

    let (letters, reason) = (vec![letter], "in a test".into());
    driver.request(Request::Discard { letters, reason });
    driver.pass_ms(DAY + 2 * MINUTE);
    assert!(driver.run(1).is_none());
}

#[test]
fn held_runs_do_not_count_and_do_not_keep_the_engine_busy() {
    let options = Options { ended_runs_max: 1, ended_runs_ms: 1, ..Options::default() };
    let mut driver = driver(&[FLOW, TARGET, DOOR], options);
    for number in 1..=3 {
        accepted(driver.publish(number, HIT, r#"{"key": "a", "n": 0}"#));
        run(&mut driver, number, 200);
    }
    driver.pass_ms(1);
    let frames = driver.frames;
    driver.pass_ms(10 * MINUTE);
    assert_eq!(driver.rows(key::RUNS), 3);
    assert_eq!(driver.frames, frames, "looking is not writing");
}

#[test]
fn a_run_that_another_began_stays_as_long_as_that_one_is_kept() {
    let mut driver = driver(&[OUTER, FLOW, TARGET], Options::default());
    driver.start(1, "outer", "{}");
    driver.answer(200, Value::Null);
    driver.pass_ms(29 * HOUR);
    assert_eq!(driver.rows(key::RUNS), 2, "the outer one is live");
    driver.pass_ms(24 * HOUR);
    assert_eq!(driver.rows(key::RUNS), 2, "the outer one may be retried");
    driver.pass_ms(2 * HOUR);
    assert!(driver.run(1).is_none());
    driver.pass_ms(DAY);
    assert_eq!(driver.rows(key::RUNS), 0);
}

#[test]
fn an_undoing_that_fails_again_after_its_run_was_forgotten_is_a_dead_letter() {
    let mut driver = driver(&[UNDONE, TARGET], Options::default());
    driver.start(1, "undone", "{}");
    for status in [200, 422, 422] {
        driver.answer(status, Value::Null);
    }
    let letters = vec![driver.letters()[0].id];
    let reason = "in a test".into();
    driver.request(Request::Discard { letters: letters.clone(), reason });
    driver.pass_ms(DAY + MINUTE);
    assert!(driver.run(1).is_none());

    driver.request(Request::RedriveDiscarded { letters, dry_run: false });
    driver.answer(422, Value::Null);
    assert_eq!(driver.letters().iter().filter(|letter| letter.is_open()).count(), 1);
}

#[test]
fn an_entity_is_forgotten_long_after_its_last_change_in_a_terminal_state() {
    let mut driver = driver(&[DOOR], Options::default());
    for (number, text) in [r#"{"key": "a", "n": 1}"#, r#"{"key": "b", "n": 1}"#].iter().enumerate()
    {
        accepted(driver.publish(number as u64, HIT, text));
    }
    accepted(driver.publish(3, "onex.evt.test.knock.v1", r#"{"key": "open"}"#));
    driver.pass_ms(20 * DAY);
    accepted(driver.publish(4, "onex.evt.test.knock.v1", r#"{"key": "b"}"#));
    driver.crash();
    driver.pass_ms(10 * DAY + MINUTE);
    assert!(driver.entity("door", "a").is_none());
    assert!(driver.entity("door", "b").is_some(), "it changed since");
    assert_eq!(forgotten(&driver, "entities"), [1]);

    accepted(driver.publish(5, HIT, r#"{"key": "a", "n": 1}"#));
    assert_eq!(driver.entity("door", "a").map(|entity| entity.version), Some(1), "made anew");
    driver.pass_ms(31 * DAY);
    assert_eq!(driver.rows(key::ENTITIES), driver.rows(&key::entity("door", "open")));
}

#[test]
fn forgetting_leaves_the_reserve_of_the_disk_alone() {
    let mut driver = flows();
    run(&mut driver, 1, 200);
    driver.give(Input::Reserve(true));
    driver.pass_ms(2 * DAY);
    assert!(driver.run(1).is_some());
    driver.give(Input::Reserve(false));
    assert!(driver.run(1).is_none());
}
