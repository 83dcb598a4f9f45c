//! What a host does with clients that are idle, slow, many or talk nonsense, and with few files.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use onex_expr::Value;
use support::{DEADLINE, Host, contracts, onex, parse, run};

/// The binary where a process may open so many files.
fn with_open_files(most: u32) -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(env!("CARGO_BIN_EXE_onex"));
    command.env_remove("ONEX_URL").stdin(Stdio::null());
    command
}

fn connect(host: &Host) -> TcpStream {
    let stream = TcpStream::connect(&host.address).expect("the host listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    stream
}

/// Everything that comes until the connection ends, however it does.
fn rest(stream: &mut TcpStream) -> String {
    let mut whole = Vec::new();
    if let Err(error) = stream.read_to_end(&mut whole) {
        let is_timeout = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!is_timeout, "the connection never ended");
    }
    String::from_utf8_lossy(&whole).into_owned()
}

/// Enough messages to fill several segments, each batch on a connection of its own.
fn publish_much(host: &Host) {
    let filler = "x".repeat(1000);
    let message = format!(
        r#"{{"topic": "onex.evt.test.added.v1", "event_type": "{filler}", "payload": {{"id": "a", "amount": 1}}}}"#
    );
    let batch = format!("[{}]", vec![message; 500].join(","));
    for _ in 0..6 {
        assert_eq!(host.post("/v1/messages", &batch).status, 200);
    }
}

#[test]
fn idle_and_slow_clients_without_end_keep_nobody_else_out() {
    let slow: &[u8] = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
    let half: &[u8] = b"GET /health HTTP/1.1\r\nHo";
    for sent in [b"" as &[u8], slow, half] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut host = Host::start_by(with_open_files(96), &contracts(), folder.path(), &[], &[]);
        let mut held = Vec::new();
        for _ in 0..120 {
            let mut stream = connect(&host);
            stream.write_all(sent).expect("the host reads");
            held.push(stream);
        }
        publish_much(&host);
        assert_eq!(host.get("/health").status, 200);
        host.signal("-TERM");
        assert_eq!(host.ended(), Some(0));
    }
}

#[test]
fn limits_follow_the_files_that_a_process_may_open() {
    let shown = run(with_open_files(96).args(["config", "print", "-o", "json"]).arg(contracts()));
    let shown = parse(&shown.stdout);
    let items = shown.get("items").and_then(Value::as_list).expect("a list");
    let of = |key: &str| {
        let found = items.iter().find(|item| item.get("key") == Some(&Value::text(key)));
        let field = |name: &str| found.and_then(|found| found.get(name)).cloned();
        (field("value"), field("origin"))
    };
    let origin = Some(Value::text("at most 96 open files"));
    assert_eq!(of("server.connections_max"), (Some(Value::Int(32)), origin.clone()));
    assert_eq!(of("engine.attempts_max"), (Some(Value::Int(16)), origin));
    let refused = run(with_open_files(40).arg("run").arg(contracts()).arg("--memory"));
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("the limit on open files is 40, a host needs 64"), "{said}");
}

#[test]
fn a_request_that_is_none_gets_an_answer() {
    let host = Host::start();
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let uri = "a".repeat(70_000);
    let header = "a".repeat(700_000);
    let cases = [
        ("no request line", "GARBAGE\r\n\r\n".to_owned(), "400"),
        ("bytes", "\u{1}\u{2} x\r\n\r\n".to_owned(), "400"),
        ("another version", "GET / HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(), "400"),
        ("a long URI", format!("GET /{uri} HTTP/1.1\r\nHost: x\r\n\r\n"), "414"),
        ("many headers", format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"), "431"),
        ("long headers", format!("GET /health HTTP/1.1\r\nHost: x\r\nx: {header}\r\n\r\n"), "431"),
    ];
    for (name, request, status) in cases {
        let mut stream = connect(&host);
        // The host may have answered before all is sent.
        let _ = stream.write_all(request.as_bytes());
        let answer = rest(&mut stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer:?}");
    }
}

#[test]
fn a_client_that_takes_too_long_is_let_go_of() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let short = [
        ("ONEX_SERVER__BODY_TIMEOUT", "100ms"),
        ("ONEX_SERVER__HEADER_TIMEOUT", "100ms"),
        ("ONEX_SERVER__IDLE_TIMEOUT", "200ms"),
    ];
    let host = Host::start_with(&contracts(), folder.path(), &[], &short);
    let mut slow = connect(&host);
    slow.write_all(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .expect("the host reads");
    let (mut half, mut idle) = (connect(&host), connect(&host));
    half.write_all(b"GET /hea").expect("the host reads");
    let answer = rest(&mut slow);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("slow_body"), "{answer}");
    assert_eq!(rest(&mut half), "");
    assert_eq!(rest(&mut idle), "");
}

#[test]
fn lines_are_published_whatever_a_body_may_hold() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let small = [("ONEX_SERVER__BODY_MAX", "16KiB"), ("ONEX_SERVER__BATCH_MAX", "20")];
    let host = Host::start_with(&contracts(), folder.path(), &[], &small);
    let line = |id: &str, bytes: usize| {
        let filler = "x".repeat(bytes);
        format!(
            r#"{{"topic": "onex.evt.test.added.v1", "event_type": "{filler}", "payload": {{"id": "{id}", "amount": 1}}}}"#
        )
    };
    let mut lines: Vec<String> = (0..300).map(|_| line("many", 1000)).collect();
    lines[76] = line("large", 20_000);
    lines[176] = r#"{"topic": "nonsense", "payload": {}}"#.to_owned();
    let mut child = host
        .command(&["publish", "--lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(lines.join("\n").as_bytes()).expect("the command reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stdout);
    let refused: Vec<&str> = said.lines().filter(|line| line.contains("refused")).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].starts_with("line 77 refused: the body is longer"), "{refused:?}");
    assert!(refused[1].starts_with("line 177 refused: "), "{refused:?}");
    assert_eq!(said.lines().count(), 300);
    let many = host.get("/v1/state/counter/many").json();
    assert_eq!(many.get_path(["data", "total"]), Some(&Value::Int(298)));
}

#[test]
fn a_contract_that_is_no_file_is_not_passed_over() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mine = folder.path().join("contracts");
    std::fs::create_dir(&mine).expect("a folder can be made");
    std::fs::copy(contracts().join("echo.yaml"), mine.join("echo.yaml")).expect("it is copied");
    for (name, target) in [("gone.yaml", "/nowhere/at/all"), ("device.yml", "/dev/null")] {
        let link = mine.join(name);
        std::os::unix::fs::symlink(target, &link).expect("a link can be made");
        let checked = run(onex().arg("check").arg(folder.path()));
        let said = String::from_utf8_lossy(&checked.stdout);
        assert_eq!(checked.status.code(), Some(1), "{said}");
        assert!(said.contains("C0122") && said.contains(name), "{said}");
        std::fs::remove_file(&link).expect("it is there");
    }
    assert_eq!(run(onex().arg("check").arg(folder.path())).status.code(), Some(0));
}
