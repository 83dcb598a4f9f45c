//! What a host keeps when it is stopped, killed, or started twice.

mod support;

use std::process::Stdio;

use onex_expr::Value;
use support::{Host, contracts, fits, onex, parse, run};

const ADDED: &str = r#"{"topic": "onex.evt.test.added.v1", "payload": {"id": "a", "amount": 2},
    "id": "018f0000-0000-7000-8000-000000000001"}"#;

fn total(host: &Host) -> Value {
    host.get("/v1/state/counter/a").json()
}

#[test]
fn what_was_accepted_is_there_after_kill_and_the_same_id_still_counts_once() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", ADDED).status, 202);
    let started = host.post("/v1/workflows/slow", r#"{"which": "x"}"#).json();
    let run = started.get("run_id").and_then(Value::as_str).expect("a run");
    host.signal("-KILL");
    host.ended();

    let host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", ADDED).status, 200);
    let other = ADDED.replace("\"amount\": 2", "\"amount\": 3");
    assert_eq!(host.post("/v1/messages", &other).status, 409);
    let expected = parse(br#"{"version": 1, "data": {"total": 2}}"#);
    assert!(fits(&total(&host), &expected));
    let run = host.get(&format!("/v1/workflows/{run}")).json();
    assert_eq!(run.get("status"), Some(&Value::text("running")));
}

#[test]
fn a_drain_ends_with_zero_and_the_next_start_goes_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", ADDED).status, 202);
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
    let host = Host::start_on(folder.path(), &[]);
    assert!(fits(&total(&host), &parse(br#"{"data": {"total": 2}}"#)));
}

#[test]
fn a_second_host_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let host = Host::start_on(folder.path(), &[]);
    let second = run(onex()
        .arg("run")
        .arg(contracts())
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&host.data));
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another host uses the data folder"), "{said}");
    assert!(said.contains("help: "), "{said}");
    assert_eq!(host.post("/v1/messages", ADDED).status, 202);
}

#[test]
fn nothing_starts_when_a_contract_has_an_error() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    std::fs::create_dir(&contracts).expect("a folder can be made");
    std::fs::write(contracts.join("bad.yaml"), "name: bad\nnode_type: sorcerer\n")
        .expect("a file can be written");
    let data = folder.path().join("data");
    let refused = run(onex()
        .arg("run")
        .arg(&contracts)
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&data));
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("bad.yaml:2"), "{said}");
    assert!(!data.exists(), "the data folder was made");
}

