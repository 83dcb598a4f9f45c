//! A host for one vector: the engine, a store in memory, a clock that moves when told, and a target
//! that answers as the vector says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::{Body, Graph};
use onex_engine::{
    Engine, Input, Options, Output, Perform, Recovered, Reply, Request, Ticket, Unguarded,
};
use onex_expr::Value;
use onex_kernel::port::CallError;
use onex_kernel::{Micros, effect};
use onex_sim::Durable;
use onex_store::memory::Memory;
use onex_store::{Record, RowChange, Store};

/// 2026-01-01T00:00:00Z.
const BEGINNING: u64 = 1_767_225_600_000_000;

/// See the module.
pub struct Host {
    pub engine: Engine,
    pub store: Arc<Memory>,
    pub graph: Arc<Graph>,
    pub now: u64,
    /// Attempts under way.
    pub attempts: VecDeque<Perform>,
    /// Every attempt that began: operation and request.
    pub asked: Vec<Value>,
    /// What the target answers, by operation.
    pub answers: BTreeMap<String, VecDeque<Value>>,
    secrets: Value,
    replies: Vec<(Ticket, Reply)>,
    wake_at: Option<u64>,
    tickets: u64,
    arrived: Vec<Input>,
}

/// The kinds that vectors may use, as the table of kinds describes them. `http` has statuses; `echo`
/// answers with what it was given.
pub fn catalog() -> Catalog {
    let http = EffectKind {
        name: "http",
        config_schema: r#"{"type": "object"}"#,
        url_fields: &["url_template"],
        path_fields: &[],
        verb_field: Some("method"),
        idempotent_verbs: Some(&["GET", "PUT", "DELETE"]),
        body_verbs: &["POST", "PUT", "PATCH"],
        response_schema: r#"{"type": "object", "properties": {"status": {"type": "integer"}, "headers": {"type": "object", "additionalProperties": true}, "body": {}}, "required": ["status", "headers", "body"]}"#,
        has_status: true,
    };
    let echo = EffectKind {
        name: "echo",
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: r#"{"type": "object", "properties": {"body": {}}, "required": ["body"]}"#,
        has_status: false,
        ..http.clone()
    };
    let filesystem = EffectKind {
        name: "filesystem",
        path_fields: &["file_path_template"],
        verb_field: Some("operation"),
        idempotent_verbs: Some(&["read", "write", "delete", "list"]),
        response_schema: r#"{"type": "object", "properties": {"path": {"type": "string"}, "bytes": {"type": "integer"}, "modified_at": {"type": "string"}, "body": {}, "entries": {"type": "array"}}, "required": ["path"]}"#,
        ..echo.clone()
    };
    Catalog { effects: [("http", http), ("echo", echo), ("filesystem", filesystem)].into() }
}

impl Host {
    pub fn new(graph: Arc<Graph>, secrets: Value) -> Host {
        let store = Arc::new(Memory::new());
        let engine = recovered(&store, &graph, BEGINNING);
        let mut host = Host {
            engine,
            store,
            graph,
            now: BEGINNING,
            attempts: VecDeque::new(),
            asked: Vec::new(),
            answers: BTreeMap::new(),
            secrets,
            replies: Vec::new(),
            wake_at: None,
            tickets: 0,
            arrived: Vec::new(),
        };
        host.settle();
        host
    }

    /// The process ends without warning and begins again on what is durable.
    pub fn crash(&mut self) {
        self.engine = recovered(&self.store, &self.graph, self.now);
        self.attempts.clear();
        self.arrived.clear();
        self.settle();
    }

    /// The same, and so much later.
    pub fn down_ms(&mut self, ms: u64) {
        self.now += ms * 1000;
        self.crash();
    }

    /// From now on another graph.
    pub fn activate(&mut self, graph: Arc<Graph>) -> Reply {
        self.graph = graph.clone();
        self.ask(|ticket| Input::Activate(ticket, graph))
    }

    pub fn request(&mut self, request: Request) -> Reply {
        self.ask(|ticket| Input::Received(ticket, request))
    }

    fn ask(&mut self, input: impl FnOnce(Ticket) -> Input) -> Reply {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.arrived.push(input(ticket));
        self.settle();
        let at = self.replies.iter().position(|(one, _)| *one == ticket);
        self.replies.swap_remove(at.expect("every request is answered")).1
    }

