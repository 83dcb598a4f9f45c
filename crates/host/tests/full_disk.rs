//! The real host on a filesystem that runs full: new work is refused with the limit that says so,
//! what was accepted ends, a host that is killed comes back on the full disk, and new work is taken
//! again once there is room, without a restart.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use onex_expr::{Value, json};
use support::small_disk::{self, Ballast};
use support::{ASKS, Answer, DEADLINE, Host};

const FLOW: &str = r#"
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Asks twice, one after the other.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.begin.v1, payload: {type: object}}]
  publish_topics: [onex.evt.test.ended.v1]
workflow_coordination:
  workflow_definition:
    execution_graph:
      nodes:
        - {node_id: first, step_config: {effect_node: target, operation: ask}}
        - {node_id: second, depends_on: [first], step_config: {effect_node: target, operation: ask}}
    outcomes:
      completed: {event: onex.evt.test.ended.v1, payload: {}}
      failed: {event: onex.evt.test.ended.v1, payload: {}}
"#;

const KEEP: &str = r#"
name: keep
node_type: reducer
contract_version: 1.0.0
description: Keeps the last text under each name.
event_bus:
  subscribe_topics:
    - topic: onex.evt.test.told.v1
      payload: {type: object, required: [name, text], properties: {name: {type: string}, text: {type: string}}}
state_machine:
  initial_state: told
  entity_key: payload.name
  states: [{state_name: told, waits: forever}]
  transitions:
    - {from_state: told, trigger: told, actions: [{action_type: state_update, set: {size: "${size(payload.text)}"}}]}
"#;

const BEGIN: &str = r#"{"topic": "onex.evt.test.begin.v1", "payload": {}}"#;

/// Runs that are under way while the disk fills.
const RUNS: usize = 20;

/// Messages that are told in the test, at most: far more than the disk holds.
const TOLD_MAX: usize = 4_000;

fn start(folder: &Path, service: &TcpListener) -> Host {
    let contracts = folder.join("contracts");
    std::fs::create_dir_all(&contracts).expect("a folder can be made");
    for (name, text) in [("target.yaml", ASKS), ("flow.yaml", FLOW), ("keep.yaml", KEEP)] {
        let file = contracts.join(name);
        if !file.exists() {
            std::fs::write(file, text).expect("a file can be written");
        }
    }
    let gateway = format!("http://{}", service.local_addr().expect("it listens"));
    let concurrency = [("ONEX_CONFIG__GATEWAY", gateway.as_str())];
    Host::start_with(&contracts, folder, &[], &concurrency)
}

/// Tells something of 64 KiB under a name of its own.
fn tell(host: &Host, number: usize) -> Answer {
    let text = "x".repeat(64 << 10);
    host.post(
        "/v1/messages",
        &format!(
            r#"{{"topic": "onex.evt.test.told.v1", "payload": {{"name": "n{number}", "text": "{text}"}}}}"#
        ),
    )
}

/// Tells until the host refuses; how many messages it has taken in all.
fn fill(host: &Host, mut told: usize) -> usize {
    loop {
        let answer = tell(host, told);
        if answer.status != 202 {
            is_refused(&answer);
            return told;
        }
        told += 1;
        assert!(told < TOLD_MAX, "it is never full");
    }
}

fn is_refused(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    let problem = answer.json();
    assert_eq!(problem.get("code"), Some(&Value::text("disk_full")));
    assert_eq!(problem.get("limit"), Some(&Value::text("store.reserve")));
    assert!(answer.headers.contains_key("retry-after"));
}

/// Answers everybody who asks, for as long as the test runs.
fn answer_all(service: TcpListener) {
    std::thread::spawn(move || {
        for stream in service.incoming().flatten() {
            // Who was killed while it asked hears nothing.
            let _ = answer(stream);
        }
    });
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    )
}

fn completed(host: &Host, runs: usize) {
    host.until("/v1/workflows?status=completed&limit=1000", |page| {
        page.get("items").and_then(Value::as_list).is_some_and(|items| items.len() == runs)
    });
}

fn has_kept(host: &Host, told: usize) {
    let counts = host.get("/v1/state/keep?count_by=state").json();
    let wanted = format!(r#"{{"counts":{{"told":{told}}}}}"#);
    assert_eq!(json::to_string(&counts), wanted);
}

/// Waits until the host takes new work again.
fn takes_work_again(host: &Host, number: usize) {
    let began = Instant::now();
    while tell(host, number).status != 202 {
        assert!(began.elapsed() < DEADLINE, "it takes nothing although there is room");
    }
}

fn is_full(host: &Host) -> bool {
    let health = host.get("/health").json();
    let store = health.get("components").and_then(|all| all.get("store"));
    store.and_then(|store| store.get("detail")) == Some(&Value::text("the disk is full"))
}

#[test]
fn a_disk_that_runs_full_refuses_what_is_new_and_lets_what_was_accepted_end() {
    small_disk::run(
        "a_disk_that_runs_full_refuses_what_is_new_and_lets_what_was_accepted_end",
        |folder| {
            let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let host = start(folder, &service);
            let ballast = Ballast::leaving(folder, 20 << 20);
            for _ in 0..RUNS {
                assert_eq!(host.post("/v1/messages", BEGIN).status, 202);
            }
            let told = fill(&host, 0);
            is_refused(&host.post("/v1/messages", BEGIN));
            is_refused(&host.post("/v1/workflows/flow", "{}"));
            assert!(is_full(&host), "health says so");
            assert_eq!(host.get("/ready").status, 200, "what is there is still served");

            // What was accepted ends in the room that was kept.
            answer_all(service);
            completed(&host, RUNS);
            has_kept(&host, told);
            is_refused(&tell(&host, told));

            drop(ballast);
            takes_work_again(&host, told);
            has_kept(&host, told + 1);
            assert!(!is_full(&host));
        },
    );
}

#[test]
fn a_host_that_is_killed_on_a_full_disk_comes_back_on_it() {
    small_disk::run("a_host_that_is_killed_on_a_full_disk_comes_back_on_it", |folder| {
        let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let mut host = start(folder, &service);
        let ballast = Ballast::leaving(folder, 20 << 20);
        for _ in 0..RUNS {
            assert_eq!(host.post("/v1/messages", BEGIN).status, 202);
        }
        let mut told = fill(&host, 0);
        for _ in 0..3 {
            host.process.kill().expect("it is our child");
            host.ended();
            host = start(folder, &service);
            has_kept(&host, told);
            // A start may find some room, but not much.
            told = fill(&host, told);
        }
        answer_all(service);
        completed(&host, RUNS);
        host.process.kill().expect("it is our child");
        host.ended();
        drop(ballast);
        let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let host = start(folder, &service);
        takes_work_again(&host, told);
        has_kept(&host, told + 1);
        completed(&host, RUNS);
    });
}
