//! Attempts: the request is rendered, the effect performs it, its answer arrives as an input.
//!
//! An effect that answers at once is performed where it stands, on the engine thread; every other
//! one in a task of its own, bounded a target, with the time limit of its operation. Whatever goes
//! wrong in an effect, a panic included, is the answer of that attempt.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use onex_contract::graph::{Body, Graph, NodeIndex, Operation};
use onex_engine::Perform;
use onex_expr::{Text, Value};
use onex_kernel::port::{Call, CallError, Effect};
use onex_kernel::{Id, Message};
use tokio::sync::Semaphore;

use crate::inbox::Inbox;
use crate::scrub::Forms;
use crate::{guard, scrub};

type Answer = Result<Value, CallError>;

/// An effect kind as the host offers it.
#[derive(Clone)]
pub struct Binding {
    /// What performs it.
    pub effect: Arc<dyn Effect>,
    /// Whether it answers without waiting for anything, so that a task would only cost.
    pub immediate: bool,
}

/// Secrets by name. Never printed.
#[derive(Clone, Default)]
pub struct Secrets {
    by_name: BTreeMap<Text, (Text, Arc<Forms>)>,
}

impl Secrets {
    /// Secrets by name. Shorter ones than [`Secrets::BYTES_MIN`] could not be kept out of answers
    /// without spoiling them, so they are refused with their name.
    pub fn new(by_name: BTreeMap<Text, Text>) -> Result<Secrets, Text> {
        match by_name.iter().find(|(_, secret)| secret.len() < Self::BYTES_MIN) {
            Some((name, _)) => Err(name.clone()),
            None => {
                let known = |secret: Text| (secret.clone(), Arc::new(Forms::of(&secret)));
                let by_name = by_name.into_iter().map(|(name, secret)| (name, known(secret)));
                Ok(Secrets { by_name: by_name.collect() })
            }
        }
    }

    /// Shortest secret, in bytes.
    pub const BYTES_MIN: usize = 4;

    fn pick(&self, names: &[Text]) -> (Value, Vec<Arc<Forms>>) {
        let found =
            || names.iter().filter_map(|name| Some((name.clone(), self.by_name.get(name)?)));
        let values =
            Value::map(found().map(|(name, (secret, _))| (name, Value::String(secret.clone()))));
        (values, found().map(|(_, (_, forms))| forms.clone()).collect())
    }
}

/// Begins attempts.
pub(crate) struct Performer {
    effects: HashMap<Text, Binding>,
    secrets: Arc<Secrets>,
    targets: HashMap<Text, Arc<Semaphore>>,
    all: Arc<Semaphore>,
    attempts_per_target_max: usize,
    request_fuel: u64,
    inbox: Arc<Inbox>,
    tasks: tokio::runtime::Handle,
}

/// What a performer needs.
pub(crate) struct Needs {
    pub effects: HashMap<Text, Binding>,
    pub secrets: Secrets,
    pub attempts_max: usize,
    pub attempts_per_target_max: usize,
    pub request_fuel: u64,
    pub inbox: Arc<Inbox>,
    pub tasks: tokio::runtime::Handle,
}

/// One attempt, on its way.
struct Attempt {
    intent: Arc<Message>,
    graph: Arc<Graph>,
    node: NodeIndex,
    operation: u16,
    timeout_ms: u64,
    secrets: Arc<Secrets>,
    request_fuel: u64,
}

impl Performer {
    /// A performer; its tasks run where `needs.tasks` says.
    pub fn new(needs: Needs) -> Performer {
        Performer {
            effects: needs.effects,
            secrets: Arc::new(needs.secrets),
            targets: HashMap::new(),
            all: Arc::new(Semaphore::new(needs.attempts_max.min(Semaphore::MAX_PERMITS))),
            // One target that hangs leaves places for others.
            attempts_per_target_max: needs
                .attempts_per_target_max
                .min(needs.attempts_max.div_ceil(2)),
            request_fuel: needs.request_fuel,
            inbox: needs.inbox,
            tasks: needs.tasks,
        }
    }