    /// Lets time pass, waking the engine as it asks.
    pub fn pass_ms(&mut self, ms: u64) {
        let until = self.now + ms * 1000;
        while let Some(at) = self.wake_at.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.wake_at = None;
            self.arrived.push(Input::Tick);
            self.settle();
        }
        self.now = until;
    }

    /// Answers the oldest attempt of an operation.
    pub fn answer(&mut self, operation: &str, with: &Value) -> Result<(), String> {
        let named = |perform: &Perform| name_of(perform) == operation;
        let at = self.attempts.iter().position(named);
        let at = at.ok_or_else(|| format!("no attempt of {operation} is under way"))?;
        let perform = self.attempts.remove(at).expect("it was just found");
        self.give(&perform, with);
        self.settle();
        Ok(())
    }

    fn give(&mut self, perform: &Perform, with: &Value) {
        let answer = match with {
            Value::String(word) => Err(lost(word)),
            Value::Int(_) => Ok(answer(with.clone(), Value::Null, None)),
            other if other.get("error").is_some() => {
                let word = other.get("error").and_then(Value::as_str).unwrap_or("failed");
                Err(lost(word))
            }
            other if !operation_of(perform).has_status => Ok(other.clone()),
            other => {
                let status = other.get("status").cloned().unwrap_or(Value::Int(200));
                let body = other.get("body").cloned().unwrap_or(Value::Null);
                Ok(answer(status, body, other.get("headers").cloned()))
            }
        };
        self.arrived.push(Input::Answered {
            intent: perform.intent.id,
            attempt: perform.attempt,
            answer,
        });
    }

    /// Turns until nothing is left to do now.
    pub fn settle(&mut self) {
        let mut out = Vec::new();
        loop {
            self.engine.handle(&mut self.arrived, Micros(self.now), &mut out).expect("whole rows");
            for output in out.drain(..) {
                self.act(output);
            }
            self.answer_at_once();
            if self.arrived.is_empty() {
                return;
            }
        }
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::Load(keys) => {
                let rows = self.store.load(&keys).expect("memory");
                self.arrived.push(Input::Loaded(keys.into_iter().zip(rows).collect()));
            }
            Output::Write(records) => {
                let records: Vec<Record> = records.into_iter().map(to_store).collect();
                self.store.append(&records, self.now).expect("memory");
                self.arrived.push(Input::Synced);
            }
            Output::Perform(perform) => {
                let request = request(&perform, &self.secrets);
                let name = Value::text(name_of(&perform));
                let limit = operation_of(&perform).attempt_timeout_ms;
                let limit = Value::Int(i64::try_from(limit).unwrap_or(i64::MAX));
                self.asked.push(Value::map([
                    ("operation", name),
                    ("request", request),
                    ("given", perform.intent.payload.value.clone()),
                    ("timeout_ms", limit),
                ]));
                self.attempts.push_back(perform);
            }
            Output::Reply(ticket, reply) => self.replies.push((ticket, reply)),
            Output::WakeAt(at) => self.wake_at = Some(at.0),
            Output::RunEnded(_) | Output::Drained => {}
        }
    }

    /// Answers what the vector says how to answer; the last of several answers is for all others.
    fn answer_at_once(&mut self) {
        for perform in std::mem::take(&mut self.attempts) {
            let name = name_of(&perform);
            if request(&perform, &self.secrets).get("error").is_some() {
                self.give(&perform, &Value::text("bad_request"));
                continue;
            }
            if is_echo(&perform) {
                let body = perform.intent.payload.value.clone();
                self.arrived.push(Input::Answered {
                    intent: perform.intent.id,
                    attempt: perform.attempt,
                    answer: Ok(Value::map([("body", body)])),
                });
                continue;
            }
            let said = self.answers.get_mut(&name);
            let with = said.and_then(|said| match said.len() {
                0 | 1 => said.front().cloned(),
                _ => said.pop_front(),
            });
            match with {
                Some(with) if with.as_str() != Some("held") => self.give(&perform, &with),
                _ => self.attempts.push_back(perform),
            }
        }
    }
}

fn recovered(store: &Arc<Memory>, graph: &Arc<Graph>, now: u64) -> Engine {
    let (options, now) = (Options::default(), Micros(now));
    let source = Durable(&**store);
    let recovered = Recovered::read(&source, graph, &|_| None, &options, now).expect("memory");
    Engine::recover(options, Box::new(Unguarded), recovered, now).expect("whole rows")
}

fn to_store(record: onex_engine::output::Record) -> Record {
    Record {
        partition: record.partition,
        body: record.body,
        payload_bytes: record.payload_bytes,
        rows: record
            .rows
            .into_iter()
            .map(|row| RowChange { key: row.key, value: row.value, fresh: row.fresh })
            .collect(),
    }
}

fn operation_of(perform: &Perform) -> &onex_contract::graph::Operation {
    match &perform.graph.node(perform.node).body {
        Body::Effect(effect) => &effect.operations[usize::from(perform.operation)],
        _ => unreachable!("only effects perform"),
    }
}

fn name_of(perform: &Perform) -> String {
    format!("{}.{}", perform.graph.node(perform.node).name, operation_of(perform).name)
}

fn is_echo(perform: &Perform) -> bool {
    operation_of(perform).kind == "echo"
}

fn request(perform: &Perform, secrets: &Value) -> Value {
    match effect::request(operation_of(perform), &perform.intent, secrets, 100_000) {
        Ok(request) => request,
        Err(text) => Value::map([("error", Value::String(text))]),
    }
}

fn answer(status: Value, body: Value, headers: Option<Value>) -> Value {
    let none: [(&str, Value); 0] = [];
    let headers = headers.unwrap_or_else(|| Value::map(none));
    Value::map([("status", status), ("headers", headers), ("body", body)])
}

/// `lost`: sent, no answer; `unsent`: it never left; anything else: refused for good.
fn lost(word: &str) -> CallError {
    let (passing, sent) = match word {
        "lost" => (true, true),
        "unsent" => (true, false),
        _ => (false, false),
    };
    CallError { code: word.into(), message: "no answer".into(), passing, sent }
}
