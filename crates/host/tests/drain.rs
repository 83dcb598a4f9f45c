//! A drain, step by step, while an effect is under way: not ready any more, nothing new taken, what
//! is under way awaited and kept, health until the end. And one that ends before the effect does.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use onex_expr::Value;
use support::{ASKS, Host};

const FLOW: &str = r#"
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: Asks once, then says what it heard.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.begin.v1, payload: {type: object}}]
  publish_topics: [onex.evt.test.ended.v1]
workflow_coordination:
  workflow_definition:
    execution_graph: {nodes: [{node_id: ask, step_config: {effect_node: target, operation: ask}}]}
    outcomes:
      completed: {event: onex.evt.test.ended.v1, payload: {said: "${steps.ask.output.said}"}}
      failed: {event: onex.evt.test.ended.v1, payload: {said: ""}}
"#;

const BEGIN: &str = r#"{"topic": "onex.evt.test.begin.v1", "payload": {}}"#;

fn start(folder: &Path, service: &TcpListener, drain: &str) -> Host {
    let contracts = folder.join("contracts");
    std::fs::create_dir_all(&contracts).expect("a folder can be made");
    for (name, text) in [("target.yaml", ASKS), ("flow.yaml", FLOW)] {
        std::fs::write(contracts.join(name), text).expect("a file can be written");
    }
    let gateway = format!("http://{}", service.local_addr().expect("it listens"));
    let settings = [("ONEX_CONFIG__GATEWAY", gateway.as_str()), ("ONEX_ENGINE__DRAIN", drain)];
    Host::start_with(&contracts, folder, &[], &settings)
}

/// The request of an attempt, as it came in.
fn asked(service: &TcpListener) -> TcpStream {
    let (mut stream, _) = service.accept().expect("it listens");
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a whole request");
        request.push(byte[0]);
    }
    stream
}

fn answer(mut stream: TcpStream) {
    let body = r#"{"said": "yes"}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).expect("somebody reads");
}

fn completed(host: &Host) {
    host.until("/v1/workflows", |page| {
        let items = page.get("items").and_then(Value::as_list).unwrap_or_default();
        items.len() == 1 && items[0].get("status") == Some(&Value::text("completed"))
    });
}

#[test]
fn a_drain_refuses_what_is_new_awaits_what_is_under_way_and_keeps_its_answer() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let mut host = start(folder.path(), &service, "30s");
    assert_eq!(host.get("/ready").status, 200);
    assert_eq!(host.post("/v1/messages", BEGIN).status, 202);
    let attempt = asked(&service);

    host.signal("-TERM");
    while host.get("/ready").status == 200 {
        std::thread::yield_now();
    }
    let refused = host.post("/v1/messages", BEGIN);
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json().get("code"), Some(&Value::text("draining")));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(host.get("/health").status, 200, "health answers until the end");
    assert!(host.process.try_wait().expect("it is our child").is_none(), "it waits");

    answer(attempt);
    assert_eq!(host.ended(), Some(0));
    let host = start(folder.path(), &service, "30s");
    completed(&host);
    service.set_nonblocking(true).expect("it can be asked");
    assert!(service.accept().is_err(), "nothing was asked twice");
}

#[test]
fn what_does_not_end_in_time_is_asked_again_by_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let service = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let mut host = start(folder.path(), &service, "10ms");
    assert_eq!(host.post("/v1/messages", BEGIN).status, 202);
    let _never_answered = asked(&service);
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
    let host = start(folder.path(), &service, "10ms");
    answer(asked(&service));
    completed(&host);
}
