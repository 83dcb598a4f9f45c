//! What the engine itself costs: workflows of three echo effects and of three computes, events into
//! a counting reducer, each with its records kept in memory (no disk, no HTTP); and hops from message
//! to message, whose records are dropped: an event that a compute maps for a reducer.
//!
//! `cargo bench -p onex-engine --bench workflow [-- WORD]` prints microseconds of one core; only what
//! has the word in its name.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod support;

use onex_engine::Request;
use onex_engine::input::StartRun;
use onex_expr::Text;
use support::{Measured, id, message, payload, timed};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WORKFLOWS: u64 = 50_000;
const MESSAGES: u64 = 300_000;

fn start(node: &str, number: u64) -> Request {
    Request::Start(StartRun {
        node: Text::from(node),
        run_id: id(number),
        key_given: false,
        input: payload(format!("{{\"n\": {number}}}")),
        correlation_id: id(number),
    })
}

fn publish(topic: &str, number: u64) -> Request {
    Request::Publish(message(topic, number))
}

fn main() {
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    let run = |name: &str, keep: bool, total: u64, request: &dyn Fn(u64) -> Request| {
        if !name.contains(&word) {
            return;
        }
        let Measured { micros, records } = timed(keep, total, request);
        let (rate, record_rate) = (1e6 / micros, 1e6 * records / micros);
        println!(
            "{name:<40} {micros:>7.2} us {rate:>8.0}/s, {records:>4.1} records, {:>5.2} us and \
             {record_rate:>7.0}/s each",
            micros / records,
        );
    };
    run("workflow of three effects", true, WORKFLOWS, &|number| start("a", number));
    run("workflow of three computes", true, WORKFLOWS, &|number| start("b", number));
    let spent = |number| publish("onex.evt.bench.spent.v1", number);
    run("message to a reducer", true, MESSAGES, &spent);
    run("message to a reducer, dropped", false, MESSAGES, &spent);
    let measured = |number| publish("onex.evt.bench.measured.v1", number);
    run("hops: event, compute, reducer, dropped", false, MESSAGES, &measured);
}
