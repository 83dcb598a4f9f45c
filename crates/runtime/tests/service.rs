//! The shell around the real engine and a store in memory: what it does with effects that panic,
//! hang, leak or crowd, and with a store that fails.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onex_contract::catalog::HostValues;
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::Refusal;
use onex_engine::input::StartRun;
use onex_expr::{Text, Value};
use onex_kernel::port::{BoxFuture, Call, CallError, Effect};
use onex_kernel::row::RunStatus;
use onex_kernel::{Id, Micros, Payload};
use onex_runtime::guard::StepGuard;
use onex_runtime::handle::new_id;
use onex_runtime::query::log::{Filter, Position};
use onex_runtime::{Binding, Deps, Handle, Options, Secrets, ServeError, Service, Started, build};
use onex_store::memory::Memory;
use onex_store::{Record, RowBytes, RowKey, Status, Store, StoreError, Stored};
use tokio::sync::{Barrier, Notify, oneshot};
use tokio::task::JoinHandle;

const WAIT: Duration = Duration::from_secs(30);

const EFFECT: &str = "
name: outside
node_type: effect
contract_version: 1.0.0
description: The world outside.
effect_operations:
  operations:
    - operation_name: call
      idempotent: false
      io_config:
        handler_type: http
        method: GET
        url_template: http://127.0.0.1:9/x
        timeout_ms: TIMEOUT
        headers: {Authorization: \"${secret.token}\"}
      response_handling: {success_codes: [200]}
";

const RUN: &str = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
description: One call.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: flow, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: call, node_type: effect, step_config: {effect_node: outside, operation: call, input: {}}}
    result: {answer: \"${steps.call.output}\"}
";

fn graph(timeout_ms: u64) -> Graph {
    let effect = EFFECT.replace("TIMEOUT", &timeout_ms.to_string());
    let sources = [Source::new("outside.yaml", effect), Source::new("flow.yaml", RUN)];
    let host = HostValues { secrets: vec!["token".into()], ..HostValues::default() };
    let checked = onex_contract::check(&sources, &onex_effects::catalog(), &host);
    checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// An effect that does what a function says.
struct Does<F>(F);

impl<F> Effect for Does<F>
where
    F: Fn(Call) -> BoxFuture<Result<Value, CallError>> + Send + Sync,
{
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>> {
        (self.0)(call)
    }
}

fn answer(body: Value) -> Value {
    Value::map([("status", Value::Int(200)), ("headers", Value::map::<Text>([])), ("body", body)])
}

struct Running {
    handle: Handle,
    stop: oneshot::Sender<()>,
    service: JoinHandle<Result<(), ServeError>>,
}

async fn start(store: Arc<dyn Store>, options: Options, effect: Arc<dyn Effect>) -> Running {
    start_with(store, options, effect, graph(30_000)).await
}

async fn start_with(
    store: Arc<dyn Store>,
    options: Options,
    effect: Arc<dyn Effect>,
    graph: Graph,
) -> Running {
    let (service, handle) = assemble(store, options, effect, graph);
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let service = tokio::spawn(service.run(ready, async {
        let _ = stopped.await;
    }));
    is_ready.await.expect("the service becomes ready");
    Running { handle, stop, service }
}

fn assemble(
    store: Arc<dyn Store>,
    options: Options,
    effect: Arc<dyn Effect>,
    graph: Graph,
) -> (Service, Handle) {
    let secrets = BTreeMap::from([(Text::from("token"), Text::from("hunter22"))]);
    let binding = Binding { effect, immediate: false };
    let deps = Deps {
        store,
        graph: Arc::new(graph),
        restore: Arc::new(|stored| Graph::restore(stored, &onex_effects::catalog()).ok()),
        effects: HashMap::from([(Text::from("http"), binding)]),
        secrets: Secrets::new(secrets).expect("it is long enough"),
        guard: Box::new(StepGuard::in_memory()),
        clock: Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            Micros(since.map_or(0, |since| since.as_micros() as u64))
        }),
    };
    build(options, deps).expect("an empty store can be gone on with")
}

async fn flow(handle: &Handle) -> Result<Started, Refusal> {
    let start = StartRun {
        node: "flow".into(),
        run_id: new_id(),
        key_given: false,
        input: Payload::from(Value::map::<Text>([])),
        correlation_id: new_id(),
    };
    handle.start(start, Some(WAIT)).await
}

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

/// A store whose appends fail from some point on.
struct Fails {
    inner: Memory,
    appends_left: AtomicUsize,
}

impl Store for Fails {
    fn append(&self, records: &[Record], time_micros: u64) -> Result<u64, StoreError> {
        let left = self.appends_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(StoreError::Poisoned { cause: "the disk is gone".into() });
        }
        self.appends_left.store(left - 1, Ordering::SeqCst);
        self.inner.append(records, time_micros)
    }

    fn load(&self, keys: &[RowKey]) -> Result<Vec<Option<RowBytes>>, StoreError> {
        self.inner.load(keys)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(RowKey, RowBytes)>, StoreError> {
        self.inner.scan(from, to, limit)
    }

    fn read(&self, from: u64, limit: usize, bytes_max: usize) -> Result<Vec<Stored>, StoreError> {
        self.inner.read(from, limit, bytes_max)
    }

    fn durable_to(&self) -> u64 {
        self.inner.durable_to()
    }

    fn oldest(&self) -> u64 {
        self.inner.oldest()
    }

    fn commit(&self) -> Result<u64, StoreError> {
        self.inner.commit()
    }

    fn offset_at(&self, micros: u64) -> Result<u64, StoreError> {
        self.inner.offset_at(micros)
    }

    fn seal(&self) -> Result<(), StoreError> {
        self.inner.seal()
    }

    fn status(&self) -> Status {
        self.inner.status()
    }
}

#[tokio::test]
async fn a_failed_write_ends_the_service_and_answers_nobody() {
    let store = Fails {
        inner: Memory::new(),
        // The activation of the contracts, and nothing after it.
        appends_left: AtomicUsize::new(1),
    };
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
