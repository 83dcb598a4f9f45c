//! The example's real host: whatever ends an order while its services are still busy with it,
//! nothing stays reserved, under way or paid for.

mod support;

use std::path::Path;

use onex_expr::{Value, json};
use support::Host;
use support::shop::{self, Service};

/// Words of the ledger for what was done and not undone.
const STANDS: [&str; 3] = ["captured", "reserved", "sent"];

fn place(host: &Host, id: &str, skus: &[&str]) {
    let lines: Vec<String> =
        skus.iter().map(|sku| format!(r#"{{"sku":"{sku}","qty":1,"price":100}}"#)).collect();
    let order = format!(
        r#"{{"topic":"onex.evt.shop.order-placed.v1","payload":{{"order_id":"{id}","lines":[{}]}}}}"#,
        lines.join(",")
    );
    assert_eq!(host.post("/v1/messages", &order).status, 202);
}

fn things<'v>(ledger: &'v Value, name: &str) -> &'v [Value] {
    ledger.get(name).and_then(Value::as_list).expect("a list")
}

fn only_run(host: &Host) -> String {
    let runs = host.get("/v1/workflows").json();
    let [run] = runs.get("items").and_then(Value::as_list).expect("a list") else {
        panic!("not one run: {}", json::to_string(&runs));
    };
    run.get("run_id").and_then(Value::as_str).expect("an id").to_owned()
}

fn ended(host: &Host, run: &str) -> Value {
    let run = host.get(&format!("/v1/workflows/{run}?wait=30s")).json();
    assert_eq!(run.get("compensation"), Some(&Value::text("done")), "{}", json::to_string(&run));
    run
}

/// The order ends cancelled, and of all that was done nothing stands.
fn nothing_stands(host: &Host, service: &Service, order: &str) {
    host.until(&format!("/v1/state/order/{order}"), |entity| {
        entity.get("state") == Some(&Value::text("cancelled"))
    });
    let ledger = service.until(|ledger| {
        things(ledger, "charges")
            .iter()
            .all(|charge| charge.get("status") == Some(&Value::text("refunded")))
    });
    assert_eq!(things(&ledger, "charges").len(), 1, "it was paid once");
    for name in ["charges", "reservations", "parcels"] {
        for thing in things(&ledger, name) {
            let status = thing.get("status").and_then(Value::as_str).expect("a status");
            assert!(!STANDS.contains(&status), "{name}: {}", json::to_string(thing));
        }
    }
}

#[test]
fn a_refusal_while_a_sibling_is_under_way_is_undone_once_the_sibling_has_answered() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let host = shop::start(&shop::example(), folder.path(), &service);
    service.faults(r#"{"stock": "held"}"#);
    place(&host, "a", &["piano", "lamp"]);
    service.until(|ledger| {
        things(ledger, "parcels")
            .iter()
            .any(|parcel| parcel.get("status") == Some(&Value::text("refused")))
    });
    service.faults(r#"{"stock": "up"}"#);
    let run = ended(&host, &only_run(&host));
    assert_eq!(run.get("status"), Some(&Value::text("failed")));
    nothing_stands(&host, &service, "a");
}

#[test]
fn a_run_cancelled_while_its_steps_are_under_way_is_undone() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let host = shop::start(&shop::example(), folder.path(), &service);
    service.faults(r#"{"stock": "held"}"#);
    place(&host, "b", &["lamp", "desk"]);
    service.until(|ledger| things(ledger, "parcels").len() == 2);
    let run = only_run(&host);
    assert_eq!(host.post(&format!("/v1/workflows/{run}:cancel"), "").status, 202);
    service.faults(r#"{"stock": "up"}"#);
    let ended = ended(&host, &run);
    assert_eq!(ended.get("status"), Some(&Value::text("cancelled")));
    nothing_stands(&host, &service, "b");
    assert_eq!(host.post(&format!("/v1/workflows/{run}:cancel"), "").status, 409);
}

#[test]
fn a_run_whose_time_is_up_while_its_steps_are_under_way_is_undone() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let hasty = folder.path().join("example");
    copy_with(&shop::example(), &hasty, "timeout_ms: 600000", "timeout_ms: 500");
    let host = shop::start(&hasty, folder.path(), &service);
    service.faults(r#"{"carrier": "held"}"#);
    place(&host, "c", &["lamp"]);
    service.until(|ledger| things(ledger, "reservations").len() == 1);
    let run = only_run(&host);
    host.until(&format!("/v1/workflows/{run}"), |run| {
        run.get("error").and_then(|error| error.get("code")) == Some(&Value::text("timeout"))
    });
    service.faults(r#"{"carrier": "up"}"#);
    let ended = ended(&host, &run);
    assert_eq!(ended.get("status"), Some(&Value::text("failed")));
    nothing_stands(&host, &service, "c");
}

/// Copies the example's contracts and settings, one of them changed in the workflow.
fn copy_with(from: &Path, to: &Path, old: &str, new: &str) {
    std::fs::create_dir_all(to.join("contracts")).expect("a folder can be made");
    std::fs::copy(from.join("onex.toml"), to.join("onex.toml")).expect("it can be copied");
    for file in std::fs::read_dir(from.join("contracts")).expect("a folder") {
        let file = file.expect("a file");
        let mut text = std::fs::read_to_string(file.path()).expect("text");
        if file.file_name() == "fulfil_order.yaml" {
            assert!(text.contains(old));
            text = text.replace(old, new);
        }
        std::fs::write(to.join("contracts").join(file.file_name()), text).expect("it can be kept");
    }
}
