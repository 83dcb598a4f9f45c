//! What an operation's attempt means: the request before it, the judgement after it.

use alloc::format;
use alloc::string::ToString;

use jiff::fmt::rfc2822;
use onex_contract::graph::roots::effect::{
    COUNT, ENVELOPE, ERROR, INPUT, NOW, PAYLOAD, RESPONSE, SECRET,
};
use onex_contract::graph::{Backoff, Operation, Published, Refusal};
use onex_expr::{EvalError, Fuel, Key, Map, Template, Text, Value};

use crate::port::CallError;
use crate::row::Reason;
use crate::{Fault, Id, Message, Micros, ask};

/// What an attempt's answer means.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Success.
    Completed {
        /// The step's output.
        output: Value,
        /// Topic and payload to publish.
        publish: Option<(Text, Value)>,
    },
    /// A final answer that is no success.
    Refused {
        /// Stable code and text for people.
        error: (Text, Text),
        /// Topic and payload to publish.
        publish: Option<(Text, Value)>,
        /// Whether a refusal of the contract names it: then it is an answer, not a dead letter.
        answered: bool,
    },
    /// It may pass; another attempt is worth it.
    Failed {
        /// Text for people.
        error: (Text, Text),
        /// Whether the request may have reached the target.
        sent: bool,
        /// What the target asked to wait, in milliseconds (`Retry-After`).
        retry_after_ms: Option<u64>,
    },
}

/// Renders `io_config` for an intent. `secrets` is a map of the secrets that it may read.
/// The error is for people and holds no secret.
pub fn request(
    operation: &Operation,
    intent: &Message,
    secrets: &Value,
    fuel: u64,
) -> Result<Value, Text> {
    let mut roots = roots(intent);
    let mut fuel = Fuel(fuel);
    let templates = operation.idempotency_key.iter().chain([&operation.request]);
    if templates.into_iter().any(|template| template.uses(ENVELOPE)) {
        roots[ENVELOPE] = intent.envelope().to_value();
    }
    let key = match &operation.idempotency_key {
        Some(template) => Some(idempotency_key(template, &roots, &mut fuel)?),
        None => None,
    };
    roots[SECRET] = secrets.clone();
    let request = ask::data(&operation.request, &roots, &mut fuel).map_err(|error| {
        if operation.secrets.is_empty() {
            Text::new(format!("io_config: {}", error.message))
        } else {
            // The message may quote a value, and the value may be a secret.
            Text::new(format!("io_config: {}", error.kind))
        }
    })?;
    Ok(match key {
        Some(key) => with_header(&request, "Idempotency-Key", key),
        None => request,
    })
}

fn idempotency_key(template: &Template, roots: &[Value], fuel: &mut Fuel) -> Result<Value, Text> {
    let told = |what: &str| Text::new(format!("idempotency_key: {what}"));
    let value = ask::data(template, roots, fuel).map_err(|error| told(&error.message))?;
    let key = ask::key(&value).ok_or_else(|| told("it is text or an integer of 1 to 512 bytes"))?;
    Ok(Value::String(key))
}

fn with_header(request: &Value, name: &'static str, value: Value) -> Value {
    let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    let mut headers = map(request.get("headers"));
    headers.insert(Key::String(Text::new_static(name)), value);
    let mut request = map(Some(request));
    request.insert(Key::String("headers".into()), Value::Map(headers.into()));
    Value::Map(request.into())
}

/// Judges an answer, or the lack of one.
pub fn judge(
    operation: &Operation,
    intent: &Message,
    answer: &Result<Value, CallError>,
    attempts: u32,
    fuel: u64,
) -> Judgement {
    let mut case = Case { operation, intent, roots: roots(intent), attempts, fuel: Fuel(fuel) };
    match answer {
        Ok(response) => {
            case.roots[RESPONSE] = response.clone();
            case.answered(response)
        }
        Err(error) if error.passing => Judgement::Failed {
            error: (error.code.clone(), error.message.clone()),
            sent: error.sent,
            retry_after_ms: None,
        },
        Err(error) => Judgement::Refused {
            error: (error.code.clone(), error.message.clone()),
            publish: None,
            answered: false,
        },
    }
}