#[test]
fn an_intent_that_is_refused_is_a_letter_that_can_be_put_back() {
    let host = Host::start();
    let file = |id: &str| {
        let body = format!(r#"{{"topic": "onex.evt.test.filed.v1", "payload": {{"id": "{id}"}}}}"#);
        assert_eq!(host.post("/v1/messages", &body).status, 202);
    };
    file("f");
    let is_there = |list: &Value| {
        let items = list.get("items").and_then(Value::as_list);
        items.is_some_and(|items| !items.is_empty())
    };
    let letters = host.until("/v1/dlq", is_there);
    let shape = br#"{"items": [{"id": "<uuid>", "reason": "refused", "node": "files",
        "operation": "read", "run_id": null, "step": null, "topic": "<text>",
        "message": {"payload": {"id": "f"}, "category": "intent"}, "attempts": "<list>",
        "contract_digest": "<digest>", "created_at": "<time>", "redriven_at": null}]}"#;
    assert!(fits(&letters, &parse(shape)), "{}", letters.to_json());
    let id = letters.get_path(["items"]).and_then(Value::as_list).expect("items")[0]
        .get("id")
        .and_then(Value::as_str)
        .expect("an id")
        .to_owned();
    assert_eq!(host.get(&format!("/v1/dlq/{id}")).status, 200);

    let why = host.get(&format!("/v1/why/{id}")).json();
    assert!(fits(
        &why,
        &parse(br#"{"status": "dead_letter", "waits_for": [{"kind": "approval"}]}"#)
    ));

    let inbox = host.data.join("files/in");
    std::fs::create_dir_all(&inbox).expect("a folder can be made");
    std::fs::write(inbox.join("f.txt"), "found").expect("a file can be written");
    let dry = host.post("/v1/dlq:redrive", &format!(r#"{{"ids": ["{id}"], "dry_run": true}}"#));
    let shape = format!(r#"{{"redriven": ["{id}"], "refused": []}}"#);
    assert!(fits(&dry.json(), &parse(shape.as_bytes())));
    let untouched = host.get(&format!("/v1/dlq/{id}")).json();
    assert_eq!(untouched.get("redriven_at"), Some(&Value::Null));

    let done = host.post("/v1/dlq:redrive", r#"{"filter": {"node": "files"}}"#).json();
    assert!(fits(&done, &parse(shape.as_bytes())), "{}", done.to_json());
    let redriven = host.get(&format!("/v1/dlq/{id}")).json();
    assert!(fits(&redriven, &parse(br#"{"redriven_at": "<time>"}"#)));
}

#[test]
fn a_host_with_as_much_unfinished_work_as_it_may_have_says_come_back_later() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let limit = [("ONEX_ENGINE__UNFINISHED_MAX", "2")];
    let host = Host::start_with(&contracts(), folder.path(), &[], &limit);
    for which in ["x", "y"] {
        let body = format!(r#"{{"which": "{which}"}}"#);
        assert_eq!(host.post("/v1/workflows/slow", &body).status, 202);
    }
    for (path, body) in [("/v1/workflows/slow", r#"{"which": "z"}"#), ("/v1/messages", ADDED)] {
        let refused = host.post(path, body);
        assert_eq!(refused.status, 429, "{path}");
        assert_eq!(refused.json().get("code"), Some(&Value::text("busy")));
        assert!(refused.headers.contains_key("retry-after"));
    }
    let runs = host.get("/v1/workflows").json();
    let run = runs.get_path(["items"]).and_then(Value::as_list).expect("items")[0].clone();
    let run = run.get("run_id").and_then(Value::as_str).expect("an id");
    assert_eq!(host.post(&format!("/v1/workflows/{run}:cancel"), "").status, 202);
    host.until(&format!("/v1/workflows/{run}"), |run| {
        run.get("status") == Some(&Value::text("cancelled"))
    });
    assert_eq!(host.post("/v1/messages", ADDED).status, 202);
}

#[test]
fn a_cycle_of_topics_shuts_nobody_out_and_a_drain_ends() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    std::fs::create_dir(&contracts).expect("a folder can be made");
    std::fs::write(
        contracts.join("circle.yaml"),
        "
name: circle
node_type: reducer
contract_version: 1.0.0
description: Hears what it says.
event_bus:
  subscribe_topics: [onex.evt.test.begin.v1, onex.evt.test.again.v1]
  publish_topics: [onex.evt.test.again.v1]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: begin, actions: [&say {action_type: event, topic: onex.evt.test.again.v1, payload: {}}]}
    - {from_state: open, trigger: again, actions: [*say]}
",
    )
    .expect("a file can be written");
    let mut host = Host::start_with(&contracts, folder.path(), &[], &[]);
    let begin = r#"{"topic": "onex.evt.test.begin.v1", "payload": {}}"#;
    for _ in 0..3 {
        assert_eq!(host.post("/v1/messages", begin).status, 202);
    }
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
}

#[test]
fn a_follower_of_the_log_does_not_keep_a_drain_from_ending() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    let mut follower = host
        .command(&["tail", "--follow", "-o", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
    let ended = follower.wait().expect("it is our child");
    assert_eq!(ended.code(), Some(3));
}

#[test]
fn a_run_stays_with_the_contracts_that_began_it() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let changed = folder.path().join("contracts");
    std::fs::create_dir(&changed).expect("a folder can be made");
    for entry in std::fs::read_dir(contracts()).expect("the contracts are there") {
        let path = entry.expect("the contracts are there").path();
        let name = path.file_name().expect("a file has a name");
        std::fs::copy(&path, changed.join(name)).expect("a file can be copied");
    }
    let mut host = Host::start_with(&changed, folder.path(), &[], &[]);
    let started = host.post("/v1/workflows/slow", r#"{"which": "x"}"#).json();
    let run = started.get("run_id").and_then(Value::as_str);
    let run = format!("/v1/workflows/{}", run.expect("a run"));
    host.signal("-KILL");
    host.ended();

    let slow = changed.join("slow.yaml");
    let text = std::fs::read_to_string(&slow).expect("the contract is there");
    std::fs::write(&slow, text.replace("node_id: pause", "node_id: rest"))
        .expect("a file can be written");
    let host = Host::start_with(&changed, folder.path(), &[], &[]);
    let before = host.get(&run).json();
    let shape = br#"{"status": "running", "steps": [{"id": "pause", "status": "waiting"}]}"#;
    assert!(fits(&before, &parse(shape)), "{}", before.to_json());
    let after = host.post("/v1/workflows/slow", r#"{"which": "y"}"#).json();
    let after = after.get("run_id").and_then(Value::as_str).expect("a run");
    let after = host.get(&format!("/v1/workflows/{after}")).json();
    assert!(fits(&after, &parse(br#"{"steps": [{"id": "rest"}]}"#)));
    assert_ne!(before.get("contract_digest"), after.get("contract_digest"));
    assert_eq!(host.post(&format!("{run}:cancel"), "").status, 202);
    let ended = host.get(&format!("{run}?wait=30s")).json();
    assert_eq!(ended.get("status"), Some(&Value::text("cancelled")));
}

/// A copy of the tests' contracts in which one text of one of them is another.
fn changed(folder: &std::path::Path, file: &str, from: &str, to: &str) -> std::path::PathBuf {
    let copy = folder.join("changed/contracts");
    std::fs::create_dir_all(&copy).expect("a folder can be made");
    for entry in std::fs::read_dir(contracts()).expect("the contracts are there") {
        let path = entry.expect("the contracts are there").path();
        let name = path.file_name().expect("a file has a name");
        let text = std::fs::read_to_string(&path).expect("a contract is text");
        let text = if name == file { text.replace(from, to) } else { text };
        std::fs::write(copy.join(name), text).expect("a file can be written");
    }
    copy
}

#[test]
fn contracts_that_do_not_fit_what_is_alive_are_told_and_refused_until_accepted() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", ADDED).status, 202);
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));

    let (before, after) = ("entity_key: payload.id", "entity_key: \"'x' + payload.id\"");
    let changed = changed(folder.path(), "counter.yaml", before, after);
    let start = |more: &[&str]| {
        let data = folder.path().join("data");
        run(onex().arg("run").arg(&changed).arg("--data").arg(data).args(more))
    };
    let refused = start(&["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    for wanted in ["needs migration", "alive now: 1", "nothing was started", "--yes"] {
        assert!(said.contains(wanted), "{wanted} is not in {said}");
    }
    let mut host = Host::start_with(&changed, folder.path(), &["--yes"], &[]);
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
}
