//! A real host on a temporary folder and a free port, and the little HTTP that tests need.

#![allow(dead_code, reason = "every test file uses its own part")]

pub mod shop;
pub mod small_disk;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use onex_expr::{Value, json};
use tempfile::TempDir;

/// The longest that anything in a test may take.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// An effect that asks a service, at `config.gateway`, that takes its time.
pub const ASKS: &str = r#"
name: target
node_type: effect
contract_version: 1.0.0
description: Asks a service that takes its time.
config: {gateway: ""}
effect_operations:
  operations:
    - operation_name: ask
      idempotent: true
      operation_timeout_ms: 60000
      io_config: {handler_type: http, method: GET, url_template: "${config.gateway}/answer"}
      response_handling: {success_codes: [200]}
"#;

/// A running host, killed when it goes out of scope.
pub struct Host {
    pub address: String,
    pub data: PathBuf,
    pub process: Child,
    _folder: Option<TempDir>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        parse(&self.body)
    }
}

pub fn parse(bytes: &[u8]) -> Value {
    json::parse(bytes, &json::Limits { depth_max: 256 }).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(bytes);
        panic!("no JSON: {} in {text}", error.message)
    })
}

pub fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts")
}

pub fn onex() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onex"));
    command.env_remove("ONEX_URL").stdin(Stdio::null());
    command
}

/// What starts a host on a free port, by a command that leads to the binary.
fn host_command(mut command: Command, contracts: &Path, data: &Path) -> Command {
    command.arg("run").arg(contracts).arg("--data").arg(data);
    command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.output().expect("the binary can be started")
}

impl Host {
    /// Starts a host with the contracts of these tests on a folder of its own.
    pub fn start() -> Host {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut host = Host::start_on(folder.path(), &[]);
        host._folder = Some(folder);
        host
    }

    /// Starts a host on `folder/data`, which may have been used before.
    pub fn start_on(folder: &Path, arguments: &[&str]) -> Host {
        Host::start_with(&contracts(), folder, arguments, &[])
    }

    /// Starts a host with any contracts and settings of the environment.
    pub fn start_with(
        contracts: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Host {
        Host::start_by(onex(), contracts, folder, arguments, environment)
    }

    /// Starts a host by a command that leads to the binary.
    pub fn start_by(
        command: Command,
        contracts: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Host {
        let data = folder.join("data");
        let mut process = host_command(command, contracts, &data)
            .args(arguments)
            .envs(environment.iter().copied())
            .spawn()
            .expect("the binary can be started");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        let address = line.trim().strip_prefix("ready http://");
        let address = address.unwrap_or_else(|| panic!("the host said {line:?}"));
        Host { address: address.to_owned(), data, process, _folder: None }
    }

    /// A command of the binary that talks to this host.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = onex();
        command.args(arguments).env("ONEX_URL", format!("http://{}", self.address));
        command
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[], body.as_bytes())
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("the host listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream
            .write_all(request.as_bytes())
            .and_then(|()| stream.write_all(body))
            .expect("the host reads");
        let mut whole = Vec::new();
        stream.read_to_end(&mut whole).expect("the host answers");
        read_answer(&whole)
    }

    /// Asks until `wanted` says that the answer will do.
    pub fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.get(path).json();
            if wanted(&answer) {
                return answer;
            }
            assert!(began.elapsed() < DEADLINE, "{path} is still {}", json::to_string(&answer));
            std::thread::yield_now();
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            match self.process.try_wait().expect("it is our child") {
                Some(status) => return status.code(),
                None => assert!(began.elapsed() < DEADLINE, "the host does not end"),
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read_answer(whole: &[u8]) -> Answer {
    let end = whole
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(whole)));
    let head = String::from_utf8_lossy(&whole[..end]);
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .expect("an answer begins with its status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: whole[end + 4..].to_vec() }
}

/// Whether a value has the shape of another: a map has at least its fields, and a text in angle
/// brackets stands for a kind of value.
pub fn fits(value: &Value, shape: &Value) -> bool {
    match (shape, value) {
        (Value::String(text), _) if text.starts_with('<') => of_kind(value, text),
        (Value::Map(wanted), Value::Map(found)) => wanted
            .iter()
            .all(|(key, shape)| found.get_key(key).is_some_and(|value| fits(value, shape))),
        (Value::List(wanted), Value::List(found)) => {
            wanted.len() == found.len() && found.iter().zip(wanted.iter()).all(|(f, w)| fits(f, w))
        }
        _ => value == shape,
    }
}

fn of_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "<any>" => true,
        "<uuid>" => {
            value.as_str().is_some_and(|text| text.len() == 36 && text.matches('-').count() == 4)
        }
        "<time>" => value.as_str().is_some_and(|text| text.len() == 27 && text.ends_with('Z')),
        "<int>" => value.as_int().is_some(),
        "<text>" => value.as_str().is_some(),
        "<list>" => value.as_list().is_some(),
        "<digest>" => value.as_str().is_some_and(|text| text.len() == 64),
        _ => panic!("there is no kind {kind}"),
    }
}
