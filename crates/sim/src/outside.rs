//! The simulated outside world: one target that keeps a ledger by idempotency key.

use std::collections::{BTreeMap, BTreeSet};

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::Body;
use onex_engine::Perform;
use onex_expr::Value;
use onex_kernel::effect;
use onex_kernel::port::CallError;
use onex_kernel::{Id, Micros};

use crate::random::Random;
use crate::world::Faults;

/// The catalog of a simulated host: `echo`, and `target` with `verb` (`do`, `undo`, ...) and
/// `body`, whose answer has `status` and `body`.
pub fn catalog() -> Catalog {
    let echo = EffectKind {
        name: "echo",
        config_schema: r#"{"type": "object"}"#,
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: r#"{"type": "object", "properties": {"body": {}}, "required": ["body"]}"#,
        has_status: false,
    };
    let target = EffectKind {
        name: "target",
        config_schema: r#"{"type": "object", "properties": {"verb": {"type": "string"}, "body": {}}}"#,
        verb_field: Some("verb"),
        response_schema: r#"{"type": "object", "properties": {"status": {"type": "integer"}, "body": {}}}"#,
        has_status: true,
        ..echo.clone()
    };
    Catalog { effects: [("echo", EffectKind { name: "echo", ..echo }), ("target", target)].into() }
}

/// What the target knows of one key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The operation, `node.operation`.
    pub operation: String,
    /// How often it was asked.
    pub asked: u64,
    /// The status of its one answer.
    pub status: i64,
}

/// What is held at the target: story, effect and thing.
pub(crate) type Held = (Id, String, String);

/// The target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// By idempotency key.
    pub ledger: BTreeMap<Id, Entry>,
    /// Keys under which something was done and not undone.
    pub held: BTreeMap<Held, BTreeSet<Id>>,
}

/// An attempt under way: when it ends and how.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// When its answer arrives.
    pub at: Micros,
    /// The intent.
    pub intent: Id,
    /// The attempt.
    pub number: u64,
    /// The answer.
    pub answer: Result<Value, CallError>,
}

impl Outside {
    /// Begins an attempt: chance decides what becomes of it. Its effect, if it has one, happens
    /// now; its answer, if it has one, arrives later.
    pub fn begin(
        &mut self,
        perform: &Perform,
        now: Micros,
        random: &mut Random,
        faults: &Faults,
    ) -> Attempt {
        let node = perform.graph.node(perform.node);
        let Body::Effect(found) = &node.body else { unreachable!("only effects perform") };
        let operation = &found.operations[usize::from(perform.operation)];
        let intent = &perform.intent;
        let done =
            |at: Micros, answer| Attempt { at, intent: intent.id, number: perform.attempt, answer };
        let request = match effect::request(operation, intent, &Value::map::<&str>([]), 100_000) {
            Ok(request) => request,
            Err(text) => return done(now, Err(error("bad_request", &text, false, false))),
        };
        let later = Micros(now.0 + 50 + random.below(20_000));
        if operation.kind == "echo" {
            let body = intent.payload.value.clone();
            return done(later, Ok(Value::map([("body", body)])));
        }
        let timeout = now.plus_ms(operation.attempt_timeout_ms);
        match random.below(100) {
            n if n < faults.unsent_percent => {
                done(later, Err(error("connect", "refused", true, false)))
            }
            n if n < faults.unsent_percent + faults.lost_answer_percent => {
                self.perform(perform, &request, random, faults);
                done(timeout, Err(error("timeout", "no answer", true, true)))
            }
            n if n < faults.unsent_percent + faults.lost_answer_percent + faults.busy_percent => {
                done(later, Ok(answer(503, Value::Null)))
            }
            _ => {
                let status = self.perform(perform, &request, random, faults);
                let body = Value::map([("id", Value::text(intent.id.to_string()))]);
                done(later, Ok(answer(status, body)))
            }
        }
    }

    /// Does what is asked, once a key.
    fn perform(
        &mut self,
        perform: &Perform,
        request: &Value,
        random: &mut Random,
        faults: &Faults,
    ) -> i64 {
        let undo = request.get("verb").and_then(Value::as_str) == Some("undo");
        let refuse = !undo && random.percent(faults.refuse_percent);
        let node = perform.graph.node(perform.node).name.to_string();
        let thing = request.get("body").and_then(|body| body.get("sku")).and_then(Value::as_str);
        let held = (perform.intent.correlation_id, node.clone(), thing.unwrap_or("").to_owned());
        let entry = self.ledger.entry(perform.intent.id).or_insert(Entry {
            operation: node,
            asked: 0,
            status: if refuse { 402 } else { 200 },
        });
        entry.asked += 1;
        if undo {
            self.held.remove(&held);
        } else if entry.status == 200 && entry.asked == 1 {
            self.held.entry(held).or_default().insert(perform.intent.id);
        }
        entry.status
    }
}

fn answer(status: i64, body: Value) -> Value {
    Value::map([
        ("status", Value::Int(status)),
        ("headers", Value::map::<&str>([])),
        ("body", body),
    ])
}

fn error(code: &str, message: &str, passing: bool, sent: bool) -> CallError {
    CallError { code: code.into(), message: message.into(), passing, sent }
}
