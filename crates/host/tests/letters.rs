//! Dead letters through the real binary: let go of and put back, also when it is killed in between.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Output, Stdio};
use std::time::Instant;

use onex_expr::{Value, json};
use support::{DEADLINE, Host, fits, parse, run};

/// Publishes what ends as a dead letter each: files that are not there.
fn file(host: &Host, ids: impl Iterator<Item = usize>) {
    let message =
        |id| format!(r#"{{"topic": "onex.evt.test.filed.v1", "payload": {{"id": "f{id}"}}}}"#);
    let batch: Vec<String> = ids.map(message).collect();
    assert_eq!(host.post("/v1/messages", &format!("[{}]", batch.join(","))).status, 200);
}

/// Makes the files that were missing.
fn mend(host: &Host, ids: impl Iterator<Item = usize>) {
    let inbox = host.data.join("files/in");
    std::fs::create_dir_all(&inbox).expect("a folder can be made");
    for id in ids {
        std::fs::write(inbox.join(format!("f{id}.txt")), "found").expect("a file can be written");
    }
}

/// Ids of the letters of a status, once there are so many.
fn letters(host: &Host, status: &str, count: usize) -> Vec<String> {
    let items = |list: &Value| list.get("items").and_then(Value::as_list).map(<[Value]>::to_vec);
    let path = format!("/v1/dlq?limit=1000&status={status}");
    let list = host.until(&path, |list| items(list).is_some_and(|items| items.len() == count));
    let id = |letter: &Value| letter.get("id").and_then(Value::as_str).map(str::to_owned);
    items(&list).expect("items").iter().map(|letter| id(letter).expect("an id")).collect()
}

fn ask(host: &Host, arguments: &[&str]) -> Output {
    run(&mut host.command(arguments))
}

fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&output.stdout)
}

/// How often each letter was put back, as the log says.
fn redrives(host: &Host) -> BTreeMap<String, usize> {
    let output = ask(host, &["tail", "-o", "json"]);
    let mut found = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let record = parse(line.as_bytes());
        let said = |name: &str| record.get_path(["payload", name]).and_then(Value::as_str);
        if let (Some("redrive"), Some(letter)) = (said("control"), said("letter_id")) {
            *found.entry(letter.to_owned()).or_insert(0) += 1;
        }
    }
    found
}

