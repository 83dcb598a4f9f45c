//! What was: chains of causes, and states at an offset, through the real binary.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use onex_expr::{Value, json};
use support::{Host, onex, parse, run};

/// The lines of JSON that a command prints.
fn lines(host: &Host, arguments: &[&str]) -> Vec<Value> {
    let output = run(&mut host.command(arguments));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| parse(line.as_bytes())).collect()
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or("-").to_owned()
}

fn publish(host: &Host, message: &str) -> (String, u64) {
    let accepted = host.post("/v1/messages", message);
    assert_eq!(accepted.status, 202, "{}", String::from_utf8_lossy(&accepted.body));
    let accepted = accepted.json();
    let offset = accepted.get("offset").and_then(Value::as_int).expect("an offset");
    (text(&accepted, "id"), offset as u64)
}

/// Depth, category, and whether it is what was asked for, of each record of a chain.
fn tree(chain: &[Value]) -> Vec<(i64, String, bool)> {
    let depth = |link: &Value| link.get("depth").and_then(Value::as_int).expect("a depth");
    let one = |link: &Value| (depth(link), text(link, "category"), text(link, "place") == "itself");
    chain.iter().map(one).collect()
}

fn at(depth: i64, category: &str, asked: bool) -> (i64, String, bool) {
    (depth, category.to_owned(), asked)
}

#[test]
fn a_chain_leads_back_to_the_first_cause_and_on_to_everything_that_came_of_it() {
    let host = Host::start();
    let (event, _) =
        publish(&host, r#"{"topic": "onex.evt.test.filed.v1", "payload": {"id": "gone"}}"#);
    publish(&host, r#"{"topic": "onex.evt.test.filed.v1", "payload": {"id": "other"}}"#);
    let list = host.until("/v1/dlq", |list| {
        list.get("items").and_then(Value::as_list).is_some_and(|items| items.len() == 2)
    });
    let letters = list.get("items").and_then(Value::as_list).expect("items");
    let about = |letter: &&Value| {
        letter.get_path(["message", "payload", "id"]) == Some(&Value::text("gone"))
    };
    let letter = text(letters.iter().find(about).expect("it is there"), "id");
    let intent =
        text(letters.iter().find(about).and_then(|l| l.get("message")).expect("one"), "id");

    let whole = [at(0, "event", true), at(1, "intent", false), at(2, "outcome", false)];
    assert_eq!(tree(&lines(&host, &["tail", "--chain", &event, "-o", "json"])), whole);
    let middle = [at(0, "event", false), at(1, "intent", true), at(2, "outcome", false)];
    for id in [&letter, &intent] {
        assert_eq!(tree(&lines(&host, &["tail", "--chain", id, "-o", "json"])), middle);
    }
    let reason = ["dlq", "discard", &letter, "--reason", "enough", "-o", "json"];
    assert_eq!(lines(&host, &reason).len(), 1);
    let after = lines(&host, &["tail", "--chain", &letter, "-o", "json"]);
    assert_eq!(tree(&after).last(), Some(&at(2, "control", false)), "what was done with it too");

    let shown = run(&mut host.command(&["tail", "--chain", &letter]));
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let rows: Vec<&str> = shown.lines().collect();
    assert!(rows[0].contains("  event onex.evt.test.filed.v1"), "{shown}");
    assert!(rows[1].starts_with('>') && rows[1].contains(" s    intent "), "{shown}");
    assert!(rows[2].contains(" s      outcome "), "{shown}");
    let nobody = host.get("/v1/log?chain=018f0000-0000-7000-8000-00000000ffff");
    assert_eq!(nobody.status, 404);
}

#[test]
fn a_chain_of_a_run_tells_its_steps_and_one_beyond_what_is_looked_at_says_so() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let few = [("ONEX_ENGINE__SCAN_RECORDS_MAX", "3")];
    let host = Host::start_with(&support::contracts(), folder.path(), &[], &few);
    let started = host.post("/v1/workflows/pair?wait=30s", r#"{"amount": 2}"#).json();
    let run_id = text(&started, "run_id");
    let chain = host.get(&format!("/v1/log?chain={run_id}")).json();
    let items = chain.get("items").and_then(Value::as_list).expect("items");
    let whole = [at(0, "command", true), at(1, "intent", false), at(2, "outcome", false)];
    assert_eq!(tree(items), whole);
    publish(&host, r#"{"topic": "onex.evt.test.added.v1", "payload": {"id": "a", "amount": 1}}"#);
    let cut = host.get(&format!("/v1/log?chain={run_id}")).json();
    let items = cut.get("items").and_then(Value::as_list).expect("items");
    assert_eq!(tree(items), [at(0, "intent", false), at(1, "outcome", false)]);
    assert_eq!(cut.get("cause_missing"), Some(&Value::Bool(true)));
    let from = cut.get_path(["searched", "from"]).and_then(Value::as_int).expect("an offset");
    let said = run(&mut host.command(&["tail", "--chain", &run_id]));
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains(&format!("its cause lies before {from}")), "{said}");
    let back = host.get(&format!("/v1/log?chain={run_id}&from=beginning")).json();
    let items = back.get("items").and_then(Value::as_list).expect("items");
    assert_eq!(tree(items).first(), whole.first());
}

#[test]
fn a_chain_of_more_than_is_told_says_so() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    std::fs::create_dir(&contracts).expect("a folder can be made");
    let fan = "
name: fan
node_type: reducer
contract_version: 1.0.0
description: Says everything to everybody.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.in.v1, payload: {type: object, properties: {items: {type: array}}}}]
  publish_topics: [onex.evt.test.out.v1]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: in, actions: [{action_type: event, topic: onex.evt.test.out.v1, for_each: payload.items, payload: {}}]}
