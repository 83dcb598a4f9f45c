//! The engine's promises, each attacked on its own. Power losses and disks are attacked by `sim`.

mod driver;

use driver::{Driver, accepted, id, publish, refused};
use onex_engine::{Guard, Input, Options, Reply, Request, key};
use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::row::{Reason, RunStatus};

const COUNT: &str = "
name: count
node_type: reducer
contract_version: 1.0.0
description: Counts, and asks a target to take note.
definitions:
  Hit: {type: object, required: [key], properties: {key: {type: string}, n: {type: integer}}}
event_bus: {subscribe_topics: [{topic: onex.evt.test.hit.v1, payload: Hit}]}
state_machine:
  initial_state: open
  initial_data: {sum: 0}
  entity_key: payload.key
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: hit
      actions:
        - {action_type: state_update, set: {sum: '${state.sum + 1}'}}
        - {action_type: intent_emission, intent_type: note.take, payload: {key: '${entity.key}', sum: '${state.sum}'}}
";

const NOTE: &str = "
name: note
node_type: effect
contract_version: 1.0.0
description: Takes note.
event_bus: {publish_topics: [onex.evt.test.noted.v1, onex.evt.test.lost.v1]}
effect_operations:
  operations:
    - operation_name: take
      on_intent: note.take
      idempotent: true
      io_config: {handler_type: target, what: '${payload.key}'}
      response_handling:
        success_codes: [200]
        outcome: {event: onex.evt.test.noted.v1, payload: {key: '${payload.key}'}}
      operation_timeout_ms: 60000
      retry_policy: {max_retries: 2, backoff_strategy: fixed, base_delay_ms: 1000, jitter_factor: 0}
      on_exhausted: {event: onex.evt.test.lost.v1, payload: {key: '${payload.key}'}}
";

const HIT: &str = "onex.evt.test.hit.v1";

fn once(text: &str) -> String {
    NOTE.replace("idempotent: true", text)
        .replace("      retry_policy: {max_retries: 2, backoff_strategy: fixed, base_delay_ms: 1000, jitter_factor: 0}\n", "")
}

#[test]
fn three_effects_cost_four_syncs() {
    let flow = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Three effects in a row.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {effect_node: say, operation: say}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: say, operation: say}}
        - {node_id: three, depends_on: [two], step_config: {effect_node: say, operation: say}}
";
    let say = "
name: say
node_type: effect
contract_version: 1.0.0
description: Says.
effect_operations: {operations: [{operation_name: say, idempotent: true, io_config: {handler_type: target}, response_handling: {success_codes: [200]}}]}
";
    let mut driver = Driver::new(&[flow, say]);
    assert!(matches!(driver.start(1, "flow", "{}"), Reply::Started { repeated: false, .. }));
    for step in 0..3 {
        driver.answer(200, Value::Int(step));
    }
    assert_eq!(driver.frames, 4);
    let run = driver.run(1).expect("it is kept");
    assert_eq!(run.head.status, RunStatus::Completed);
    assert_eq!(run.steps.len(), 3);
    assert_eq!(driver.ended.len(), 1);
    for family in [&b"s"[..], b"i", key::INTENTS, key::TIMERS] {
        assert_eq!(driver.rows(family), 0, "an ended run is one row");
    }
}

