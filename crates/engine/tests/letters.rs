//! Dead letters: let go of, put back within bounds and against the contracts of today, and counted.

mod driver;

use std::collections::BTreeMap;

use driver::{Driver, TARGET, accepted, graph, refused};
use onex_engine::codec::record;
use onex_engine::{Options, Reply, Request, Unguarded, key};
use onex_expr::{Text, Value};
use onex_kernel::row::{LetterStatus, RunStatus, Undoing};
use onex_kernel::{Category, Id};

const HIT: &str = "onex.evt.test.hit.v1";

const COUNT: &str = "
name: count
node_type: reducer
contract_version: 1.0.0
description: Divides, and asks a target to take note.
definitions:
  Hit: {type: object, required: [key], properties: {key: {type: string}, n: {type: integer}}}
event_bus: {subscribe_topics: [{topic: onex.evt.test.hit.v1, payload: Hit}]}
state_machine:
  initial_state: open
  initial_data: {sum: 100}
  entity_key: payload.key
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: hit
      actions:
        - {action_type: state_update, set: {sum: '${state.sum / payload.n}'}}
        - {action_type: intent_emission, intent_type: note.take, payload: {key: '${entity.key}'}}
";

const NOTE: &str = "
name: note
node_type: effect
contract_version: 1.0.0
description: Takes note.
effect_operations:
  operations:
    - operation_name: take
      on_intent: note.take
      idempotent: true
      io_config: {handler_type: target, what: '${payload.key}'}
      response_handling: {success_codes: [200]}
";

const FLOW: &str = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Does something that cannot be undone.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    coordination_rules: {failure_recovery_strategy: compensate}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {effect_node: target, operation: do}, compensation: {operation: undo}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: target, operation: do}, compensation: none}
";

