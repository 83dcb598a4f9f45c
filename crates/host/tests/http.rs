//! Every route, as data: requests in order against one host, with the status and shape of each
//! answer. `cases/http.jsonl` has one case a line; `save` keeps fields of an answer, `{name}` puts
//! them into later requests.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use onex_expr::{Value, json};
use support::{Answer, Host, fits, parse};

#[test]
fn every_route_answers_as_the_cases_say() {
    let host = Host::start();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/http.jsonl");
    let text = fs::read_to_string(&file).expect("the cases are there");
    let mut saved = BTreeMap::new();
    let mut failures = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let case = parse(filled(line, &saved).as_bytes());
        let answer = ask(&host, &case);
        if let Some(failure) = judge(&case, &answer) {
            failures.push(failure);
            continue;
        }
        for (name, field) in pairs(case.get("save")) {
            let found = answer.json();
            let value = found.get(&field).unwrap_or_else(|| panic!("{name}: no field {field}"));
            let text = value.as_str().map(str::to_owned);
            saved.insert(name, text.unwrap_or_else(|| json::to_string(value)));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn the_port_speaks_http_2_without_tls_and_says_which_methods_it_takes() {
    use http_body_util::{BodyExt, Empty};
    use hyper::body::Bytes;
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let host = Host::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let stream = tokio::net::TcpStream::connect(&host.address).await;
        let io = TokioIo::new(stream.expect("the host listens"));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .expect("the host speaks HTTP/2");
        tokio::spawn(connection);
        let uri = format!("http://{}/ready", host.address);
        let request = hyper::Request::get(uri).body(Empty::<Bytes>::new());
        let answer =
            sender.send_request(request.expect("it is a request")).await.expect("the host answers");
        assert_eq!(answer.version(), hyper::Version::HTTP_2);
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(fits(&parse(&body), &parse(br#"{"ready": true}"#)));
    });
    let refused = host.ask("DELETE", "/v1/messages", &[], b"");
    assert_eq!(refused.headers.get("allow").map(String::as_str), Some("POST"));
}

#[test]
fn every_described_route_takes_the_methods_described_and_no_other() {
    let host = Host::start();
    let document = host.get("/openapi.json").json();
    let paths = document.get("paths").and_then(Value::as_map).expect("paths");
    let mut wrong = Vec::new();
    for (path, item) in paths.iter() {
        let onex_expr::Key::String(path) = path else { panic!("a path is text") };
        for method in ["get", "post", "put", "patch", "delete"] {
            // A run's verbs share their route with `GET /v1/workflows/{run_id}`.
            if method == "get" && (path.ends_with(":cancel") || path.ends_with(":retry")) {
                continue;
            }
            let answer = host.ask(&method.to_uppercase(), &path.replace(['{', '}'], ""), &[], b"");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let is_taken = !body.contains("unknown_route") && answer.status != 405;
            if is_taken != item.get(method).is_some() {
                wrong.push(format!("{method} {path}: {} {body}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn filled(line: &str, saved: &BTreeMap<String, String>) -> String {
    let mut line = line.to_owned();
    for (name, value) in saved {
        line = line.replace(&format!("{{{name}}}"), value);
    }
    line
}

fn pairs(map: Option<&Value>) -> Vec<(String, String)> {
    let map = map.and_then(Value::as_map);
    let entries = map.into_iter().flat_map(|map| map.iter());
    entries
        .map(|(key, value)| match (key, value.as_str()) {
            (onex_expr::Key::String(name), Some(text)) => (name.to_string(), text.to_owned()),
            _ => panic!("a map of texts is meant"),
        })
        .collect()
}

fn ask(host: &Host, case: &Value) -> Answer {
    let field = |name: &str| case.get(name).and_then(Value::as_str);
    let body = match (case.get("body"), field("raw"), field("hex"), case.get("repeat")) {
        (Some(body), ..) => json::to_string(body).into_bytes(),
        (_, Some(raw), ..) => raw.as_bytes().to_vec(),
        (_, _, Some(hex), _) => (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits"))
            .collect(),
        (.., Some(repeat)) => {
            let part = repeat.get("text").and_then(Value::as_str).unwrap_or("x");
            let times = repeat.get("times").and_then(Value::as_int).unwrap_or(0);
            part.repeat(usize::try_from(times).unwrap_or(0)).into_bytes()
        }
        _ => Vec::new(),
    };
    let headers = pairs(case.get("headers"));
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (method, path) = (field("method").unwrap_or("GET"), field("path").unwrap_or("/"));
    host.ask(method, path, &headers, &body)
}

fn judge(case: &Value, answer: &Answer) -> Option<String> {
    let name = case.get("name").and_then(Value::as_str).unwrap_or("?");
    let body = String::from_utf8_lossy(&answer.body);
    let fail = |why: String| Some(format!("{name}: {why}\n    answer {}: {body}", answer.status));
    let wanted = case.get("status").and_then(Value::as_int);
    if wanted != Some(i64::from(answer.status)) {
        return fail(format!("status is not {wanted:?}"));
    }
    let content = answer.headers.get("content-type").map(String::as_str);
    if let Some(code) = case.get("code") {
        if content != Some("application/problem+json") {
            return fail(format!("content type is {content:?}"));
        }
        let problem = answer.json();
        let status = problem.get("status").and_then(Value::as_int);
        if problem.get("code") != Some(code) || status != wanted {
            return fail(format!("code is not {}", json::to_string(code)));
        }
    }
    if let Some(shape) = case.get("shape")
        && !fits(&answer.json(), shape)
    {
        return fail(format!("shape is not {}", json::to_string(shape)));
    }
    for (name, value) in pairs(case.get("has_headers")) {
        if answer.headers.get(&name) != Some(&value) {
            return fail(format!("header {name} is {:?}", answer.headers.get(&name)));
        }
    }
    match case.get("text").and_then(Value::as_str) {
        Some(text) if !body.contains(text) => fail(format!("there is no {text}")),
        _ => None,
    }
}
