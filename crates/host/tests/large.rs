//! Large payloads through the whole host: whole wherever they are shown, also after a kill, and
//! refused by name when their file is not what it was.

mod support;

use onex_expr::Value;
use support::Host;

/// A message whose payload is longer than what stays in the log.
fn large(filler: &str) -> String {
    format!(
        r#"{{"topic": "onex.evt.test.added.v1", "payload": {{"id": "a", "amount": 1, "note": "{filler}"}}}}"#
    )
}

fn note(log: &Value, index: usize) -> Option<Value> {
    let items = log.get("items").and_then(Value::as_list)?;
    items.get(index)?.get_path(["payload", "note"]).cloned()
}

#[test]
fn a_large_payload_is_whole_in_the_log_and_for_contracts_also_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let filler = "y".repeat(3 << 20);
    let mut host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", &large(&filler)).status, 202);
    assert_eq!(host.post("/v1/messages", &large("small")).status, 202);
    let claims = folder.path().join("data/claims");
    let files: Vec<_> = std::fs::read_dir(&claims).expect("the folder is there").collect();
    assert_eq!(files.len(), 1);
    let file = files[0].as_ref().expect("it can be listed").path();
    for _ in 0..2 {
        let log = host.get("/v1/log?topic=onex.evt.test.added.v1").json();
        assert_eq!(note(&log, 0), Some(Value::text(filler.as_str())));
        assert_eq!(note(&log, 1), Some(Value::text("small")));
        let entity = host.get("/v1/state/counter/a").json();
        assert_eq!(entity.get_path(["data", "total"]), Some(&Value::Int(2)));
        host.signal("-KILL");
        host.ended();
        host = Host::start_on(folder.path(), &[]);
    }
    let mut bytes = std::fs::read(&file).expect("it can be read");
    bytes[1 << 20] ^= 1;
    std::fs::write(&file, bytes).expect("it can be written");
    let refused = host.get("/v1/log?topic=onex.evt.test.added.v1");
    assert_eq!(refused.status, 500);
    let detail = refused.json().get("detail").and_then(Value::as_str).map(str::to_owned);
    let detail = detail.expect("it says why");
    assert!(detail.contains("claims/") && detail.contains("differs"), "{detail}");
    assert_eq!(host.post("/v1/messages", &large("goes on")).status, 202);
    host.signal("-KILL");
    host.ended();
}