/// One letter of each kind: an event that could not be taken, and an intent that was refused.
fn two_letters(contracts: &[&str]) -> (Driver, Id, Id) {
    let mut driver = Driver::new(contracts);
    accepted(driver.publish(1, HIT, r#"{"key": "a", "n": 0}"#));
    accepted(driver.publish(2, HIT, r#"{"key": "b", "n": 1}"#));
    driver.answer(422, Value::Null);
    let letters = driver.letters();
    assert_eq!(letters.len(), 2);
    let intent = letters.iter().find(|letter| letter.operation.is_some()).expect("one is").id;
    let event = letters.iter().find(|letter| letter.operation.is_none()).expect("one is").id;
    (driver, event, intent)
}

fn discard(driver: &mut Driver, letter: Id, reason: &str) -> (Vec<Id>, Vec<(Id, String)>) {
    let request = Request::Discard { letters: vec![letter], reason: reason.into() };
    match driver.request(request) {
        Reply::Discarded { discarded, refused } => (discarded, refused),
        other => panic!("{other:?}"),
    }
}

fn redriven(reply: Reply) -> (Vec<Id>, Vec<(Id, String)>) {
    match reply {
        Reply::Redriven { redriven, refused } => (redriven, refused),
        other => panic!("{other:?}"),
    }
}

fn redrive(driver: &mut Driver, letter: Id) -> (Vec<Id>, Vec<(Id, String)>) {
    redriven(driver.request(Request::Redrive { letters: vec![letter], dry_run: false }))
}

/// Why a dry run says that a letter cannot be put back.
fn obstacle(driver: &mut Driver, letter: Id) -> String {
    let (_, mut refused) =
        redriven(driver.request(Request::Redrive { letters: vec![letter], dry_run: true }));
    refused.pop().expect("it is refused").1
}

/// What is said in control records of letters: their words, in order.
fn audit(driver: &Driver) -> Vec<(String, Value)> {
    let log = driver.log();
    let control = log.iter().filter(|one| one.message.category == Category::Control);
    let said = control.map(record::payload).filter(|said| said.get("letter_id").is_some());
    let word = |said: &Value| said.get("control").and_then(Value::as_str).map(str::to_owned);
    said.map(|said| (word(&said).expect("a word"), said)).collect()
}

/// What the engine says is open must be what the rows of letters say.
fn counts_agree(driver: &Driver) {
    let mut open: BTreeMap<(&str, Text), u64> = BTreeMap::new();
    for letter in driver.letters().iter().filter(|letter| letter.is_open()) {
        let node = letter.node.clone().unwrap_or_default();
        *open.entry((letter.reason.as_str(), node)).or_default() += 1;
    }
    let counted = driver.engine.letters().iter().filter(|(.., count)| count.open > 0);
    let counted: BTreeMap<_, _> =
        counted.map(|(reason, node, count)| ((reason, node.clone()), count.open)).collect();
    assert_eq!(counted, open);
    assert_eq!(driver.rows(key::OPEN_LETTERS), open.len());
}

#[test]
fn a_discarded_letter_keeps_the_reason_and_is_put_back_only_when_that_is_said() {
    let (mut driver, _, letter) = two_letters(&[COUNT, NOTE]);
    assert_eq!(discard(&mut driver, letter, "by hand").0, [letter]);
    driver.crash();
    let kept = driver.letters().into_iter().find(|one| one.id == letter).expect("it is kept");
    assert_eq!(kept.status(), LetterStatus::Discarded);
    assert_eq!(kept.discarded.map(|discarded| discarded.reason), Some("by hand".into()));
    assert_eq!(discard(&mut driver, letter, "again").1[0].1, "it was discarded: by hand");
    assert_eq!(redrive(&mut driver, letter).1[0].1, "it was discarded: by hand");
    assert!(driver.attempts.is_empty());
    counts_agree(&driver);
    let said = Request::RedriveDiscarded { letters: vec![letter], dry_run: false };
    assert_eq!(redriven(driver.request(said)).0, [letter]);
    assert_eq!(driver.attempts.len(), 1);
    assert_eq!(discard(&mut driver, letter, "late").1[0].1, "it has been redriven before");
    counts_agree(&driver);
}

#[test]
fn whatever_is_done_with_a_letter_is_a_control_record_of_its_story() {
    let (mut driver, event, intent) = two_letters(&[COUNT, NOTE]);
    redrive(&mut driver, event);
    discard(&mut driver, intent, "not wanted");
    redrive(&mut driver, intent);
    let audit = audit(&driver);
    let words: Vec<_> = audit.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["redrive", "discard"], "what is refused changes nothing");
    assert_eq!(audit[0].1.get("letter_id"), Some(&Value::text(event.to_string())));
    assert_eq!(audit[1].1.get("reason"), Some(&Value::text("not wanted")));
    let log = driver.log();
    let discard = log.last().expect("a record").message.clone();
    let letter = driver.letters().into_iter().find(|one| one.id == intent).expect("kept");
    assert_eq!(discard.correlation_id, letter.message.correlation_id);
    assert_eq!(discard.causation_id, Some(letter.message.id));
}

#[test]
fn a_dry_run_holds_letters_against_the_contracts_of_today() {
    let (mut driver, event, intent) = two_letters(&[COUNT, NOTE]);
    let stricter = COUNT.replace("required: [key]", "required: [key, why]");
    driver.activate(graph(&[&stricter, NOTE]));
    assert!(obstacle(&mut driver, event).starts_with("invalid_payload: "));
    let renamed = NOTE.replace("operation_name: take", "operation_name: jot");
    driver.activate(graph(&[COUNT, &renamed]));
    assert_eq!(obstacle(&mut driver, intent), "no operation is called take any more");
    let elsewhere =
        COUNT.replace("test.hit", "test.knock").replace("trigger: hit", "trigger: knock");
    driver.activate(graph(&[&elsewhere, NOTE]));
    assert!(obstacle(&mut driver, event).starts_with("nobody subscribes to "));
    driver.activate(graph(&[COUNT, NOTE]));
    for letter in [event, intent] {
        let dry = Request::Redrive { letters: vec![letter], dry_run: true };
        assert_eq!(redriven(driver.request(dry)).0, [letter]);
    }
    assert!(audit(&driver).is_empty(), "a dry run leaves no trace");
}

#[test]
fn letters_are_not_put_back_beyond_the_bound_of_unfinished_work() {
    let options = Options { unfinished_max: 1, ..Options::default() };
    let mut driver = Driver::with(&[COUNT, NOTE], options, Box::new(Unguarded));
    accepted(driver.publish(1, HIT, r#"{"key": "a", "n": 0}"#));
    accepted(driver.publish(2, HIT, r#"{"key": "b", "n": 1}"#));
    let letters = vec![driver.letters()[0].id];
    let wet = Request::Redrive { letters: letters.clone(), dry_run: false };
    assert_eq!(refused(driver.request(wet.clone())).status, 429);
    let dry = Request::Redrive { letters: letters.clone(), dry_run: true };
    assert_eq!(redriven(driver.request(dry)).0, letters);
    driver.answer(200, Value::Null);
    assert_eq!(redriven(driver.request(wet)).0, letters);
}

#[test]
fn a_run_whose_compensation_is_discarded_stays_incomplete_and_is_not_retried() {
    let mut driver = Driver::new(&[FLOW, TARGET]);
    driver.start(1, "flow", "{}");
    driver.answer(200, Value::Null);
    driver.answer(422, Value::Null);
    driver.answer(422, Value::Null);
    let run = driver.run(1).expect("it is kept");
    assert_eq!((run.head.status, run.head.compensation), (RunStatus::Failed, Undoing::Incomplete));
    let letter = driver.letters()[0].id;
    assert_eq!(discard(&mut driver, letter, "refunded by hand").0, [letter]);
    assert_eq!(driver.run(1).expect("kept").head.compensation, Undoing::Incomplete);
    let refused = refused(driver.request(Request::Retry(driver::id(1))));
    assert!(refused.message.contains("discarded"), "{}", refused.message);
    let said = Request::RedriveDiscarded { letters: vec![letter], dry_run: false };
    assert_eq!(redriven(driver.request(said)).0, [letter]);
    driver.answer(200, Value::Null);
    assert_eq!(driver.run(1).expect("kept").head.compensation, Undoing::Done);
}

#[test]
fn open_letters_are_counted_by_reason_and_node_also_after_a_restart() {
    let (mut driver, event, intent) = two_letters(&[COUNT, NOTE]);
    counts_agree(&driver);
    driver.crash();
    counts_agree(&driver);
    discard(&mut driver, intent, "enough");
    redrive(&mut driver, event);
    counts_agree(&driver);
    driver.crash();
    counts_agree(&driver);
    let open: Vec<_> = driver.engine.letters().iter().collect();
    assert_eq!(open.len(), 1, "the event failed again: {open:?}");
    assert_eq!((open[0].0, open[0].1.as_str(), open[0].2.open), ("expression_error", "count", 1));
}
