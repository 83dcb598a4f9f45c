//! `onex doctor` on folders and hosts that are well, and on some that are not.

mod support;

use std::fs;
use std::path::Path;

use onex_expr::Value;
use support::{Host, contracts, onex, parse, run};

/// The lines of a doctor's answer by name, and its exit code.
fn doctor(data: &Path, url: &str) -> (Value, Option<i32>) {
    let mut command = onex();
    command.arg("doctor").arg(contracts()).arg("--data").arg(data);
    let output = run(command.args(["--url", url, "-o", "json"]));
    let answer = parse(&output.stdout);
    let checks = answer.get("checks").and_then(Value::as_list).expect("checks").iter();
    let name =
        |check: &Value| check.get("name").and_then(Value::as_str).expect("a name").to_owned();
    (Value::map(checks.map(|check| (name(check), check.clone()))), output.status.code())
}

fn status<'v>(answer: &'v Value, name: &str) -> &'v str {
    let check = answer.get(name).unwrap_or_else(|| panic!("no {name} in {}", answer.to_json()));
    check.get("status").and_then(Value::as_str).expect("a status")
}

#[test]
fn a_host_that_is_well_has_no_line_that_fails() {
    let host = Host::start();
    let body = r#"{"topic": "onex.evt.test.added.v1", "payload": {"id": "a", "amount": 2}}"#;
    assert_eq!(host.post("/v1/messages", body).status, 202);
    let (answer, code) = doctor(&host.data, &format!("http://{}", host.address));
    for name in
        ["version", "files", "config", "data", "log", "clock", "host", "ready", "stuck", "letters"]
    {
        assert_eq!(status(&answer, name), "ok", "{}", answer.to_json());
    }
    assert_eq!(code, Some(0));
}

#[test]
fn damage_in_the_log_is_named_with_its_place_before_any_start() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    let body = r#"{"topic": "onex.evt.test.added.v1", "payload": {"id": "a", "amount": 2}}"#;
    for _ in 0..5 {
        assert_eq!(host.post("/v1/messages", body).status, 202);
    }
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));
    let (before, code) = doctor(&host.data, "http://127.0.0.1:1");
    assert_eq!((status(&before, "log"), status(&before, "host"), code), ("ok", "warn", Some(0)));

    let segment = host.data.join("log-0000000001");
    let mut bytes = fs::read(&segment).expect("the log is there");
    bytes[700] ^= 1;
    fs::write(&segment, bytes).expect("the log can be written");
    let (after, code) = doctor(&host.data, "http://127.0.0.1:1");
    assert_eq!((status(&after, "log"), code), ("fail", Some(1)), "{}", after.to_json());
    assert!(after.to_json().contains("log-0000000001"), "{}", after.to_json());
}
