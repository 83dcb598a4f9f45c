//! What the benchmarks of the engine share: contracts, and a shell without disk or HTTP that performs
//! each effect at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::input::Publish;
use onex_engine::{Engine, Input, Options, Output, Recovered, Reply, Request, Ticket, Unguarded};
use onex_expr::{Text, Value, json};
use onex_kernel::{Id, Micros, Payload};
use onex_store::{Record, RowChange, Store, memory};

/// Keys that messages are spread over.
const KEYS: u64 = 20_000;

/// What runs.
const CONTRACTS: &[(&str, &str)] = &[
    (
        "effects.yaml",
        "name: echo
node_type: effect
contract_version: 1.0.0
description: Answers with what it was given.
effect_operations: {operations: [{operation_name: say, io_config: {handler_type: echo}}]}
",
    ),
    (
        "double.yaml",
        "name: double
node_type: compute
contract_version: 1.0.0
description: Doubles n.
compute_operations:
  operation_name: double
  pipeline: [{step_name: d, step_type: expression, expression_config: {value: {n: \"${input.n * 2}\"}}}]
",
    ),
    (
        "a.yaml",
        "name: a
node_type: orchestrator
contract_version: 1.0.0
description: Three effects in a row.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: a, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {effect_node: echo, operation: say, input: {n: \"${input.n}\"}}}
        - {node_id: two, depends_on: [one], step_config: {effect_node: echo, operation: say, input: {n: \"${steps.one.output.n}\"}}}
        - {node_id: three, depends_on: [two], step_config: {effect_node: echo, operation: say, input: {n: \"${steps.two.output.n}\"}}}
",
    ),
    (
        "b.yaml",
        "name: b
node_type: orchestrator
contract_version: 1.0.0
description: Three computes in a row.
workflow_coordination:
  workflow_definition:
    workflow_metadata: {workflow_name: b, timeout_ms: 60000}
    execution_graph:
      nodes:
        - {node_id: one, step_config: {compute_node: double, input: {n: \"${input.n}\"}}}
        - {node_id: two, depends_on: [one], step_config: {compute_node: double, input: {n: \"${steps.one.output.n}\"}}}
        - {node_id: three, depends_on: [two], step_config: {compute_node: double, input: {n: \"${steps.two.output.n}\"}}}
",
    ),
    (
        "count.yaml",
        "name: count
node_type: reducer
contract_version: 1.0.0
description: Counts by account.
definitions:
  Spent: {type: object, required: [account, amount, region], properties: {account: {type: integer}, amount: {type: integer}, region: {type: string}, note: {type: string}}}
event_bus: {subscribe_topics: [{topic: onex.evt.bench.spent.v1, payload: Spent}]}
state_machine:
  initial_state: open
  initial_data: {sum: 0, last: \"\"}
  entity_key: payload.account
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: spent
      conditions: [{condition_name: real, expression: \"payload.amount > 0 && payload.region == 'eu'\"}]
      actions: [{action_type: state_update, set: {sum: \"${state.sum + payload.amount}\", last: \"${payload.note}\"}}]
",
    ),
    (
        "tidy.yaml",
        "name: tidy
node_type: compute
contract_version: 1.0.0
description: Maps two fields of what was measured.
event_bus: {subscribe_topics: [onex.evt.bench.measured.v1], publish_topics: [onex.evt.tidy.tidied.v1]}
compute_operations:
  operation_name: tidy
  pipeline:
    - step_name: map
      step_type: mapping
      mapping_config: {field_mappings: {account: \"${input.account}\", amount: \"${input.amount}\"}}
",
    ),
    (
        "total.yaml",
        "name: total
node_type: reducer
contract_version: 1.0.0
description: Adds up what was tidied.
event_bus: {subscribe_topics: [onex.evt.tidy.tidied.v1]}
state_machine:
  initial_state: open
  initial_data: {sum: 0}
  entity_key: payload.account
  states: [{state_name: open, waits: forever}]
  transitions:
    - from_state: open
      trigger: tidied
      conditions: [{condition_name: real, expression: \"payload.amount > 0 && payload.amount < 1000\"}]
      actions: [{action_type: state_update, set: {sum: \"${state.sum + payload.amount}\"}}]
",
    ),
];

/// The contracts as a graph.
pub fn graph() -> Arc<Graph> {
    let kind = EffectKind {
        name: "echo",
        config_schema: r#"{"type": "object"}"#,
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: r#"{"type": "object", "properties": {"body": {}}}"#,
        has_status: false,
    };
    let catalog = Catalog { effects: [("echo", kind)].into() };
    let sources: Vec<Source> =
        CONTRACTS.iter().map(|(path, text)| Source::new(*path, text)).collect();
    let checked = onex_contract::check(&sources, &catalog, &Default::default());
    Arc::new(checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics)))
}

/// Lets an engine work.
pub struct Shell {
    engine: Engine,
    /// Where records go; without it they are dropped, and every row that is not in the engine's
    /// cache is one that does not exist.
    store: Option<memory::Memory>,
    /// What the engine is given next.
    pub arrived: Vec<Input>,
    now: u64,
    records: u64,
}

impl Shell {
    /// A shell of an engine that has nothing yet; with `keep` its records are kept in memory.
    pub fn new(keep: bool) -> Shell {
        let recovered = Recovered::empty(graph());
        let engine =
            Engine::recover(Options::default(), Box::new(Unguarded), recovered, Micros(1_000_000))
                .expect("an empty store recovers");
        let store = keep.then(memory::Memory::new);
        Shell { engine, store, arrived: Vec::new(), now: 1_000_000, records: 0 }
    }

    /// Turns until nothing is left to do.
    pub fn run(&mut self) {
        let mut out = Vec::new();
        while !self.arrived.is_empty() {
            self.now += 10;
            self.engine
                .handle(&mut self.arrived, Micros(self.now), &mut out)
                .expect("rows are whole");
            for output in out.drain(..) {
                match output {
                    Output::Load(keys) => {
                        let rows = match &self.store {
                            Some(store) => store.load(&keys).expect("memory"),
                            None => keys.iter().map(|_| None).collect(),
                        };
                        self.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
                    }
                    Output::Write(records) => {
                        self.records += records.len() as u64;
                        if let Some(store) = &self.store {
                            let records: Vec<Record> = records.into_iter().map(stored).collect();
                            store.append(&records, self.now).expect("memory");
                        }
                        self.arrived.push(Input::Synced);
                    }
                    Output::Perform(perform) => {
                        let body = perform.intent.payload.value.clone();
                        self.arrived.push(Input::Answered {
                            intent: perform.intent.id,
                            attempt: perform.attempt,
                            answer: Ok(Value::map([("body", body)])),
                        });
                    }
                    Output::Reply(_, Reply::Refused(refusal)) => panic!("{refusal:?}"),
                    Output::RunEnded(_)
                    | Output::Reply(..)
                    | Output::WakeAt(_)
                    | Output::Drained => {}
                }
            }
        }
    }
}

fn stored(record: onex_engine::output::Record) -> Record {
    let rows = record.rows.into_iter();
    Record {
        partition: record.partition,
        body: record.body,
        payload_bytes: record.payload_bytes,
        rows: rows
            .map(|row| RowChange { key: row.key, value: row.value, fresh: row.fresh })
            .collect(),
    }
}

/// Requests under way at a time.
const CLIENTS: u64 = 256;

/// What was measured.
pub struct Measured {
    /// Microseconds of one core a request.
    pub micros: f64,
    /// Records a request.
    pub records: f64,
}

/// Has so many requests worked on. What the shell reads and makes of bytes is not counted.
pub fn timed(keep: bool, total: u64, request: impl Fn(u64) -> Request) -> Measured {
    let mut shell = Shell::new(keep);
    let rounds = total / CLIENTS;
    let mut took = Duration::ZERO;
    for round in 0..rounds {
        let numbers = (1..=CLIENTS).map(|client| round * CLIENTS + client);
        let requests: Vec<Input> =
            numbers.map(|number| Input::Received(Ticket(number), request(number))).collect();
        let began = Instant::now();
        shell.arrived.extend(requests);
        shell.run();
        took += began.elapsed();
    }
    let done = (rounds * CLIENTS) as f64;
    Measured { micros: took.as_secs_f64() * 1e6 / done, records: shell.records as f64 / done }
}

/// A message of about 200 bytes to a topic.
pub fn message(topic: &str, number: u64) -> Publish {
    let note =
        "a note that fills the message up to about two hundred bytes of payload, as users have";
    let text = format!(
        "{{\"account\": {}, \"amount\": 3, \"region\": \"eu\", \"note\": \"{note} {number:030}\"}}",
        number % KEYS
    );
    Publish {
        id: id(number),
        id_given: true,
        topic: Text::from(topic),
        key: None,
        event_type: None,
        payload: payload(text),
        correlation_id: id(number),
    }
}

/// JSON as a payload.
pub fn payload(text: String) -> Payload {
    let bytes: Arc<[u8]> = text.into_bytes().into();
    let value = json::parse(&bytes, &json::Limits::default()).expect("JSON");
    Payload { value, bytes: Some(bytes) }
}

/// The id of a request.
pub fn id(number: u64) -> Id {
    Id((u128::from(number) << 32).to_be_bytes())
}
