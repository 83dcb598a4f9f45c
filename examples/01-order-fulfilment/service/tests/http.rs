//! The service as a process, over HTTP, killed and started again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A process that is killed, not asked to end.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(journal: &Path) -> Service {
        let mut process = Command::new(env!("CARGO_BIN_EXE_order-service"))
            .args(["--listen", "127.0.0.1:0", "--journal"])
            .arg(journal)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let output = process.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("it says when it is ready");
        let address = line
            .trim_end()
            .strip_prefix("ready http://")
            .expect("the ready line names the address")
            .to_owned();
        Service { process, address }
    }

    /// Sends a request on a connection of its own. Status and body.
    fn call(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let key = key.map_or_else(String::new, |key| format!("idempotency-key: {key}\r\n"));
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\
             content-type: application/json\r\n{key}\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn charge(&self, key: &str, amount: i64) -> (u16, Value) {
        let body = json!({"order_id": "o", "amount": amount});
        self.call("POST", "/v1/charges", Some(key), &body)
    }

    fn ledger(&self) -> Value {
        self.call("GET", "/ledger", None, &Value::Null).1
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.process.kill().expect("it ran until now");
        self.process.wait().expect("it has ended");
    }
}

#[test]
fn a_charge_is_made_once_also_across_a_kill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = folder.path().join("journal.jsonl");
    let service = Service::start(&journal);
    let (status, first) = service.charge("k", 5);
    assert_eq!(status, 201);
    drop(service);
    let service = Service::start(&journal);
    let (status, again) = service.charge("k", 5);
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    assert_eq!(service.charge("k", 6).0, 409);
    let path = format!("/v1/charges/{}", first["id"].as_str().expect("an id"));
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).0, 200);
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).0, 200);
    let charge = &service.ledger()["charges"][0];
    assert_eq!((&charge["seen"], &charge["status"]), (&json!(3), &json!("refunded")));
}

#[test]
fn a_service_that_is_down_does_nothing_and_the_others_go_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service = Service::start(&folder.path().join("journal.jsonl"));
    let down = json!({"payment": "down"});
    assert_eq!(service.call("POST", "/admin/faults", None, &down).0, 200);
    assert_eq!(service.charge("k", 5).0, 503);
    let body = json!({"sku": "lamp", "qty": 1});
    assert_eq!(service.call("POST", "/v1/parcels", Some("k"), &body).0, 201);
    assert_eq!(service.ledger()["charges"], json!([]));
    let up = json!({"payment": "up"});
    assert_eq!(service.call("POST", "/admin/faults", None, &up).0, 200);
    assert_eq!(service.charge("k", 5).0, 201);
}

#[test]
fn what_is_no_request_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service = Service::start(&folder.path().join("journal.jsonl"));
    let body = json!({"sku": "lamp", "qty": 1});
    assert_eq!(service.call("POST", "/v1/reservations", None, &body).0, 400);
    assert_eq!(service.call("POST", "/v1/reservations", Some("k"), &json!([])).0, 400);
    assert_eq!(service.call("POST", "/v1/reservations", Some("k"), &Value::Null).0, 400);
    assert_eq!(service.call("POST", "/admin/faults", None, &json!({"gold": "up"})).0, 400);
    assert_eq!(service.ledger()["reservations"], json!([]));
}
