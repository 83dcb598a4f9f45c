//! What the engine itself costs: workflows of three echo effects and of three computes, and events
//! into a counting reducer, against the memory store (no disk, no HTTP).
//!
//! `cargo bench -p onex-engine` prints microseconds of one core per workflow or message.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::sync::Arc;
use std::time::Instant;

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::input::{Publish, StartRun};
use onex_engine::{Engine, Input, Options, Output, Recovered, Reply, Request, Ticket, Unguarded};
use onex_expr::{Text, Value, json};
use onex_kernel::{Id, Micros, Payload};
use onex_store::{Record, RowChange, Store, memory};

const WORKFLOWS: u64 = 50_000;
const MESSAGES: u64 = 300_000;
/// Requests under way at a time.
const CLIENTS: u64 = 256;

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
];

fn graph() -> Arc<Graph> {
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

struct Shell {
    engine: Engine,
    store: memory::Memory,
    arrived: Vec<Input>,
    now: u64,
    frames: u64,
    records: u64,
    ended: u64,
}

impl Shell {
    fn new() -> Shell {
        let recovered = Recovered::empty(graph());
        let engine =
            Engine::recover(Options::default(), Box::new(Unguarded), recovered, Micros(1_000_000))
                .expect("an empty store recovers");
        let store = memory::Memory::new();
        Shell {
            engine,
            store,
            arrived: Vec::new(),
            now: 1_000_000,
            frames: 0,
            records: 0,
            ended: 0,
        }
    }

    /// Turns until nothing is left to do.
    fn run(&mut self) {
        let mut out = Vec::new();
        while !self.arrived.is_empty() {
            self.now += 10;
            self.engine
                .handle(&mut self.arrived, Micros(self.now), &mut out)
                .expect("rows are whole");
            for output in out.drain(..) {
                match output {
                    Output::Load(keys) => {
                        let rows = self.store.load(&keys).expect("memory");
                        self.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
                    }
                    Output::Write(records) => {
                        let records: Vec<Record> = records
                            .into_iter()
                            .map(|record| Record {
                                partition: record.partition,
                                body: record.body,
                                payload_bytes: record.payload_bytes,
                                rows: record
                                    .rows
                                    .into_iter()
                                    .map(|row| RowChange {
                                        key: row.key,
                                        value: row.value,
                                        fresh: row.fresh,
                                    })
                                    .collect(),
                            })
                            .collect();
                        self.frames += 1;
                        self.records += records.len() as u64;
                        self.store.append(&records, self.now).expect("memory");
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
                    Output::RunEnded(_) => self.ended += 1,
                    Output::Reply(_, Reply::Refused(refusal)) => panic!("{refusal:?}"),
                    Output::Reply(..) | Output::WakeAt(_) | Output::Drained => {}
                }
            }
        }
    }
}

fn payload(text: String) -> Payload {
    let bytes: Arc<[u8]> = text.into_bytes().into();
    let value = json::parse(&bytes, &json::Limits::default()).expect("JSON");
    Payload { value, bytes: Some(bytes) }
}

fn id(number: u64) -> Id {
    Id((u128::from(number) << 32).to_be_bytes())
}

fn start(node: &str, number: u64) -> Request {
    Request::Start(StartRun {
        node: Text::from(node),
        run_id: id(number),
        key_given: false,
        input: payload(format!("{{\"n\": {number}}}")),
        correlation_id: id(number),
    })
}

fn spent(number: u64) -> Request {
    let note =
        "a note that fills the message up to about two hundred bytes of payload, as users have";
    let text = format!(
        "{{\"account\": {}, \"amount\": 3, \"region\": \"eu\", \"note\": \"{note} {number:030}\"}}",
        number % 20_000
    );
    Request::Publish(Publish {
        id: id(number),
        id_given: true,
        topic: Text::from("onex.evt.bench.spent.v1"),
        key: None,
        event_type: None,
        payload: payload(text),
        correlation_id: id(number),
    })
}

fn measure(name: &str, total: u64, request: impl Fn(u64) -> Request) {
    let mut shell = Shell::new();
    let began = Instant::now();
    for round in 0..total / CLIENTS {
        for client in 0..CLIENTS {
            let number = round * CLIENTS + client + 1;
            shell.arrived.push(Input::Received(Ticket(number), request(number)));
        }
        shell.run();
    }
    let done = total / CLIENTS * CLIENTS;
    let micros = began.elapsed().as_secs_f64() * 1e6 / done as f64;
    println!(
        "{name:<28} {micros:>7.2} us  {:>9.0}/s  {:>5.2} records  {:>6.1} records/frame",
        1e6 / micros,
        shell.records as f64 / done as f64,
        shell.records as f64 / shell.frames as f64,
    );
}

fn main() {
    measure("workflow of three effects", WORKFLOWS, |number| start("a", number));
    measure("workflow of three computes", WORKFLOWS, |number| start("b", number));
    measure("message to a reducer", MESSAGES, spent);
}
