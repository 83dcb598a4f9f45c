//! The kind against a real server on loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use onex_expr::{Value, json};
use onex_kernel::Id;
use onex_kernel::port::{Call, CallError, Effect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Http, Options};

/// Longer than any attempt here takes; tests about time give their own.
const AMPLE_MS: u64 = 60_000;

/// What the server does once it has read a request.
#[derive(Clone)]
enum Behaviour {
    /// Writes these bytes and closes.
    Says(Vec<u8>),
    /// Never answers.
    Silent,
    /// Closes without a word.
    HangsUp,
    /// Writes a chunked body without an end.
    Endless,
}

struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(behaviour: Behaviour) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, behaviour.clone(), Arc::clone(&shared)));
            }
        });
        Server { address, seen }
    }

    fn url(&self) -> String {
        format!("http://{}/v1/charges", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.seen.lock().expect("no test panics with it").clone()
    }
}

async fn answer(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut stream).await;
    seen.lock().expect("no test panics with it").push(request);
    match behaviour {
        Behaviour::Says(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Behaviour::Silent => {
            let _ = stream.read(&mut [0]).await;
        }
        Behaviour::HangsUp => {}
        Behaviour::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let mut open = stream.write_all(head).await.is_ok();
            while open {
                open = stream.write_all(b"4\r\nabcd\r\n").await.is_ok();
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|length| length.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn ok(head: &str, body: &[u8]) -> Behaviour {
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    Behaviour::Says(bytes)
}

fn http(options: Options) -> Http {
    Http::new(options).expect("valid options")
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes(), &json::Limits::default()).expect("test data is JSON")
}

async fn perform(http: &Http, request: &str, timeout_ms: u64) -> Result<Value, CallError> {
    http.perform(Call {
        request: value(request),
        input: Value::Null,
        intent_id: Id([1; 16]),
        timeout_ms,
    })
    .await
}

async fn get(server: &Server) -> Result<Value, CallError> {
    let request = format!(r#"{{"url_template": "{}"}}"#, server.url());
    perform(&http(Options::default()), &request, AMPLE_MS).await
}

#[tokio::test]
async fn a_request_carries_method_query_headers_and_data() {
    let server =
        Server::start(ok("Content-Type: application/json\r\n", b"{\"id\": \"ch_1\"}")).await;
    let request = format!(
        r#"{{"method": "POST", "url_template": "{}?a=1", "query_params": {{"b": "x y", "c": [1, true]}},
            "headers": {{"Idempotency-Key": "k-1"}}, "body": {{"amount": 1500}}}}"#,
        server.url()
    );
    let answer = perform(&http(Options::default()), &request, AMPLE_MS).await;
    let answer = answer.expect("the server answers");
    assert_eq!(answer.get("status"), Some(&Value::Int(200)));
    assert_eq!(answer.get("body"), Some(&value(r#"{"id": "ch_1"}"#)));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/charges?a=1&b=x+y&c=1&c=true HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nidempotency-key: k-1\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"amount\":1500}"), "{request}");
}

#[tokio::test]
async fn text_is_sent_as_it_is_and_a_given_content_type_stands() {
    let server = Server::start(ok("", b"")).await;
    let request = format!(
        r#"{{"method": "PUT", "url_template": "{}", "headers": {{"Content-Type": "text/csv"}}, "body": "a,b"}}"#,
        server.url()
    );
    let answer = perform(&http(Options::default()), &request, AMPLE_MS).await;
    assert_eq!(answer.expect("answered").get("body"), Some(&Value::Null));
    let request = server.requests().remove(0);
    assert!(request.contains("\r\ncontent-type: text/csv\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\na,b"), "{request}");
}

#[tokio::test]
async fn a_body_is_data_when_it_is_json_else_text_else_base64() {
    let deep = "[".repeat(100_000);
    let cases: &[(&str, &[u8], Value)] = &[
        ("application/json", b"404", Value::Int(404)),
        ("application/problem+json; charset=utf-8", b"{\"a\":1}", value(r#"{"a":1}"#)),
        ("application/json", b"{\"a\":", Value::text("{\"a\":")),
        ("application/json", deep.as_bytes(), Value::text(deep.as_str())),
        ("text/plain", b"404", Value::text("404")),
        ("text/plain", b" {\"a\":1}", value(r#"{"a":1}"#)),
        ("text/html", b"<p>no</p>", Value::text("<p>no</p>")),
        ("application/octet-stream", &[0xff, 0xfe], Value::text("//4=")),
        ("application/json", b"", Value::Null),
    ];
    for (content_type, body, expected) in cases {
        let server = Server::start(ok(&format!("content-type: {content_type}\r\n"), body)).await;
        let answer = get(&server).await.expect("the server answers");
        assert_eq!(answer.get("body"), Some(expected), "{content_type}");
    }
}

#[tokio::test]
async fn any_status_is_an_answer_and_header_names_are_in_lower_case() {
    let bytes =
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(Behaviour::Says(bytes.to_vec())).await;
    let answer = get(&server).await.expect("the server answers");
    assert_eq!(answer.get("status"), Some(&Value::Int(503)));
    let headers = answer.get("headers").expect("headers");
    assert_eq!(headers.get("retry-after"), Some(&Value::text("7")));
    assert_eq!(headers.get("x-a"), Some(&Value::text("1, 2")));
}

#[tokio::test]
async fn a_redirect_is_answered_and_not_followed() {
    let elsewhere = Server::start(ok("", b"caught")).await;
    let bytes =
        format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
    let server = Server::start(Behaviour::Says(bytes.into_bytes())).await;
    let answer = get(&server).await.expect("the server answers");
    assert_eq!(answer.get("status"), Some(&Value::Int(302)));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_given_up_whether_it_is_announced_or_endless() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\nabc".to_vec();
    for behaviour in [Behaviour::Says(announced), Behaviour::Endless] {
        let server = Server::start(behaviour).await;
        let error = get(&server).await.expect_err("too large");
        assert_eq!(error.code, "too_large");
        assert_eq!((error.passing, error.sent), (false, true));
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let server = Server::start(ok("content-type: text/plain\r\n", b"abcd")).await;
    let http = http(Options { response_bytes_max: 4, ..Options::default() });
    let request = format!(r#"{{"url_template": "{}"}}"#, server.url());
    let answer = perform(&http, &request, AMPLE_MS).await.expect("it fits");
    assert_eq!(answer.get("body"), Some(&Value::text("abcd")));
}

#[tokio::test]
async fn silence_ends_as_a_timeout_that_may_have_happened() {
    let server = Server::start(Behaviour::Silent).await;
    let request = format!(r#"{{"url_template": "{}"}}"#, server.url());
    let error = perform(&http(Options::default()), &request, 20).await;
    let error = error.expect_err("nothing answers");
    assert_eq!(error.code, "timeout");
    assert_eq!((error.passing, error.sent), (true, true));
}

#[tokio::test]
async fn a_closed_port_is_a_fault_that_passes_and_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let request = format!(r#"{{"url_template": "http://{address}/"}}"#);
    let error = perform(&http(Options::default()), &request, AMPLE_MS).await;
    let error = error.expect_err("nobody listens");
    assert_eq!(error.code, "connect");
    assert_eq!((error.passing, error.sent), (true, false));
}

#[tokio::test]
async fn an_answer_that_breaks_off_may_have_happened() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    let noise = b"\xff\xfe\x00 not http\r\n\r\n".to_vec();
    for behaviour in [Behaviour::HangsUp, Behaviour::Says(half), Behaviour::Says(noise)] {
        let server = Server::start(behaviour).await;
        let error = get(&server).await.expect_err("broken off");
        assert_eq!(error.code, "io", "{error:?}");
        assert_eq!((error.passing, error.sent), (true, true));
    }
}

#[tokio::test]
async fn a_faulty_request_is_refused_before_anything_is_sent() {
    let cases = [
        r#"{}"#,
        r#"{"url_template": 7}"#,
        r#"{"url_template": "no url"}"#,
        r#"{"url_template": "ftp://127.0.0.1/"}"#,
        r#"{"url_template": "file:///etc/passwd"}"#,
        r#"{"url_template": "http://127.0.0.1:99999/"}"#,
        r#"{"url_template": "http://127.0.0.1/", "method": "CONNECT"}"#,
        r#"{"url_template": "http://127.0.0.1/", "method": 1}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": {"a b": "c"}}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": {"a": "hunter2\r\nb: c"}}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": {"a": null}}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": {"Host": "other"}}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": {"Content-Length": "0"}}"#,
        r#"{"url_template": "http://127.0.0.1/", "headers": []}"#,
        r#"{"url_template": "http://127.0.0.1/", "query_params": {"a": {}}}"#,
    ];
    for request in cases {
        let error = perform(&http(Options::default()), request, AMPLE_MS).await;
        let error = error.expect_err(request);
        assert_eq!(error.code, "bad_request", "{request}");
        assert_eq!((error.passing, error.sent), (false, false), "{request}");
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
    let long = format!(r#"{{"url_template": "http://127.0.0.1/{}"}}"#, "a".repeat(9000));
    let error = perform(&http(Options::default()), &long, AMPLE_MS).await;
    assert_eq!(error.expect_err("too long").code, "bad_request");
}

#[tokio::test]
async fn a_target_that_is_not_allowed_is_refused_with_the_line_to_add() {
    let request = r#"{"url_template": "http://api.example.com/pay?card=hunter2"}"#;
    let http = http(Options { allow: vec!["other.example:80".to_owned()], ..Options::default() });
    let error = perform(&http, request, AMPLE_MS).await;
    let error = error.expect_err("not allowed");
    assert_eq!(error.code, "not_allowed");
    assert_eq!((error.passing, error.sent), (false, false));
    assert!(
        error
            .message
            .ends_with(r#"[effects.http] allow = ["other.example:80", "api.example.com:80"]"#),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn a_name_that_leads_to_an_address_not_allowed_is_refused_when_it_is_dialled() {
    let server = Server::start(ok("", b"caught")).await;
    let port = server.address.port();
    let http = http(Options { allow: vec!["10.0.0.0/8".to_owned()], ..Options::default() });
    let request = format!(r#"{{"url_template": "http://localhost:{port}/"}}"#);
    let error = perform(&http, &request, AMPLE_MS).await;
    let error = error.expect_err("loopback is not in the network");
    assert_eq!(error.code, "not_allowed", "{}", error.message);
    assert_eq!((error.passing, error.sent), (false, false));
    assert!(error.message.contains(&format!("localhost:{port} resolves to")), "{}", error.message);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn no_error_holds_a_secret() {
    let silent = Server::start(Behaviour::Silent).await;
    let closing = Server::start(Behaviour::HangsUp).await;
    let endless = Server::start(Behaviour::Endless).await;
    let targets = [
        silent.address.to_string(),
        closing.address.to_string(),
        endless.address.to_string(),
        "api.example.com".to_owned(),
    ];
    for target in targets {
        for scheme in ["http", "https"] {
            let request = format!(
                r#"{{"url_template": "{scheme}://u:hunter2@{target}/hunter2?q=hunter2",
                    "headers": {{"Authorization": "Bearer hunter2"}}, "query_params": {{"t": "hunter2"}}}}"#
            );
            let error = perform(&http(Options::default()), &request, 500).await;
            let error = error.expect_err("none of them answers well");
            assert!(!error.message.contains("hunter2"), "{}", error.message);
        }
    }
}