";
    std::fs::write(contracts.join("fan.yaml"), fan).expect("a file can be written");
    let host = Host::start_with(&contracts, folder.path(), &[], &[]);
    let items = vec!["1"; 1200].join(",");
    let message =
        format!(r#"{{"topic": "onex.evt.test.in.v1", "payload": {{"items": [{items}]}}}}"#);
    let (id, _) = publish(&host, &message);
    let part = |chain: &Value| chain.get("items").and_then(Value::as_list).map(<[Value]>::len);
    let chain = host.until(&format!("/v1/log?chain={id}"), |chain| part(chain) == Some(1000));
    assert_eq!(chain.get("cut"), Some(&Value::Bool(true)));
    let said = run(&mut host.command(&["tail", "--chain", &id]));
    assert!(String::from_utf8_lossy(&said.stderr).contains("there is more"));
}

#[test]
fn a_timeout_came_of_the_message_that_armed_it() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    std::fs::create_dir(&contracts).expect("a folder can be made");
    let door = "
name: door
node_type: reducer
contract_version: 1.0.0
description: Opens, and closes by itself.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.knocked.v1}]
  publish_topics: [onex.evt.test.closed.v1]
state_machine:
  initial_state: closed
  entity_key: \"'one'\"
  states: [{state_name: closed, waits: forever}, {state_name: open, timeout_ms: 20}]
  transitions:
    - {from_state: closed, to_state: open, trigger: knocked}
    - {from_state: open, to_state: closed, trigger: timeout, actions: [{action_type: event, topic: onex.evt.test.closed.v1, payload: {}}]}
";
    std::fs::write(contracts.join("door.yaml"), door).expect("a file can be written");
    let host = Host::start_with(&contracts, folder.path(), &[], &[]);
    let (knock, _) = publish(&host, r#"{"topic": "onex.evt.test.knocked.v1", "payload": {}}"#);
    host.until("/v1/state/door/one", |entity| entity.get("version") == Some(&Value::Int(2)));
    let chain = lines(&host, &["tail", "--chain", &knock, "-o", "json"]);
    let whole = [at(0, "event", true), at(1, "timer", false), at(2, "event", false)];
    assert_eq!(tree(&chain), whole);
}

/// Every counter at an offset: its key, version and total.
type Counters = BTreeMap<String, (i64, i64)>;

fn counters(states: &[Value]) -> Counters {
    let entities = states.iter().filter(|state| text(state, "kind") == "entity");
    let number = |of: Option<&Value>| of.and_then(Value::as_int).expect("a number");
    let one = |state: &Value| {
        let total = number(state.get_path(["data", "total"]));
        (text(state, "key"), (number(state.get("version")), total))
    };
    entities.map(one).collect()
}