/// What `on_exhausted` publishes: topic and payload (default: what was given plus
/// `error {code, message, attempts}`). `None` when it says nothing. A payload that fails gives the
/// topic and why.
pub fn on_exhausted(
    operation: &Operation,
    intent: &Message,
    error: &(Text, Text),
    attempts: u32,
    fuel: u64,
) -> Option<Result<(Text, Value), (Text, Fault)>> {
    let published = operation.on_exhausted.as_ref()?;
    let mut case = Case { operation, intent, roots: roots(intent), attempts, fuel: Fuel(fuel) };
    let said = case.complaint(published, error);
    Some(said.map_err(|error| {
        let detail = format!("on_exhausted: {}", error.message).into();
        let fault = Fault { reason: Reason::ExpressionError, detail };
        (published.topic.clone(), fault)
    }))
}

/// When the attempt after `failed` failed ones is due; `None` when none is left. The jitter is a
/// hash of intent and attempt.
pub fn next_attempt(
    operation: &Operation,
    intent: Id,
    failed: u32,
    now: Micros,
    retry_after_ms: Option<u64>,
) -> Option<Micros> {
    let Some(retry) = failed.checked_sub(1) else {
        return Some(now);
    };
    let policy = &operation.retry;
    if !operation.idempotent || retry >= policy.max_retries {
        return None;
    }
    let pause = match policy.backoff {
        Backoff::Exponential => match 1_u64.checked_shl(retry) {
            Some(factor) => policy.base_delay_ms.saturating_mul(factor),
            None => u64::MAX,
        },
        Backoff::Linear => policy.base_delay_ms.saturating_mul(u64::from(retry) + 1),
        Backoff::Fixed => policy.base_delay_ms,
    };
    let longest_us = policy.max_delay_ms.saturating_mul(1000);
    let pause_us = pause.saturating_mul(1000).min(longest_us) as f64;
    let jitter = 1.0 + policy.jitter_factor * noise(intent, failed);
    let pause_us = ((pause_us * jitter) as u64).min(longest_us);
    let asked_us = retry_after_ms.unwrap_or(0).saturating_mul(1000);
    Some(Micros(now.0.saturating_add(pause_us.max(asked_us))))
}

/// A number from -1 to 1 that is always the same for the same attempt of the same intent.
fn noise(intent: Id, failed: u32) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&intent.0);
    hasher.update(&failed.to_le_bytes());
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..4]);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// The roots that every place has, but for `envelope`: who reads it builds it.
fn roots(intent: &Message) -> [Value; COUNT] {
    let mut roots: [Value; COUNT] = core::array::from_fn(|_| Value::Null);
    roots[INPUT] = intent.payload.value.clone();
    roots[PAYLOAD] = intent.payload.value.clone();
    roots[NOW] = intent.time.to_value();
    roots
}

/// One answer being judged.
struct Case<'a> {
    operation: &'a Operation,
    intent: &'a Message,
    roots: [Value; COUNT],
    attempts: u32,
    fuel: Fuel,
}