#[test]
fn a_letter_that_was_let_go_of_stays_so_after_kill_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    file(&host, 0..2);
    let open = letters(&host, "open", 2);
    let id = open[0].as_str();
    let nameless = ask(&host, &["dlq", "discard", id]);
    assert_eq!(nameless.status.code(), Some(2), "a reason is wanted");
    let gone = ["dlq", "discard", id, "--reason", "sent by hand", "-o", "json"];
    let answer = done(&ask(&host, &gone));
    assert_eq!(answer.get("discarded"), Some(&Value::list(vec![Value::text(id)])));
    host.signal("-KILL");
    host.ended();

    let host = Host::start_on(folder.path(), &[]);
    assert_eq!(letters(&host, "open", 1), open[1..]);
    assert_eq!(letters(&host, "all", 2).len(), 2);
    let listed = done(&ask(&host, &["dlq", "list", "--status", "discarded", "-o", "json"]));
    let shape = format!(
        r#"{{"items": [{{"id": "{id}", "status": "discarded", "discarded_at": "<time>",
            "discard_reason": "sent by hand", "redriven_at": null}}]}}"#
    );
    assert!(fits(&listed, &parse(shape.as_bytes())), "{}", json::to_string(&listed));
    let why = host.get(&format!("/v1/why/{id}")).json();
    assert!(fits(&why, &parse(br#"{"status": "discarded", "waits_for": []}"#)));
    let message = listed.get("items").and_then(Value::as_list).expect("items")[0].clone();
    let story = message.get_path(["message", "causation_id"]).and_then(Value::as_str);
    let cause = host.get(&format!("/v1/why/{}", story.expect("a cause"))).json();
    assert!(fits(&cause, &parse(br#"{"waits_for": []}"#)), "it is nobody's task any more");

    let refused = ask(&host, &["dlq", "redrive", id, "-o", "json"]);
    assert_eq!(refused.status.code(), Some(4));
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(said.contains("it was discarded: sent by hand"), "{said}");
    mend(&host, 0..2);
    let again = ["dlq", "redrive", id, "--discarded", "-o", "json"];
    let answer = done(&ask(&host, &again));
    assert_eq!(answer.get("redriven"), Some(&Value::list(vec![Value::text(id)])));
    let counted = [
        r#"onex_dead_letters_open{reason="refused",node="files"} 1"#,
        r#"onex_dead_letters_redriven_total{reason="refused",node="files"} 1"#,
    ];
    let began = Instant::now();
    loop {
        let metrics = String::from_utf8_lossy(&host.get("/metrics").body).into_owned();
        if counted.iter().all(|line| metrics.contains(line)) {
            break;
        }
        assert!(began.elapsed() < DEADLINE, "{metrics}");
        std::thread::yield_now();
    }
}

#[test]
fn a_bulk_redrive_that_is_killed_goes_on_and_puts_each_letter_back_once() {
    const LETTERS: usize = 40;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    file(&host, 0..LETTERS);
    let open = letters(&host, "open", LETTERS);
    mend(&host, 0..LETTERS);
    let dry = done(&ask(&host, &["dlq", "redrive", "--all", "--dry-run", "-o", "json"]));
    assert_eq!(dry.get("redriven").and_then(Value::as_list).map(<[Value]>::len), Some(LETTERS));
    assert!(redrives(&host).is_empty(), "a dry run leaves no trace");
    let mut bulk = host
        .command(&["dlq", "redrive", "--all", "--yes", "--rate", "40/s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    host.until("/v1/dlq?status=redriven", |list| {
        list.get("items").and_then(Value::as_list).is_some_and(|items| items.len() >= 4)
    });
    host.signal("-KILL");
    host.ended();
    assert_eq!(bulk.wait().expect("it is our child").code(), Some(3));

    let host = Host::start_on(folder.path(), &[]);
    let before = redrives(&host).len();
    assert!((4..LETTERS).contains(&before), "the rate was kept: {before}");
    let rest = ["dlq", "redrive", "--node", "files", "--reason", "refused", "-o", "json"];
    let answer = done(&ask(&host, &rest));
    let redriven = answer.get("redriven").and_then(Value::as_list).map(<[Value]>::len);
    assert_eq!(redriven, Some(LETTERS - before));
    let times = redrives(&host);
    let put_back: BTreeSet<String> = times.keys().cloned().collect();
    assert_eq!(put_back, open.into_iter().collect());
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    assert!(letters(&host, "open", 0).is_empty());
}

#[test]
fn a_slow_redrive_keeps_no_drain_from_ending_and_says_what_it_left() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    file(&host, 0..3);
    letters(&host, "open", 3);
    let slow = host
        .command(&["dlq", "redrive", "--all", "--yes", "--rate", "1/h", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    letters(&host, "redriven", 1);
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
    let output = slow.wait_with_output().expect("it is our child");
    assert_eq!(output.status.code(), Some(4));
    let shape = br#"{"redriven": ["<uuid>"], "refused": [{"id": "<uuid>"}, {"id": "<uuid>"}]}"#;
    let answer = parse(&output.stdout);
    assert!(fits(&answer, &parse(shape)), "{}", json::to_string(&answer));
}

#[test]
fn a_request_names_no_more_letters_than_a_host_takes_at_once() {
    let host = Host::start();
    let ids = vec![r#""018f0000-0000-7000-8000-00000000ffff""#; 10_001].join(",");
    for verb in ["redrive", "discard"] {
        let reason = if verb == "discard" { r#", "reason": "many""# } else { "" };
        let body = format!(r#"{{"ids": [{ids}]{reason}}}"#);
        let refused = host.post(&format!("/v1/dlq:{verb}"), &body);
        assert_eq!(refused.status, 400);
        let detail = refused.json().get("detail").and_then(Value::as_str).map(str::to_owned);
        assert_eq!(detail.as_deref(), Some("more than 10000 ids in one request"));
    }
}

#[test]
fn a_run_that_was_not_undone_waits_for_its_letter_and_for_nobody_once_that_is_let_go_of() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let contracts = folder.path().join("contracts");
    std::fs::create_dir(&contracts).expect("a folder can be made");
    let shelf = "
name: shelf
node_type: effect
contract_version: 1.0.0
description: Reads files, and cannot undo it.
effect_operations:
  operations:
    - {operation_name: read, io_config: {handler_type: filesystem, operation: read, file_path_template: 'in/${payload.id}.txt'}}
    - {operation_name: undo, io_config: {handler_type: filesystem, operation: read, file_path_template: in/missing.txt}}
";
    std::fs::write(contracts.join("shelf.yaml"), shelf).expect("a file can be written");
    let flow = "
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
        - {node_id: one, step_config: {effect_node: shelf, operation: read, input: {id: f1}}, compensation: {operation: undo}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: shelf, operation: read, input: {id: gone}}, compensation: none}
";
    std::fs::write(contracts.join("flow.yaml"), flow).expect("a file can be written");
    let host = Host::start_with(&contracts, folder.path(), &[], &[]);
    mend(&host, 1..2);
    let ended = host.post("/v1/workflows/flow?wait=30s", "{}").json();
    let run_id = ended.get("run_id").and_then(Value::as_str).expect("a run").to_owned();
    let path = format!("/v1/workflows/{run_id}");
    let failed = host.get(&path).json();
    assert!(fits(&failed, &parse(br#"{"status": "failed", "compensation": "incomplete"}"#)));
    let letter = letters(&host, "open", 1).remove(0);
    let shape =
        format!(r#"{{"reason": "compensation_failed", "run_id": "{run_id}", "step": "one"}}"#);
    assert!(fits(&host.get(&format!("/v1/dlq/{letter}")).json(), &parse(shape.as_bytes())));
    let why = host.get(&format!("/v1/why/{run_id}")).json();
    let waits = why.get("waits_for").and_then(Value::as_list).expect("a list");
    assert_eq!(waits.len(), 1, "a retry is not offered: {}", json::to_string(&why));
    let reason = ["dlq", "discard", &letter, "--reason", "undone by hand", "-o", "json"];
    done(&ask(&host, &reason));
    let why = host.get(&format!("/v1/why/{run_id}")).json();
    assert!(fits(&why, &parse(br#"{"status": "failed", "waits_for": []}"#)));
    let after = host.get(&path).json();
    assert!(fits(&after, &parse(br#"{"status": "failed", "compensation": "incomplete"}"#)));
    assert_eq!(host.post(&format!("{path}:retry"), "").status, 409);
}
