//! Clients: each holds one connection and sends the next request when the last one was answered. Plain
//! HTTP/1.1 by hand, because the clients share the machine with what they measure.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::workload::{Requests, Workload};
use crate::fault::{Exit, Fault};

/// The longest latency that is told apart, in microseconds.
const LATENCY_MAX_US: u64 = 60_000_000;

/// What clients saw.
pub struct Seen {
    /// Runs that ended well or messages that were accepted within the time measured.
    pub completed: u64,
    /// Those that were answered otherwise.
    pub failed: u64,
    /// How long it was measured.
    pub took: Duration,
    /// Latencies in microseconds.
    pub latencies: Histogram<u64>,
}

/// Until when clients ask.
#[derive(Clone, Copy)]
pub enum Until {
    /// For so long.
    For(Duration),
    /// Until so many units were asked for.
    Units(u64),
}

/// Lets `clients` ask.
pub async fn run(
    address: &str,
    workload: Workload,
    keys: u64,
    clients: usize,
    until: Until,
) -> Result<Seen, Fault> {
    let requests = Arc::new(Requests::new(workload, address, keys));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (address, requests) = (address.to_owned(), requests.clone());
        tasks.spawn(async move { client(&address, workload, &requests, began, until).await });
    }
    let mut seen = Seen { completed: 0, failed: 0, took: Duration::ZERO, latencies: histogram() };
    while let Some(ended) = tasks.join_next().await {
        let client = ended.map_err(|error| Fault::doing("asking", error))?.map_err(|error| {
            Fault::new(Exit::Unreachable, format!("cannot reach {address}: {error}"))
        })?;
        seen.completed += client.completed;
        seen.failed += client.failed;
        seen.latencies
            .add(&client.latencies)
            .map_err(|error| Fault::doing("adding latencies", error))?;
    }
    seen.took = began.elapsed();
    Ok(seen)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX_US, 3).expect("the bounds are constants that fit")
}

async fn client(
    address: &str,
    workload: Workload,
    requests: &Requests,
    began: Instant,
    until: Until,
) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut request = requests.blank();
    let mut answer = Vec::with_capacity(4096);
    let mut seen = Seen { completed: 0, failed: 0, took: Duration::ZERO, latencies: histogram() };
    loop {
        let number = requests.fill(&mut request);
        let asked = Instant::now();
        let over = match until {
            Until::For(duration) => asked - began >= duration,
            Until::Units(units) => number * workload.units() >= units,
        };
        if over {
            return Ok(seen);
        }
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut answer).await?;
        let completed = count(&answer, workload.good());
        let latency = u64::try_from(asked.elapsed().as_micros()).unwrap_or(LATENCY_MAX_US);
        seen.latencies.saturating_record(latency);
        seen.completed += completed;
        seen.failed += workload.units().saturating_sub(completed);
    }
}

/// Reads one answer.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<()> {
    answer.clear();
    let mut wanted = None;
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if wanted.is_none() {
            wanted = whole_length(answer);
        }
        if wanted.is_some_and(|wanted| answer.len() >= wanted) {
            return Ok(());
        }
    }
}

/// The length of headers and body, once the headers are there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"content-length: ";
    let headers = find(answer, b"\r\n\r\n")? + 4;
    let at = find(&answer[..headers], LENGTH)? + LENGTH.len();
    let digits = answer[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    Some(headers + body)
}

fn count(bytes: &[u8], wanted: &[u8]) -> u64 {
    let (mut count, mut rest) = (0, bytes);
    while let Some(at) = find(rest, wanted) {
        count += 1;
        rest = &rest[at + wanted.len()..];
    }
    count
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
