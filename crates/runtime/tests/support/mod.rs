//! A service around the real engine, one effect that does what a test says, and a store in memory.

#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use onex_contract::catalog::HostValues;
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::Refusal;
use onex_engine::guard::Guard;
use onex_engine::input::StartRun;
use onex_expr::{Text, Value};
use onex_kernel::port::{BoxFuture, Call, CallError, Effect};
use onex_kernel::{Micros, Payload};
use onex_runtime::guard::StepGuard;
use onex_runtime::handle::new_id;
use onex_runtime::{Binding, Deps, Handle, Options, Secrets, ServeError, Service, Started, build};
use onex_store::memory::Memory;
use onex_store::{Record, RowBytes, RowKey, Status, Store, StoreError, Stored};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const WAIT: Duration = Duration::from_secs(30);

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

pub fn graph(timeout_ms: u64) -> Graph {
    let effect = EFFECT.replace("TIMEOUT", &timeout_ms.to_string());
    let sources = [Source::new("outside.yaml", effect), Source::new("flow.yaml", RUN)];
    let host = HostValues { secrets: vec!["token".into()], ..HostValues::default() };
    let checked = onex_contract::check(&sources, &onex_effects::catalog(), &host);
    checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// What an effect gives.
pub type Answered = Result<Value, CallError>;

/// An effect that does what a function says.
pub struct Does<F>(pub F);

impl<F> Effect for Does<F>
where
    F: Fn(Call) -> BoxFuture<Result<Value, CallError>> + Send + Sync,
{
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>> {
        (self.0)(call)
    }
}

pub fn answer(body: Value) -> Value {
    Value::map([("status", Value::Int(200)), ("headers", Value::map::<Text>([])), ("body", body)])
}

pub struct Running {
    pub handle: Handle,
    pub stop: oneshot::Sender<()>,
    pub service: JoinHandle<Result<(), ServeError>>,
}

pub async fn start(store: Arc<dyn Store>, options: Options, effect: Arc<dyn Effect>) -> Running {
    start_with(store, options, effect, graph(30_000)).await
}

pub async fn start_with(
    store: Arc<dyn Store>,
    options: Options,
    effect: Arc<dyn Effect>,
    graph: Graph,
) -> Running {
    run_with(store, options, effect, graph, Box::new(StepGuard::in_memory())).await
}

pub async fn run_with(
    store: Arc<dyn Store>,
    options: Options,
    effect: Arc<dyn Effect>,
    graph: Graph,
    guard: Box<dyn Guard>,
) -> Running {
    let (service, handle) = assemble(store, options, effect, graph, guard);
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let service = tokio::spawn(service.run(ready, async {
        let _ = stopped.await;
    }));
    is_ready.await.expect("the service becomes ready");
    Running { handle, stop, service }
}

pub fn assemble(
    store: Arc<dyn Store>,
    options: Options,
    effect: Arc<dyn Effect>,
    graph: Graph,
    guard: Box<dyn Guard>,
) -> (Service, Handle) {
    let secrets = BTreeMap::from([(Text::from("token"), Text::from("hunter22"))]);
    let binding = Binding { effect, immediate: false };
    let deps = Deps {
        store,
        graph: Arc::new(graph),
        restore: Arc::new(|stored| Graph::restore(stored, &onex_effects::catalog()).ok()),
        effects: HashMap::from([(Text::from("http"), binding)]),
        secrets: Secrets::new(secrets).expect("it is long enough"),
        guard,
        clock: Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            Micros(since.map_or(0, |since| since.as_micros() as u64))
        }),
    };
    build(options, deps).expect("an empty store can be gone on with")
}

/// Starts a run and waits for its end.
pub async fn flow(handle: &Handle) -> Result<Started, Refusal> {
    handle.start(a_start(), Some(WAIT)).await
}

/// A start of a run of its own.
pub fn a_start() -> StartRun {
    StartRun {
        node: "flow".into(),
        run_id: new_id(),
        key_given: false,
        input: Payload::from(Value::map::<Text>([])),
        correlation_id: new_id(),
    }
}

/// A store in memory that asks before it appends.
pub struct Asks<F> {
    pub inner: Memory,
    pub before: F,
}

impl<F: Fn() -> Result<(), StoreError> + Send + Sync> Store for Asks<F> {
    fn append(&self, records: &[Record], time_micros: u64) -> Result<u64, StoreError> {
        (self.before)()?;
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
