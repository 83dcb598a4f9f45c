//! The example's real host, killed without warning while two hundred orders are under way.
//!
//! Every accepted order must reach its end, each payment be made once and under one key, and each
//! entity's version be exact. Twenty kill points are spread by seed; every other time the client
//! repeats every message with the same ids.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use onex_expr::{Value, json};
use support::shop::{self, Service};

const ORDERS: usize = 200;
const CLIENTS: usize = 4;
const KILL_POINTS: usize = 20;

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

/// Places the orders from several connections; the numbers of those that were not accepted.
fn place(host: &str, seed: usize, orders: &[usize], accepted: &AtomicUsize) -> Vec<usize> {
    let part = orders.len().div_ceil(CLIENTS).max(1);
    std::thread::scope(|scope| {
        let clients: Vec<_> = orders
            .chunks(part)
            .map(|part| {
                scope.spawn(move || {
                    let mut left = Vec::new();
                    let Ok(stream) = TcpStream::connect(host) else { return part.to_vec() };
                    let mut stream = BufReader::new(stream);
                    for number in part {
                        match post(&mut stream, &order(seed, *number)) {
                            Some(200 | 202) => {
                                accepted.fetch_add(1, Ordering::Relaxed);
                            }
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

fn attack(seed: usize, service: &Service) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let all: Vec<usize> = (0..ORDERS).collect();
    let accepted = AtomicUsize::new(0);
    let mut host = shop::start(&shop::example(), folder.path(), service);
    // Spread over the whole of it, the tail when all are accepted and many not finished included.
    let kill_at = (seed * ORDERS / (KILL_POINTS - 1) + seed % 7).min(ORDERS);
    let left = std::thread::scope(|scope| {
        let address = host.address.clone();
        let (all, accepted) = (&all, &accepted);
        let placing = scope.spawn(move || place(&address, seed, all, accepted));
        while accepted.load(Ordering::Relaxed) < kill_at {
            std::thread::yield_now();
        }
        host.process.kill().expect("it is our child");
        placing.join().expect("no panic")
    });
    host.ended();
    let host = shop::start(&shop::example(), folder.path(), service);
    let again = if seed.is_multiple_of(2) { left } else { all };
    assert!(place(&host.address, seed, &again, &accepted).is_empty());
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
fn kill_at_twenty_moments_of_two_hundred_orders_loses_and_doubles_nothing() {
    let service = Service::start();
    for seed in 0..KILL_POINTS {
        attack(seed, &service);
    }
    let ledger = service.ledger();
    let charges = ledger.get("charges").and_then(Value::as_list).expect("a list");
    let mut paid: Vec<&str> = charges
        .iter()
        .filter_map(|charge| charge.get("order_id").and_then(Value::as_str))
        .collect();
    assert_eq!(paid.len(), ORDERS * KILL_POINTS, "one charge an order");
    paid.sort_unstable();
    paid.dedup();
    assert_eq!(paid.len(), ORDERS * KILL_POINTS, "one key a charge");
}