    /// Begins an attempt. Its answer arrives in the inbox, be it during this call.
    pub fn begin(&mut self, perform: Perform) {
        let (intent, number) = (perform.intent.id, perform.attempt);
        let attempt = Attempt {
            intent: perform.intent,
            graph: perform.graph,
            node: perform.node,
            operation: perform.operation,
            timeout_ms: perform.timeout_ms,
            secrets: self.secrets.clone(),
            request_fuel: self.request_fuel,
        };
        let Some((target, kind)) = attempt.target() else {
            let answer = Err(no_effect("the operation is not in its graph"));
            return self.inbox.answer(intent, number, answer);
        };
        let Some(binding) = self.effects.get(&kind).cloned() else {
            let answer = Err(no_effect(&format!("this host has no effect kind {kind}")));
            return self.inbox.answer(intent, number, answer);
        };
        if binding.immediate {
            self.at_once(attempt, binding, intent, number);
        } else {
            self.spawn(attempt, binding, &target, intent, number);
        }
    }

    fn at_once(&mut self, attempt: Attempt, binding: Binding, intent: Id, number: u64) {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let (call, secrets) = match attempt.call() {
                Ok(call) => call,
                Err(error) => return Poll::Ready(Err(error)),
            };
            let mut performing = binding.effect.perform(call);
            let mut context = Context::from_waker(Waker::noop());
            Pin::new(&mut performing)
                .poll(&mut context)
                .map(|answer| scrub::answer(answer, &secrets))
        }));
        let answer = match polled {
            Ok(Poll::Ready(answer)) => answer,
            Ok(Poll::Pending) => Err(no_effect("the effect did not answer at once")),
            Err(panic) => Err(panicked(panic.as_ref())),
        };
        self.inbox.answer(intent, number, answer);
    }

    fn spawn(&mut self, attempt: Attempt, binding: Binding, target: &Text, id: Id, number: u64) {
        let (inbox, all) = (self.inbox.clone(), self.all.clone());
        let turns = self
            .targets
            .entry(target.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.attempts_per_target_max)))
            .clone();
        self.tasks.spawn(async move {
            // Nobody closes the semaphores, so there is always a turn.
            let _turn = turns.acquire().await;
            let _place = all.acquire().await;
            let answer = AssertUnwindSafe(attempt.perform(binding))
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
            inbox.answer(id, number, answer);
        });
    }
}

impl Attempt {
    fn operation(&self) -> Option<&Operation> {
        match &self.graph.node(self.node).body {
            Body::Effect(effect) => effect.operations.get(usize::from(self.operation)),
            _ => None,
        }
    }

    fn target(&self) -> Option<(Text, Text)> {
        let operation = self.operation()?;
        let node = self.graph.node(self.node).name.clone();
        Some((node, operation.kind.clone()))
    }

    /// The call, and the forms of the secrets that stand in it.
    fn call(&self) -> Result<(Call, Vec<Arc<Forms>>), CallError> {
        let operation =
            self.operation().ok_or_else(|| no_effect("the operation is not in its graph"))?;
        let (values, secrets) = self.secrets.pick(&operation.secrets);
        let request =
            onex_kernel::effect::request(operation, &self.intent, &values, self.request_fuel)
                .map_err(|message| CallError {
                    code: "bad_request".into(),
                    message: scrub::text(&message, &secrets),
                    passing: false,
                    sent: false,
                })?;
        let call = Call {
            request,
            input: self.intent.payload.value.clone(),
            intent_id: self.intent.id,
            timeout_ms: self.timeout_ms,
        };
        Ok((call, secrets))
    }

    async fn perform(self, binding: Binding) -> Answer {
        let (call, secrets) = self.call()?;
        let limit = Duration::from_millis(call.timeout_ms);
        let answer =
            tokio::time::timeout(limit, binding.effect.perform(call)).await.unwrap_or_else(|_| {
                Err(CallError {
                    code: "timeout".into(),
                    message: format!("no answer within {} ms", limit.as_millis()).into(),
                    passing: true,
                    sent: true,
                })
            });
        scrub::answer(answer, &secrets)
    }
}

fn no_effect(message: &str) -> CallError {
    CallError { code: "no_effect".into(), message: message.into(), passing: false, sent: false }
}

fn panicked(panic: &(dyn Any + Send)) -> CallError {
    tracing::error!(panic = guard::message(panic), "an effect panicked");
    CallError {
        code: "panicked".into(),
        // The message of a panic may quote what it was given, so it stays in the host's own log.
        message: "the effect panicked".into(),
        passing: false,
        sent: true,
    }
}
