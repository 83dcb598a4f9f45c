//! The order fulfilment example: its service as a process of its own, its contracts on a host.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use onex_expr::{Value, json};

use super::{DEADLINE, Host, host_command, onex, parse};

/// The example's payment, stock and carrier, in a process of its own.
pub struct Service {
    process: Child,
    address: String,
}

impl Service {
    pub fn start() -> Service {
        let mut process = Command::new(service())
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example's service can be started");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).expect("stdout is text");
        let address = line.trim().strip_prefix("ready http://").expect("it says where").to_owned();
        Service { process, address }
    }

    /// What it was asked for, and what became of it.
    pub fn ledger(&self) -> Value {
        self.ask("GET", "/ledger", "")
    }

    /// Breaks or mends what it offers, such as `{"stock": "held"}`.
    pub fn faults(&self, modes: &str) {
        self.ask("POST", "/admin/faults", modes);
    }

    /// Waits until its ledger will do.
    pub fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let ledger = self.ledger();
            if wanted(&ledger) {
                return ledger;
            }
            assert!(began.elapsed() < DEADLINE, "the ledger is {}", json::to_string(&ledger));
            std::thread::yield_now();
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut whole = Vec::new();
        stream.read_to_end(&mut whole).expect("it answers");
        let at = whole.windows(4).position(|four| four == b"\r\n\r\n").expect("a body") + 4;
        parse(&whole[at..])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The service's binary, built once beside the host's, with what the whole workspace is built with.
fn service() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let host = Path::new(env!("CARGO_BIN_EXE_onex"));
        let folder = host.parent().expect("a binary is in a folder");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--workspace", "--bin", "order-service"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        build.arg("--target-dir").arg(folder.parent().expect("a profile is in the target folder"));
        assert!(build.status().expect("cargo is there").success());
        folder.join("order-service")
    })
}

/// The folder of the example.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/01-order-fulfilment")
}

/// Starts a host with the example's contracts.
pub fn start(contracts: &Path, folder: &Path, service: &Service) -> Host {
    let gateway = format!("http://{}", service.address);
    Host::start_with(contracts, folder, &[], &[("ONEX_CONFIG__GATEWAY", &gateway)])
}

/// The same, without waiting until it is ready.
pub fn begin(contracts: &Path, folder: &Path, service: &Service) -> Child {
    let gateway = format!("http://{}", service.address);
    let mut command = host_command(onex(), contracts, &folder.join("data"));
    command.env("ONEX_CONFIG__GATEWAY", gateway).spawn().expect("the binary can be started")
}