fn add(host: &Host, key: usize, amount: i64) -> u64 {
    let payload = format!(r#"{{"id": "k{key}", "amount": {amount}}}"#);
    publish(host, &format!(r#"{{"topic": "onex.evt.test.added.v1", "payload": {payload}}}"#)).1
}

/// The host's states at an offset, in parts of two.
fn in_parts(host: &Host, offset: u64) -> Counters {
    let (mut states, mut after) = (Vec::new(), String::new());
    loop {
        let page = host.get(&format!("/v1/at/{offset}?limit=2&after={after}")).json();
        states.extend_from_slice(page.get("items").and_then(Value::as_list).expect("items"));
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = next.to_owned(),
            None => return counters(&states),
        }
    }
}

#[test]
fn states_at_an_offset_are_what_they_were_however_the_host_ended() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    let (mut model, mut then) = (Counters::new(), Vec::new());
    for round in 0..60 {
        let (key, amount) = (round * 7 % 11, (round % 5) as i64);
        let offset = add(&host, key, amount);
        // A guard refuses zero: of an entity that is not there nothing is kept.
        if amount > 0 {
            let (version, total) = model.entry(format!("k{key}")).or_default();
            (*version, *total) = (*version + 1, *total + amount);
        }
        then.push((offset, model.clone()));
    }
    let started = host.post("/v1/workflows/slow", r#"{"which": "x"}"#).json();
    let run_id = text(&started, "run_id");
    std::thread::scope(|scope| {
        // What is published meanwhile changes nothing of what was.
        let meanwhile = scope.spawn(|| {
            (0..200).for_each(|round| {
                add(&host, round % 13, 1);
            })
        });
        for (offset, model) in then.iter().step_by(9) {
            assert_eq!(&in_parts(&host, *offset), model, "at {offset}");
        }
        meanwhile.join().expect("no panic");
    });
    host.signal("-KILL");
    host.ended();
    let host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post(&format!("/v1/workflows/{run_id}:cancel"), "").status, 202);
    host.until(&format!("/v1/workflows/{run_id}"), |run| text(run, "status") == "cancelled");
    let (last, all) = then.last().expect("sixty");
    let states = lines(&host, &["at", &(last + 1).to_string(), "-o", "json"]);
    assert_eq!(&counters(&states), all);
    let run_then = states.iter().find(|state| text(state, "kind") == "run").expect("it had begun");
    assert_eq!(text(run_then, "status"), "running");
    let step = run_then.get("steps").and_then(Value::as_list).expect("steps")[0].clone();
    assert_eq!((text(&step, "id"), text(&step, "status")), ("pause".into(), "waiting".into()));
    let one = lines(&host, &["at", &then[30].0.to_string(), "--key", "k3", "-o", "json"]);
    let wanted: Counters = then[30].1.clone().into_iter().filter(|(key, _)| key == "k3").collect();
    assert_eq!(counters(&one), wanted);
    assert_eq!(host.get("/v1/at/100000").status, 400);
    let data = host.data.clone();
    drop(host);
    let (offset, model) = &then[40];
    assert_eq!(&counters(&at_rest(&data, *offset)), model);
}

/// The states of a data folder that no host has open.
fn at_rest(data: &Path, offset: u64) -> Vec<Value> {
    let output = run(onex().args(["at", &offset.to_string(), "-o", "json", "--data"]).arg(data));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| parse(line.as_bytes())).collect()
}

#[test]
fn what_the_log_keeps_no_more_is_refused_and_never_told_in_part() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let short = [("ONEX_STORE__LOG_BYTES_MAX", "1MiB"), ("ONEX_DEDUPE__WINDOW", "1ms")];
    let start = || Host::start_with(&support::contracts(), folder.path(), &[], &short);
    let mut host = start();
    add(&host, 1, 5);
    add(&host, 2, 5);
    let filler = "x".repeat(1000);
    let message = format!(
        r#"{{"topic": "onex.evt.test.added.v1", "event_type": "{filler}", "payload": {{"id": "k9", "amount": 1}}}}"#
    );
    let batch = format!("[{}]", vec![message; 500].join(","));
    for _ in 0..6 {
        assert_eq!(host.post("/v1/messages", &batch).status, 200);
    }
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));

    let host = start();
    let gone = host.get("/v1/at/1");
    assert_eq!(gone.status, 410, "{}", String::from_utf8_lossy(&gone.body));
    let detail = text(&gone.json(), "detail");
    let oldest: u64 = detail.rsplit(' ').next().and_then(|n| n.parse().ok()).expect("an offset");
    assert!(oldest > 2, "{detail}");
    let known = in_parts(&host, oldest);
    assert_eq!((known["k1"], known["k2"]), ((1, 5), (1, 5)), "unchanged since");
    let changed = add(&host, 2, 3);
    let refused = run(&mut host.command(&["at", &oldest.to_string()]));
    assert_eq!(refused.status.code(), Some(4));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&format!("not retained before {changed}")), "{said}");
    let new = add(&host, 77, 1);
    assert_eq!(in_parts(&host, changed)["k2"], (2, 8));
    assert!(!in_parts(&host, changed).contains_key("k77"), "it came with {new}");
    let other = lines(&host, &["at", &oldest.to_string(), "--key", "k1", "-o", "json"]);
    assert_eq!(counters(&other)["k1"], (1, 5), "{}", json::to_string(&other[0]));
}
