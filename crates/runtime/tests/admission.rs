//! When a start is answered, and what is still taken when the disk is full.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use onex_engine::input::StartRun;
use onex_expr::Value;
use onex_kernel::Payload;
use onex_kernel::port::BoxFuture;
use onex_kernel::row::RunStatus;
use onex_runtime::Options;
use onex_store::disk;
use onex_store::embedded::{self, Embedded};
use onex_store::memory::Memory;
use support::{Asks, Does, WAIT, a_start, answer, flow, start};
use tokio::sync::Semaphore;

/// Runs under way when the disk is full.
const HELD: usize = 10;

/// A store that appends only while its gate is open.
fn gated() -> (Arc<AtomicBool>, Arc<dyn onex_store::Store>) {
    let closed = Arc::new(AtomicBool::new(false));
    let gate = closed.clone();
    let before = move || {
        while gate.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        Ok(())
    };
    (closed, Arc::new(Asks { inner: Memory::new(), before }))
}

fn never_ends() -> Arc<Does<impl Fn(onex_kernel::port::Call) -> BoxFuture<support::Answered>>> {
    Arc::new(Does(|_| -> BoxFuture<_> { Box::pin(std::future::pending()) }))
}

#[tokio::test]
async fn the_time_to_wait_bounds_the_wait_for_the_end_and_not_the_acceptance() {
    let (closed, store) = gated();
    let running = start(store, Options::default(), never_ends()).await;
    for wait in [Duration::ZERO, Duration::from_millis(1)] {
        closed.store(true, Ordering::SeqCst);
        let (asked, handle) = (a_start(), running.handle.clone());
        let run_id = asked.run_id;
        let mut waiting = tokio::spawn(async move { handle.start(asked, Some(wait)).await });
        let early = tokio::time::timeout(Duration::from_millis(20), &mut waiting).await;
        assert!(early.is_err(), "answered before it was durable");
        closed.store(false, Ordering::SeqCst);
        let begun = waiting.await.expect("it does not panic").expect("it is accepted");
        assert_eq!((begun.run_id, begun.status), (run_id, RunStatus::Running));
    }
}

#[tokio::test]
async fn a_start_that_is_not_durable_in_time_is_told_which_run_to_look_for() {
    let (closed, store) = gated();
    let options = Options { accept_within: Duration::from_millis(5), ..Options::default() };
    let running = start(store, options, never_ends()).await;
    for wait in [None, Some(Duration::ZERO)] {
        closed.store(true, Ordering::SeqCst);
        let asked = a_start();
        let run_id = asked.run_id;
        let refused = running.handle.start(asked, wait).await.expect_err("nothing is durable");
        assert_eq!((refused.status, refused.code), (503, "not_yet_durable"));
        assert_eq!(refused.run_id, Some(run_id));
        closed.store(false, Ordering::SeqCst);
        // It happens all the same.
        while running.handle.run(run_id, None).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_full_disk_takes_no_new_work_and_lets_accepted_work_end() {
    let (begun, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let waits = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        Does(move |_| -> BoxFuture<_> {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            Box::pin(async move {
                if begun.fetch_add(1, Ordering::SeqCst) < HELD {
                    let _go_on = go_on.acquire().await;
                }
                Ok(answer(Value::Int(1)))
            })
        })
    };
    let small = disk::Memory::new();
    small.set_capacity(Some(2 << 20));
    let limits = embedded::Options { segment_first_bytes: 128 << 10, ..Default::default() };
    let store = Arc::new(Embedded::open(small.clone(), limits).expect("opens"));
    let running = start(store, Options::default(), Arc::new(waits)).await;
    let mut runs = Vec::new();
    let refused = loop {
        let input = Value::map([("much", Value::text("x".repeat(8 << 10)))]);
        let asked = StartRun { input: Payload::from(input), ..a_start() };
        let run_id = asked.run_id;
        match running.handle.start(asked, None).await {
            Ok(_) => runs.push(run_id),
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.status, refused.code), (503, "disk_full"));
    assert!(runs.len() > 2 * HELD, "only {} runs", runs.len());
    go_on.add_permits(HELD);
    for run in runs {
        let ended = running.handle.run(run, Some(WAIT)).await.expect("it was accepted");
        assert_eq!(ended.head.status, RunStatus::Completed);
    }
    small.set_capacity(None);
    let ended = loop {
        match flow(&running.handle).await {
            Ok(ended) => break ended,
            Err(refused) => assert_eq!(refused.code, "disk_full"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(ended.status, RunStatus::Completed);
}