impl Case<'_> {
    fn answered(&mut self, response: &Value) -> Judgement {
        if !self.operation.has_status {
            return self.completed(response);
        }
        let status = response.get("status").and_then(Value::as_int);
        let status = status.and_then(|status| u16::try_from(status).ok());
        let Some(status) = status else {
            return refused("refused", "the answer has no status");
        };
        if self.operation.success_codes.contains(&status) {
            return self.completed(response);
        }
        let refusals = &self.operation.refusals;
        if let Some(refusal) = refusals.iter().find(|one| one.codes.contains(&status)) {
            return self.refused(status, refusal);
        }
        let passing = match &self.operation.retry.status_codes {
            Some(codes) => codes.contains(&status),
            None => matches!(status, 408 | 425 | 429 | 500..=599),
        };
        if passing {
            return Judgement::Failed {
                error: ("status".into(), said(status)),
                sent: true,
                retry_after_ms: retry_after_ms(response),
            };
        }
        refused("refused", &said(status))
    }

    fn completed(&mut self, response: &Value) -> Judgement {
        match self.success(response) {
            Ok((output, publish)) => Judgement::Completed { output, publish },
            Err(error) => refused(ask::code(&error), &error.message),
        }
    }

    /// The output is `extract`, else the outcome's payload, else the body, else (of a kind that has
    /// no body) the whole answer.
    fn success(&mut self, response: &Value) -> Result<(Value, Option<(Text, Value)>), EvalError> {
        let extract = self.operation.extract.as_ref();
        let extract = extract.map(|template| self.data(template)).transpose()?;
        let outcome = self.operation.outcome.as_ref();
        let payload = outcome.and_then(|published| published.payload.as_ref());
        let payload = payload.map(|template| self.data(template)).transpose()?;
        let output = extract
            .or_else(|| payload.clone())
            .unwrap_or_else(|| response.get("body").unwrap_or(response).clone());
        let publish = outcome.map(|published| {
            let payload = payload.unwrap_or_else(|| output.clone());
            (published.topic.clone(), payload)
        });
        Ok((output, publish))
    }

    fn refused(&mut self, status: u16, refusal: &Refusal) -> Judgement {
        let error = (Text::new_static("refused"), said(status));
        let Some(published) = &refusal.outcome else {
            return Judgement::Refused { error, publish: None, answered: false };
        };
        match self.complaint(published, &error) {
            Ok(publish) => Judgement::Refused { error, publish: Some(publish), answered: true },
            Err(error) => refused(ask::code(&error), &error.message),
        }
    }

    /// What is published when it did not go well.
    fn complaint(
        &mut self,
        published: &Published,
        error: &(Text, Text),
    ) -> Result<(Text, Value), EvalError> {
        let error = Value::map([
            ("code", Value::String(error.0.clone())),
            ("message", Value::String(error.1.clone())),
            ("attempts", Value::Int(self.attempts.into())),
        ]);
        self.roots[ERROR] = error.clone();
        let payload = match &published.payload {
            Some(template) => self.data(template)?,
            None => given_plus_error(&self.roots[INPUT], error),
        };
        Ok((published.topic.clone(), payload))
    }

    fn data(&mut self, template: &Template) -> Result<Value, EvalError> {
        if self.roots[ENVELOPE].is_null() && template.uses(ENVELOPE) {
            self.roots[ENVELOPE] = self.intent.envelope().to_value();
        }
        ask::data(template, &self.roots, &mut self.fuel)
    }
}

/// What was given, with `error` added; what is no map stands under `input`.
pub(crate) fn given_plus_error(given: &Value, error: Value) -> Value {
    let mut payload = match given {
        Value::Map(given) => given.as_ref().clone(),
        other => Map::from_iter([(Key::String("input".into()), other.clone())]),
    };
    payload.insert(Key::String("error".into()), error);
    Value::Map(payload.into())
}

fn refused(code: &str, message: &str) -> Judgement {
    Judgement::Refused { error: (code.into(), message.into()), publish: None, answered: false }
}

fn said(status: u16) -> Text {
    Text::new(format!("the target answered with status {status}"))
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date, which counts from the answer's own `Date`.
fn retry_after_ms(response: &Value) -> Option<u64> {
    let headers = response.get("headers")?;
    let header = |name: &str| match headers.get(name)? {
        Value::String(text) => Some(text.trim().to_string()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let asked = header("retry-after")?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let until = rfc2822::parse(&asked).ok()?.timestamp();
    let from = rfc2822::parse(&header("date")?).ok()?.timestamp();
    let seconds = until.as_second().saturating_sub(from.as_second());
    Some(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000))
}
