//! What is asked of a host: two workflows and a stream of messages, whose contracts are built in.

use std::fmt::Write as _;

use clap::ValueEnum;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Three `echo` effects in a row, each outcome durable before the next step begins
    A,
    /// Three computes in a row, in one commit
    B,
    /// Batches of 512 messages to a counting reducer of 20,000 keys
    C,
}

impl Workload {
    /// Its name on the interface.
    pub fn word(self) -> &'static str {
        match self {
            Workload::A => "A",
            Workload::B => "B",
            Workload::C => "C",
        }
    }

    /// How many workflows or messages one request is about.
    pub fn units(self) -> u64 {
        match self {
            Workload::A | Workload::B => 1,
            Workload::C => BATCH as u64,
        }
    }

    /// What an answer says for each unit that ended well.
    pub fn good(self) -> &'static [u8] {
        match self {
            Workload::A | Workload::B => b"\"status\":\"completed\"",
            Workload::C => b"\"status\":202",
        }
    }

    /// The requests that a client sends in turn.
    pub fn requests(self, address: &str) -> Vec<Vec<u8>> {
        let start = |node| vec![post(address, &format!("/v1/workflows/{node}?wait=30s"), INPUT)];
        match self {
            Workload::A => start("bench_effects"),
            Workload::B => start("bench_computes"),
            Workload::C => (0..KEYS.div_ceil(BATCH))
                .map(|at| post(address, "/v1/messages", &batch(at * BATCH)))
                .collect(),
        }
    }
}

/// What a run is given.
const INPUT: &str = "{\"count\":1}";

/// Messages of one request of C.
const BATCH: usize = 512;

/// Keys of C.
const KEYS: usize = 20_000;

/// Bytes of a message of C.
const MESSAGE_BYTES: usize = 256;

fn batch(first: usize) -> String {
    let mut body = String::from("[");
    for at in first..first + BATCH {
        if at > first {
            body.push(',');
        }
        let began = body.len();
        let key = at % KEYS;
        // Writing to text cannot fail.
        let _ = write!(
            body,
            "{{\"topic\":\"onex.evt.bench.hit.v1\",\"payload\":{{\"key\":\"key-{key}\",\"amount\":{at},\"note\":\""
        );
        let filled = body.len() - began + "\"}}".len();
        body.extend(std::iter::repeat_n('x', MESSAGE_BYTES.saturating_sub(filled)));
        body.push_str("\"}}");
    }
    body.push(']');
    body
}

fn post(address: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The contracts: file name and text.
pub const CONTRACTS: [(&str, &str); 5] = [
    ("bench_echo.yaml", include_str!("contracts/bench_echo.yaml")),
    ("bench_step.yaml", include_str!("contracts/bench_step.yaml")),
    ("bench_effects.yaml", include_str!("contracts/bench_effects.yaml")),
    ("bench_computes.yaml", include_str!("contracts/bench_computes.yaml")),
    ("bench_count.yaml", include_str!("contracts/bench_count.yaml")),
];