#[test]
fn the_same_id_twice_changes_nothing_also_after_a_restart() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    let first = accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    assert_eq!(first, (0, false));
    assert_eq!(accepted(driver.publish(1, HIT, r#"{"key":"a"}"#)), (0, true));
    driver.crash();
    assert_eq!(accepted(driver.publish(1, HIT, r#"{"key":"a"}"#)), (0, true));
    assert_eq!(driver.entity("count", "a").expect("it exists").version, 1);
    let refusal = refused(driver.publish(1, HIT, r#"{"key":"b"}"#));
    assert_eq!((refusal.status, refusal.code), (409, "id_reused"));
    assert!(driver.entity("count", "b").is_none());
}

#[test]
fn an_id_is_forgotten_when_the_window_is_over() {
    let options = Options { dedupe_window_us: 1_000_000, ..Options::default() };
    let mut driver = Driver::with(&[COUNT, NOTE], options, Box::new(onex_engine::Unguarded));
    accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    driver.pass_ms(2000);
    accepted(driver.publish(2, HIT, r#"{"key":"a"}"#));
    assert!(!accepted(driver.publish(1, HIT, r#"{"key":"a"}"#)).1);
}

#[test]
fn a_batch_is_answered_message_by_message() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    let batch = vec![
        publish(1, HIT, r#"{"key":"a"}"#),
        publish(2, HIT, r#"{"n":1}"#),
        publish(3, "onex.evt.test.none.v1", "{}"),
        publish(1, HIT, r#"{"key":"a"}"#),
    ];
    let Reply::Batch(answers) = driver.request(Request::Batch(batch)) else { panic!("a batch") };
    let status: Vec<u16> = answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(|refusal| refusal.status, |_| 202))
        .collect();
    assert_eq!(status, [202, 422, 404, 202]);
    assert_eq!(driver.entity("count", "a").expect("it exists").version, 1);
    assert_eq!(driver.frames, 1);
}

#[test]
fn intents_of_one_entity_are_performed_in_order_and_entities_do_not_wait_for_each_other() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    driver.publish(2, HIT, r#"{"key":"a"}"#);
    driver.publish(3, HIT, r#"{"key":"b"}"#);
    let sum = |driver: &Driver| -> Vec<Value> {
        let each = driver.attempts.iter().map(|one| one.intent.payload.value.clone());
        each.map(|value| value.get("sum").cloned().unwrap_or(Value::Null)).collect()
    };
    assert_eq!(sum(&driver), [Value::Int(1), Value::Int(1)]);
    driver.answer(200, Value::Null);
    assert_eq!(sum(&driver), [Value::Int(1), Value::Int(2)]);
}

#[test]
fn every_attempt_has_the_same_key_and_the_last_failure_is_a_letter_with_its_history() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    let key = driver.attempts[0].intent.id;
    for _ in 0..3 {
        assert_eq!(driver.attempts[0].intent.id, key);
        driver.fail(true, false);
        driver.pass_ms(1000);
    }
    let letters = driver.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, Reason::Exhausted);
    assert_eq!(letters[0].attempts.len(), 3);
    assert_eq!(driver.published("onex.evt.test.lost.v1").len(), 1);
    assert_eq!(driver.rows(b"p"), 0);
}

#[test]
fn a_redriven_intent_keeps_its_key_and_happens_once() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    let key = driver.attempts[0].intent.id;
    driver.fail(false, false);
    let letter = driver.letters().remove(0);
    let letters = vec![letter.id];
    let dry = Request::Redrive { letters: letters.clone(), dry_run: true };
    assert!(matches!(driver.request(dry), Reply::Redriven { redriven, .. } if redriven == letters));
    assert!(driver.attempts.is_empty(), "a dry run does nothing");
    let wet = Request::Redrive { letters: letters.clone(), dry_run: false };
    assert!(
        matches!(driver.request(wet.clone()), Reply::Redriven { redriven, .. } if redriven == letters)
    );
    assert_eq!(driver.attempts[0].intent.id, key);
    driver.answer(200, Value::Null);
    assert_eq!(driver.published("onex.evt.test.noted.v1").len(), 1);
    assert!(driver.letters()[0].redriven_at.is_some());
    assert!(matches!(driver.request(wet), Reply::Redriven { refused, .. } if refused.len() == 1));
}

#[test]
fn what_is_not_idempotent_is_noted_before_the_call_and_never_sent_twice() {
    let note = once("idempotent: false");
    let mut driver = Driver::new(&[COUNT, &note]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    assert_eq!(driver.attempts.len(), 1);
    driver.crash();
    assert!(driver.attempts.is_empty(), "it may have happened: it is not sent again");
    let letters = driver.letters();
    assert_eq!(letters[0].reason, Reason::InDoubt);
    assert_eq!(driver.published("onex.evt.test.lost.v1").len(), 1);
}

#[test]
fn what_is_idempotent_is_attempted_again_after_a_crash_with_the_same_key() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    let key = driver.attempts[0].intent.id;
    driver.crash();
    assert_eq!(driver.attempts[0].intent.id, key);
    driver.answer(200, Value::Null);
    assert_eq!(driver.published("onex.evt.test.noted.v1").len(), 1);
}

#[test]
fn the_first_outcome_wins_and_later_ones_change_nothing() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    let late = driver.attempts[0].clone();
    driver.answer(200, Value::Null);
    let before = driver.log().len();
    let answer = Ok(Value::map([("status", Value::Int(500))]));
    driver.give(Input::Answered { intent: late.intent.id, attempt: late.attempt, answer });
    assert_eq!(driver.log().len(), before);
    assert_eq!(driver.engine.counts().get("late"), Some(&1));
}

#[test]
fn an_open_breaker_delays_without_using_up_attempts_and_ends_in_expiry() {
    let note = NOTE.replace(
        "      operation_timeout_ms: 60000",
        "      operation_timeout_ms: 600000\n      circuit_breaker: {enabled: true, failure_threshold: 1, timeout_ms: 400000}",
    );
    let mut driver = Driver::new(&[COUNT, &note]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    driver.fail(true, false);
    driver.publish(2, HIT, r#"{"key":"b"}"#);
    assert!(driver.attempts.is_empty(), "the breaker is open");
    driver.pass_ms(400_000);
    assert_eq!(driver.attempts.len(), 2, "half-open lets calls through");
    driver.fail(true, false);
    driver.pass_ms(300_000);
    assert!(driver.letters().is_empty());
    assert_eq!(driver.attempts.len(), 1);
}

#[test]
fn what_a_turn_leaves_behind_is_durable_and_first_in_the_next() {
    let fan = "
name: fan
node_type: reducer
contract_version: 1.0.0
description: One message becomes many.
definitions:
  Go: {type: object, required: [keys], properties: {keys: {type: array, items: {type: string}}}}
  Hit: {type: object, required: [key], properties: {key: {type: string}}}
event_bus:
  subscribe_topics: [{topic: onex.evt.test.go.v1, payload: Go}]
  publish_topics: [{topic: onex.evt.test.hit.v1, payload: Hit}]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: go
      actions: [{action_type: event, topic: onex.evt.test.hit.v1, for_each: payload.keys, payload: {key: '${item}'}}]
";
    let options = Options { turn_records_max: 4, ..Options::default() };
    let mut driver = Driver::with(&[fan, COUNT, NOTE], options, Box::new(onex_engine::Unguarded));
    driver.publish(1, "onex.evt.test.go.v1", r#"{"keys":["a","b","c","d","e","f","g","h"]}"#);
    assert!(driver.frames > 2, "one turn cannot hold it");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert_eq!(driver.entity("count", name).expect("it was applied").version, 1);
    }
    assert_eq!(driver.rows(key::BACKLOG), 0);
    assert_eq!(driver.attempts.len(), 8);
}

/// Panics in the step of one delivery, or says that it is poisoned.
struct Hostile {
    panics: bool,
    poisoned: bool,
}

impl Guard for Hostile {
    fn step(&mut self, _delivery: Id, step: &mut dyn FnMut()) -> bool {
        if !self.panics {
            step();
        }
        !self.panics
    }

    fn poisoned(&self, _delivery: &mut dyn FnMut() -> Id) -> bool {
        self.poisoned
    }
}

#[test]
fn a_step_that_panics_or_killed_the_process_twice_is_a_letter_and_nothing_else_changes() {
    for (panics, poisoned) in [(true, false), (false, true)] {
        let guard = Box::new(Hostile { panics, poisoned });
        let mut driver = Driver::with(&[COUNT, NOTE], Options::default(), guard);
        accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
        assert_eq!(driver.letters()[0].reason, Reason::StepPanicked);
        assert!(driver.entity("count", "a").is_none());
        driver.crash();
        let letters = vec![driver.letters()[0].id];
        driver.request(Request::Redrive { letters, dry_run: false });
        assert_eq!(driver.entity("count", "a").expect("redriven").version, 1);
    }
}

#[test]
fn clients_are_refused_beyond_the_bound_and_accepted_work_ends() {
    let options = Options { unfinished_max: 2, ..Options::default() };
    let mut driver = Driver::with(&[COUNT, NOTE], options, Box::new(onex_engine::Unguarded));
    accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    accepted(driver.publish(2, HIT, r#"{"key":"b"}"#));
    assert_eq!(refused(driver.publish(3, HIT, r#"{"key":"c"}"#)).status, 429);
    driver.answer(200, Value::Null);
    accepted(driver.publish(3, HIT, r#"{"key":"c"}"#));
}

#[test]
fn a_drain_begins_no_attempt_and_ends_when_those_under_way_have() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    driver.publish(1, HIT, r#"{"key":"a"}"#);
    driver.publish(2, HIT, r#"{"key":"a"}"#);
    driver.give(Input::Drain);
    assert!(!driver.drained);
    assert_eq!(refused(driver.publish(3, HIT, r#"{"key":"c"}"#)).status, 503);
    driver.answer(200, Value::Null);
    assert!(driver.drained);
    assert!(driver.attempts.is_empty());
    driver.crash();
    assert_eq!(driver.attempts.len(), 1, "the next start goes on");
}

#[test]
fn unknown_and_internal_topics_are_refused() {
    let mut driver = Driver::new(&[COUNT, NOTE]);
    assert_eq!(refused(driver.publish(1, "onex.evt.test.none.v1", "{}")).status, 404);
    assert_eq!(refused(driver.publish(1, "onex.evt.test.noted.v1", "{}")).status, 403);
    assert_eq!(refused(driver.publish(1, HIT, r#"{"key":1}"#)).status, 422);
    assert_eq!(driver.log().len(), 0);
    let _ = id(0);
}
