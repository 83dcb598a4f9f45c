//! The simulated outside world: one target that keeps a ledger by idempotency key.
//!
//! What becomes of an attempt follows from the seed, the intent and how often it was tried, so that
//! it stays the same when other things of a run are left out.

use std::collections::{BTreeMap, BTreeSet};

use onex_contract::catalog::{Catalog, EffectKind};
use onex_contract::graph::Body;
use onex_engine::Perform;
use onex_expr::Value;
use onex_kernel::effect;
use onex_kernel::port::CallError;
use onex_kernel::{Id, Micros};

use crate::random::Random;
use crate::trouble::Troubles;

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
    /// The effect that asked.
    pub effect: String,
    /// How often an attempt was begun.
    pub begun: u64,
    /// How often it was asked.
    pub asked: u64,
    /// The status of its one answer.
    pub status: i64,
    /// What it answered, as the engine was told: (completed with n, or not and whether sent).
    pub told: Vec<Told>,
}

/// An answer that was given to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Success; the number in its body.
    Done(i64),
    /// A status that is final.
    Final(i64),
    /// A failure that may pass, and whether the target may have been reached.
    Failed {
        /// Whether the request may have reached the target.
        sent: bool,
    },
}

/// What is held at the target: story, effect and thing.
pub(crate) type HeldKey = (Id, String, String);

/// The target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// By idempotency key.
    pub ledger: BTreeMap<Id, Entry>,
    /// Keys under which something was done and not undone.
    pub held: BTreeMap<HeldKey, BTreeSet<Id>>,
}

/// An answer under way: when it arrives and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When it arrives.
    pub at: Micros,
    /// The intent.
    pub intent: Id,
    /// The attempt.
    pub attempt: u64,
    /// What it says.
    pub says: Result<Value, CallError>,
    /// The same, as the model counts it.
    pub told: Told,
}

impl Outside {
    /// Begins an attempt: chance decides what becomes of it. Its effect, if it has one, happens
    /// now; its answers arrive later: at least one, that of a shell which waits no longer included.
    pub fn begin(
        &mut self,
        perform: &Perform,
        now: Micros,
        seed: u64,
        troubles: &Troubles,
    ) -> Vec<Answer> {
        let id = perform.intent.id;
        let node = perform.graph.node(perform.node);
        let Body::Effect(found) = &node.body else { unreachable!("only effects perform") };
        let operation = &found.operations[usize::from(perform.operation)];
        let request = effect::request(operation, &perform.intent, &Value::map::<&str>([]), 100_000);
        let request = request.unwrap_or(Value::Null);
        let undoes = request.get("verb").and_then(Value::as_str) == Some("undo");
        let entry = self.ledger.entry(id).or_insert_with(|| Entry {
            effect: node.name.to_string(),
            begun: 0,
            asked: 0,
            status: 0,
            told: Vec::new(),
        });
        entry.begun += 1;
        let random = &mut Random::part(seed, &format!("{id} {}", entry.begun));
        let later = Micros(now.0 + 50 + random.below(20_000));
        let timeout = now.plus_ms(perform.timeout_ms);
        let answer = |at: Micros, says: Result<Value, CallError>, told| Answer {
            at,
            intent: id,
            attempt: perform.attempt,
            says,
            told,
        };
        if operation.kind == "echo" {
            let body = perform.intent.payload.value.clone();
            return vec![answer(later, Ok(Value::map([("body", body)])), Told::Done(0))];
        }
        let unsent = troubles.unsent_percent;
        let lost = unsent + troubles.lost_answer_percent;
        let busy = lost + troubles.busy_percent;
        let chance = random.below(100);
        if chance < unsent {
            let says = Err(error("connect", "refused", false));
            return vec![answer(later, says, Told::Failed { sent: false })];
        }
        if lost <= chance && chance < busy {
            return vec![answer(later, Ok(status(503, Value::Null)), Told::Failed { sent: true })];
        }
        let refuses = !undoes && random.percent(troubles.refuse_percent);
        let final_status = if !refuses { 200 } else { random.one_of(&[402, 404]) };
        let given = self.asked(perform, &request, undoes, final_status);
        let told = if given == 200 { Told::Done(number(id)) } else { Told::Final(given) };
        let body = Value::map([("id", Value::text(id.to_string())), ("n", Value::Int(number(id)))]);
        let says = Ok(status(given, body));
        if unsent <= chance && chance < lost {
            let gave_up = Err(error("timeout", "no answer", true));
            let gave_up = answer(timeout, gave_up, Told::Failed { sent: true });
            // It may still come, when nobody waits for it any more.
            let late = Micros(timeout.0 + 1 + random.below(900_000));
            let late = random.maybe(50, |_| answer(late, says, told));
            return [gave_up].into_iter().chain(late).collect();
        }
        let again = random.percent(troubles.repeat_percent);
        let again =
            again.then(|| answer(Micros(later.0 + random.below(9_000)), says.clone(), told));
        [answer(later.min(timeout), says, told)].into_iter().chain(again).collect()
    }

    /// Does what is asked, once a key; the status of its one answer.
    fn asked(&mut self, perform: &Perform, request: &Value, undoes: bool, chosen: i64) -> i64 {
        let intent = &perform.intent;
        let Some(entry) = self.ledger.get_mut(&intent.id) else { return chosen };
        entry.asked += 1;
        if entry.asked == 1 {
            entry.status = chosen;
        }
        let thing = request.get("body").and_then(|body| body.get("sku")).and_then(Value::as_str);
        let thing = thing.unwrap_or_default().to_owned();
        let held = (intent.correlation_id, entry.effect.clone(), thing);
        if undoes {
            self.held.remove(&held);
        } else if entry.status == 200 && entry.asked == 1 {
            self.held.entry(held).or_default().insert(intent.id);
        }
        entry.status
    }

    /// Notes that the engine was given an answer.
    pub fn gave(&mut self, answer: &Answer) {
        if let Some(entry) = self.ledger.get_mut(&answer.intent) {
            entry.told.push(answer.told);
        }
    }
}

/// The number in the target's answer.
fn number(id: Id) -> i64 {
    i64::from(id.0[0] % 16)
}

fn status(status: i64, body: Value) -> Value {
    Value::map([
        ("status", Value::Int(status)),
        ("headers", Value::map::<&str>([])),
        ("body", body),
    ])
}

fn error(code: &str, message: &str, sent: bool) -> CallError {
    CallError { code: code.into(), message: message.into(), passing: true, sent }
}
