//! A step that ends the process: whatever it is a step of, the next starts know it again, and at the
//! second it ends as a letter or a failure instead.

mod driver;

use std::sync::{Arc, Mutex};

use driver::{Driver, accepted};
use onex_engine::{Guard, Options};
use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::row::Reason;

const COUNT: &str = "
name: count
node_type: reducer
contract_version: 1.0.0
description: Counts.
definitions:
  Hit: {type: object, required: [key], properties: {key: {type: string}}}
event_bus: {subscribe_topics: [{topic: onex.evt.test.hit.v1, payload: Hit}]}
state_machine:
  initial_state: open
  initial_data: {sum: 0}
  entity_key: payload.key
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: hit, actions: [{action_type: state_update, set: {sum: '${state.sum + 1}'}}]}
";

const NOTE: &str = "
name: note
node_type: effect
contract_version: 1.0.0
description: Takes note.
effect_operations:
  operations:
    - {operation_name: take, idempotent: true, io_config: {handler_type: target, what: '${payload.key}'}, response_handling: {success_codes: [200]}}
";

const WAITS: &str = "
name: waits
node_type: orchestrator
contract_version: 1.0.0
description: Waits, then calls.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: waits, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: pause, step_config: {wait_ms: 1000}}
        - {node_id: call, depends_on: [pause], step_config: {effect_node: note, operation: take, input: {key: a}}}
    result: {}
";

const HIT: &str = "onex.evt.test.hit.v1";

/// Notes the step that a test names, and knows the one that it says is poisoned.
#[derive(Clone, Default)]
struct Kills(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    /// Steps that go well before the one that kills.
    left: usize,
    noted: Option<Id>,
    poisoned: Option<Id>,
}

impl Guard for Kills {
    fn step(&mut self, delivery: Id, step: &mut dyn FnMut()) -> bool {
        let mut page = self.0.lock().expect("no test panics with it");
        if page.left == 0 && page.noted.is_none() {
            page.noted = Some(delivery);
        }
        page.left = page.left.saturating_sub(1);
        step();
        true
    }

    fn poisoned(&self, delivery: &mut dyn FnMut() -> Id) -> bool {
        let page = self.0.lock().expect("no test panics with it");
        page.poisoned.is_some_and(|poisoned| poisoned == delivery())
    }
}

/// The note of the step that comes after so many others, by a driver that plays a story.
fn noted(left: usize, contracts: &[&str], play: &dyn Fn(&mut Driver)) -> Id {
    let kills = Kills::default();
    kills.0.lock().expect("nobody panics").left = left;
    let mut driver = Driver::with(contracts, Options::default(), Box::new(kills.clone()));
    play(&mut driver);
    let page = kills.0.lock().expect("nobody panics");
    page.noted.expect("there are as many steps")
}

#[test]
fn whatever_step_kills_the_process_twice_is_known_again_and_ends_as_a_letter_or_a_failure() {
    let contracts = [COUNT, NOTE, WAITS];
    let play = |driver: &mut Driver| {
        driver.start(1, "waits", "{}");
        driver.pass_ms(1000);
        driver.answer(200, Value::Null);
    };
    // A reducer's step, by message.
    let hit = |driver: &mut Driver| {
        accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    };
    let kills = Kills::default();
    kills.0.lock().expect("nobody panics").poisoned = Some(noted(0, &contracts, &hit));
    let mut driver = Driver::with(&contracts, Options::default(), Box::new(kills));
    hit(&mut driver);
    assert_eq!(driver.letters()[0].reason, Reason::StepPanicked);
    assert!(driver.entity("count", "a").is_none());
    // The run begins, its timer fires, the outcome is judged, the run hears of it.
    for step in 0..4 {
        let note = noted(step, &contracts, &play);
        let kills = Kills::default();
        let mut driver = Driver::with(&contracts, Options::default(), Box::new(kills.clone()));
        // Another start may have other things at other offsets: the same step has the same note.
        // An intent's id is durable before its outcome is judged.
        if step < 2 {
            accepted(driver.publish(9, HIT, r#"{"key":"z"}"#));
        }
        kills.0.lock().expect("nobody panics").poisoned = Some(note);
        driver.start(1, "waits", "{}");
        driver.pass_ms(1000);
        if !driver.attempts.is_empty() {
            driver.answer(200, Value::Null);
        }
        let failed = driver.run(1).and_then(|run| run.head.error).map(|error| error.code);
        let letters: Vec<Reason> = driver.letters().iter().map(|letter| letter.reason).collect();
        let judged = step == 2;
        assert_eq!(judged, failed.as_deref() == Some("step_panicked"), "step {step}: {failed:?}");
        assert_eq!(judged, letters.is_empty(), "step {step}: {letters:?}");
        assert!(letters.iter().all(|reason| *reason == Reason::StepPanicked), "step {step}");
    }
}

#[test]
fn a_step_that_uses_up_its_fuel_is_a_letter_and_the_next_message_goes_on() {
    let greedy = COUNT.replace(
        "'${state.sum + 1}'",
        "'${size([1, 2, 3, 4, 5, 6, 7, 8].map(a, [1, 2, 3, 4, 5, 6, 7, 8].map(b, payload.key)))}'",
    );
    let options = Options { fuel: 60, ..Options::default() };
    let mut driver = Driver::with(&[&greedy], options, Box::new(onex_engine::Unguarded));
    accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    assert_eq!(driver.letters()[0].reason, Reason::Exceeded);
    assert!(driver.entity("count", "a").is_none());
    let mut driver = Driver::new(&[&greedy]);
    accepted(driver.publish(1, HIT, r#"{"key":"a"}"#));
    assert!(driver.letters().is_empty(), "with enough of it the same step is taken");
}
