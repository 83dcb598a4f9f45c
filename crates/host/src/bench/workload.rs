//! What is asked of a host: two workflows and two streams of messages, whose contracts are built in.

use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Three `echo` effects in a row, each outcome durable before the next step begins
    A,
    /// Three computes in a row, in one commit
    B,
    /// Batches of 512 messages to a counting reducer, spread over its keys
    C,
    /// Batches of 512 messages, each of which arms a timer of its key anew
    D,
}

impl Workload {
    /// Its name on the interface.
    pub fn word(self) -> &'static str {
        match self {
            Workload::A => "A",
            Workload::B => "B",
            Workload::C => "C",
            Workload::D => "D",
        }
    }

    /// How many workflows or messages one request is about.
    pub fn units(self) -> u64 {
        match self {
            Workload::A | Workload::B => 1,
            Workload::C | Workload::D => BATCH,
        }
    }

    /// What an answer says for each unit that ended well.
    pub fn good(self) -> &'static [u8] {
        match self {
            Workload::A | Workload::B => b"\"status\":\"completed\"",
            Workload::C | Workload::D => b"\"status\":202",
        }
    }

    /// Whether it is a stream of messages, spread over keys.
    pub fn is_stream(self) -> bool {
        self.topic().is_some()
    }

    fn topic(self) -> Option<&'static str> {
        match self {
            Workload::A | Workload::B => None,
            Workload::C => Some("onex.evt.bench.hit.v1"),
            Workload::D => Some("onex.evt.bench.wound.v1"),
        }
    }
}

/// What a run is given.
const INPUT: &str = "{\"count\":1}";

/// Messages of one request of C and D.
const BATCH: u64 = 512;

/// Bytes of a message of C and D.
const MESSAGE_BYTES: usize = 256;

/// Digits of a key.
const DIGITS: usize = 10;

/// One step from message to message, prime, so that every key is met once before any is again.
const STRIDE: u64 = 2_147_483_647;

/// The requests of a workload, one after the other, to whichever client asks for the next.
pub struct Requests {
    whole: Vec<u8>,
    /// Where in it the digits of each message's key begin.
    keys_at: Vec<usize>,
    keys: u64,
    next: AtomicU64,
}

impl Requests {
    /// The requests of a workload to a host, over so many keys.
    pub fn new(workload: Workload, address: &str, keys: u64) -> Requests {
        let (mut keys_at, mut body) = (Vec::new(), String::new());
        let path = match (workload, workload.topic()) {
            (Workload::A, _) => "/v1/workflows/bench_effects?wait=30s",
            (Workload::B, _) => "/v1/workflows/bench_computes?wait=30s",
            (_, topic) => {
                body = batch(topic.unwrap_or_default(), &mut keys_at);
                "/v1/messages"
            }
        };
        let body = if body.is_empty() { INPUT } else { &body };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        for at in &mut keys_at {
            *at += head.len();
        }
        let whole = [head.as_bytes(), body.as_bytes()].concat();
        Requests { whole, keys_at, keys: keys.max(1), next: AtomicU64::new(0) }
    }

    /// A request of a client's own, to be filled by [`Requests::fill`].
    pub fn blank(&self) -> Vec<u8> {
        self.whole.clone()
    }

    /// Makes a blank the next request; its number, from 0.
    pub fn fill(&self, request: &mut [u8]) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut message = number.wrapping_mul(BATCH);
        for at in &self.keys_at {
            let key = (u128::from(message) * u128::from(STRIDE) % u128::from(self.keys)) as u64;
            write_key(&mut request[*at..*at + DIGITS], key);
            message = message.wrapping_add(1);
        }
        number
    }
}

fn write_key(digits: &mut [u8], key: u64) {
    let mut rest = key;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// A batch with room for the keys; where the room of each is.
fn batch(topic: &str, keys_at: &mut Vec<usize>) -> String {
    let mut body = String::from("[");
    for at in 0..BATCH {
        if at > 0 {
            body.push(',');
        }
        let began = body.len();
        body += &format!("{{\"topic\":\"{topic}\",\"payload\":{{\"key\":\"");
        keys_at.push(body.len());
        body.extend(std::iter::repeat_n('0', DIGITS));
        body += &format!("\",\"amount\":{at},\"note\":\"");
        let filled = body.len() - began + "\"}}".len();
        body.extend(std::iter::repeat_n('x', MESSAGE_BYTES.saturating_sub(filled)));
        body.push_str("\"}}");
    }
    body.push(']');
    body
}

/// The contracts: file name and text.
pub const CONTRACTS: [(&str, &str); 6] = [
    ("bench_echo.yaml", include_str!("contracts/bench_echo.yaml")),
    ("bench_step.yaml", include_str!("contracts/bench_step.yaml")),
    ("bench_effects.yaml", include_str!("contracts/bench_effects.yaml")),
    ("bench_computes.yaml", include_str!("contracts/bench_computes.yaml")),
    ("bench_count.yaml", include_str!("contracts/bench_count.yaml")),
    ("bench_clock.yaml", include_str!("contracts/bench_clock.yaml")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_is_met_once_before_any_is_again() {
        let requests = Requests::new(Workload::C, "x", 2048);
        let mut request = requests.blank();
        let mut met = BTreeSet::new();
        for number in 0..4 {
            assert_eq!(requests.fill(&mut request), number);
            for at in &requests.keys_at {
                met.insert(request[*at..*at + DIGITS].to_vec());
            }
        }
        assert_eq!(met.len(), 2048);
    }

    #[test]
    fn a_message_has_the_length_it_is_said_to_have() {
        let mut keys_at = Vec::new();
        let body = batch("onex.evt.bench.hit.v1", &mut keys_at);
        assert!(body.starts_with("[{") && body.ends_with("}]"));
        assert!((256..=258).contains(&(body.len() / BATCH as usize)));
    }
}
