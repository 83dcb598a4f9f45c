//! The example's real host, killed without warning at two hundred moments while orders are under
//! way, and stopped for a while before some of them.
//!
//! Every accepted order must reach its end, each payment be made once and under one key, and each
//! entity's version be exact. The moments are spread by seed; every other time the client repeats
//! every message with the same ids.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use onex_expr::{Value, json};
use support::Host;
use support::shop::{self, Service};

const SEEDS: usize = 20;
const KILLS: usize = 10;
const ORDERS: usize = 100;
const CLIENTS: usize = 4;

/// How a host's life ends. Each seed goes through all of them, in an order of its own.
#[derive(Clone, Copy)]
enum End {
    /// Killed while it works.
    AtWork,
    /// Stopped for a while, let go on for a few orders more, killed.
    AfterPause,
    /// Stopped, and killed while it stands still.
    InPause,
    /// Killed on its way to being ready.
    AtStart,
}

const ENDS: [End; 4] = [End::AtWork, End::AfterPause, End::AtStart, End::InPause];

fn order(seed: usize, number: usize) -> String {
    let sku = ["lamp", "chair", "desk"][number % 3];
    format!(
        r#"{{"topic":"onex.evt.shop.order-placed.v1","id":"00000000-0000-4000-8000-{seed:06}{number:06}","payload":{{"order_id":"o{seed}-{number}","lines":[{{"sku":"{sku}","qty":1,"price":100}}]}}}}"#
    )
}

/// Posts on a connection that is kept; `None` when the host is gone.
fn post(stream: &mut BufReader<TcpStream>, body: &str) -> Option<u16> {
    let head =
        format!("POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(head.as_bytes()).ok()?;
    stream.get_mut().write_all(body.as_bytes()).ok()?;
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
    }
    std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).ok()?;
    Some(status)
}

/// Places the orders from several connections and tells of each that was accepted; the numbers of
/// those that were not.
fn place(host: &str, seed: usize, orders: &[usize], accepted: &SyncSender<()>) -> Vec<usize> {
    let part = orders.len().div_ceil(CLIENTS).max(1);
    std::thread::scope(|scope| {
        let clients: Vec<_> = orders
            .chunks(part)
            .map(|part| {
                let accepted = accepted.clone();
                scope.spawn(move || {
                    let mut left = Vec::new();
                    let Ok(stream) = TcpStream::connect(host) else { return part.to_vec() };
                    let mut stream = BufReader::new(stream);
                    for number in part {
                        match post(&mut stream, &order(seed, *number)) {
                            // Who has killed the host listens no more.
                            Some(200 | 202) => drop(accepted.send(())),
                            Some(status) => panic!("order {number} was answered {status}"),
                            None => left.push(*number),
                        }
                    }
                    left
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}

/// Stops a host for as long as the service needs to answer what it was asked, and some more.
fn pause(host: &Host, service: &Service) {
    host.signal("-STOP");
    for _ in 0..20 {
        service.ledger();
    }
}

/// One life of a host: it takes orders until its end comes. What was not accepted.
fn live(
    folder: &Path,
    seed: usize,
    kill: usize,
    left: Vec<usize>,
    service: &Service,
) -> Vec<usize> {
    let end = ENDS[(seed + kill) % ENDS.len()];
    if matches!(end, End::AtStart) {
        let mut process = shop::begin(&shop::example(), folder, service);
        let (began, moment) =
            (Instant::now(), Duration::from_millis((seed * 7 + kill * 3) as u64 % 80));
        while began.elapsed() < moment {
            std::thread::yield_now();
        }
        process.kill().and_then(|()| process.wait()).expect("it is our child");
        return left;
    }
    let mut host = shop::start(&shop::example(), folder, service);
    let (accepted, answers) = sync_channel(ORDERS);
    let kill_at = (ORDERS / KILLS + (seed * 5 + kill * 3) % 9).min(left.len());
    let left = std::thread::scope(|scope| {
        let address = host.address.clone();
        let left = &left;
        let placing = scope.spawn(move || place(&address, seed, left, &accepted));
        let hear = |answered: usize| assert_eq!(answers.iter().take(answered).count(), answered);
        match end {
            End::AfterPause => {
                hear(kill_at / 2);
                pause(&host, service);
                host.signal("-CONT");
                hear(kill_at - kill_at / 2);
            }
            End::InPause => {
                hear(kill_at);
                pause(&host, service);
            }
            End::AtWork | End::AtStart => hear(kill_at),
        }
        host.process.kill().expect("it is our child");
        placing.join().expect("no panic")
    });
    host.ended();
    left
}

fn attack(seed: usize, service: &Service) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let all: Vec<usize> = (0..ORDERS).collect();
    let left =
        (0..KILLS).fold(all.clone(), |left, kill| live(folder.path(), seed, kill, left, service));
    let host = shop::start(&shop::example(), folder.path(), service);
    let again = if seed.is_multiple_of(2) { left } else { all };
    assert!(place(&host.address, seed, &again, &sync_channel(ORDERS).0).is_empty());
    // Again, and this time nothing is sent after the start: what was accepted goes on by itself.
    drop(host);
    let host = shop::start(&shop::example(), folder.path(), service);
    let done = |counts: &Value| {
        counts.get("counts").and_then(|counts| counts.get("shipped")).and_then(Value::as_int)
            == Some(ORDERS as i64)
    };
    host.until("/v1/state/order?count_by=state", done);
    let page = host.get("/v1/state/order?limit=1000").json();
    let entities = page.get("items").and_then(Value::as_list).expect("a list").to_vec();
    assert_eq!(entities.len(), ORDERS);
    for entity in entities {
        let version = entity.get("version").and_then(Value::as_int);
        assert_eq!(version, Some(3), "seed {seed}: {}", json::to_string(&entity));
    }
    let letters = host.get("/v1/dlq").json();
    let letters = letters.get("items").and_then(Value::as_list).map(<[Value]>::len);
    assert_eq!(letters, Some(0), "seed {seed}");
}

#[test]
fn kill_at_two_hundred_moments_and_pauses_lose_and_double_nothing() {
    let service = Service::start();
    for seed in 0..SEEDS {
        attack(seed, &service);
    }
    let ledger = service.ledger();
    let charges = ledger.get("charges").and_then(Value::as_list).expect("a list");
    let mut paid: Vec<&str> = charges
        .iter()
        .filter_map(|charge| charge.get("order_id").and_then(Value::as_str))
        .collect();
    assert_eq!(paid.len(), ORDERS * SEEDS, "one charge an order");
    paid.sort_unstable();
    paid.dedup();
    assert_eq!(paid.len(), ORDERS * SEEDS, "one key a charge");
}
