//! The shell around the real engine and a store in memory: what it does with effects that panic,
//! hang, leak or crowd, and with a store that fails.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::port::{BoxFuture, Call};
use onex_kernel::row::RunStatus;
use onex_runtime::Options;
use onex_runtime::query::log::{Filter, Position};
use onex_store::StoreError;
use onex_store::memory::Memory;
use support::{Asks, Does, WAIT, answer, flow, graph, start, start_with};
use tokio::sync::{Barrier, Notify};

#[tokio::test]
async fn an_effect_that_panics_fails_its_step_and_nothing_else() {
    let panics = Does(|_| -> BoxFuture<_> { Box::pin(async { panic!("user data") }) });
    let running = start(Arc::new(Memory::new()), Options::default(), Arc::new(panics)).await;
    for _ in 0..2 {
        let ended = flow(&running.handle).await.expect("it is accepted");
        assert_eq!(ended.status, RunStatus::Failed);
        let (_, message, step) = ended.error.expect("a failed run says why");
        assert!(!message.contains("user data"));
        assert_eq!(step.as_deref(), Some("call"));
    }
}

#[tokio::test]
async fn an_effect_that_hangs_is_given_up_after_its_time() {
    let hangs = Does(|_| -> BoxFuture<_> { Box::pin(std::future::pending()) });
    let (store, options) = (Arc::new(Memory::new()), Options::default());
    let running = start_with(store, options, Arc::new(hangs), graph(50)).await;
    let ended = flow(&running.handle).await.expect("it is accepted");
    assert_eq!(ended.status, RunStatus::Failed);
}

#[tokio::test]
async fn a_secret_that_a_target_repeats_is_nowhere_in_result_or_log() {
    let repeats = Does(|call: Call| -> BoxFuture<_> {
        let header = call.request.get_path(["headers", "Authorization"]).cloned();
        assert_eq!(header, Some(Value::text("hunter22")));
        Box::pin(async move { Ok(answer(Value::list(vec![header.unwrap_or(Value::Null)]))) })
    });
    let running = start(Arc::new(Memory::new()), Options::default(), Arc::new(repeats)).await;
    let ended = flow(&running.handle).await.expect("it is accepted");
    let expected = Value::map([("answer", Value::list(vec![Value::text("***")]))]);
    assert_eq!(ended.result, expected);
    let log = running
        .handle
        .log(Filter::default(), Position::Beginning, 1000)
        .await
        .expect("the log can be read");
    for record in log.items {
        assert!(!record.message.payload.value.to_json().contains("hunter22"));
    }
}

#[tokio::test]
async fn no_more_attempts_than_the_limit_are_under_way_at_one_target() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Each attempt waits for another one: were there never two, none would end.
    let pairs = Arc::new(Barrier::new(2));
    let counts = {
        let most = most.clone();
        Does(move |_| -> BoxFuture<_> {
            let (now, most, pairs) = (now.clone(), most.clone(), pairs.clone());
            Box::pin(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                pairs.wait().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(answer(Value::Null))
            })
        })
    };
    let options = Options { attempts_per_target_max: 2, ..Options::default() };
    let running = start(Arc::new(Memory::new()), options, Arc::new(counts)).await;
    let runs = (0..20).map(|_| flow(&running.handle));
    for ended in futures_util::future::join_all(runs).await {
        let ended = ended.expect("it is accepted");
        assert_eq!(ended.status, RunStatus::Completed);
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_drain_waits_for_the_attempt_under_way_and_takes_nothing_new() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let waits = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        Does(move |_| -> BoxFuture<_> {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            Box::pin(async move {
                begun.notify_one();
                go_on.notified().await;
                Ok(answer(Value::Int(1)))
            })
        })
    };
    let store = Arc::new(Memory::new());
    let running = start(store, Options::default(), Arc::new(waits)).await;
    let handle = running.handle.clone();
    let asked = tokio::spawn(async move { flow(&handle).await });
    begun.notified().await;
    running.stop.send(()).expect("the service runs");
    while running.handle.is_ready() {
        tokio::task::yield_now().await;
    }
    let refused = flow(&running.handle).await.expect_err("it drains");
    assert_eq!((refused.status, refused.code), (503, "draining"));
    go_on.notify_one();
    let ended = running.service.await.expect("it does not panic");
    assert!(ended.is_ok(), "{ended:?}");
    let ended = asked.await.expect("it does not panic").expect("it was accepted");
    assert_eq!(ended.status, RunStatus::Completed);
}

#[tokio::test]
async fn a_failed_write_ends_the_service_and_answers_nobody() {
    // The activation of the contracts, and nothing after it.
    let left = AtomicUsize::new(1);
    let before = move || match left.fetch_sub(1, Ordering::SeqCst) {
        1 => Ok(()),
        _ => Err(StoreError::Poisoned { cause: "the disk is gone".into() }),
    };
    let store = Asks { inner: Memory::new(), before };
    let answers = Does(|_| -> BoxFuture<_> { Box::pin(async { Ok(answer(Value::Null)) }) });
    let running = start(Arc::new(store), Options::default(), Arc::new(answers)).await;
    let refused = flow(&running.handle).await.expect_err("nothing is durable");
    assert_eq!(refused.status, 503);
    let ended = running.service.await.expect("it does not panic");
    let error = ended.expect_err("it must not go on");
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[tokio::test]
async fn a_run_that_nobody_began_is_not_found_however_long_one_waits() {
    let answers = Does(|_| -> BoxFuture<_> { Box::pin(async { Ok(answer(Value::Null)) }) });
    let running = start(Arc::new(Memory::new()), Options::default(), Arc::new(answers)).await;
    let missing = running.handle.run(Id([9; 16]), Some(WAIT)).await;
    assert!(missing.is_err());
}
