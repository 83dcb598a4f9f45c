//! Following the log: each record is something from outside, or the next thing that was sent.

use onex_engine::codec::record::LogRecord;
use onex_expr::Value;
use onex_kernel::row::Letter as LetterRow;
use onex_kernel::{Category, Id, Message, Origin};

use super::{Again, Case, Ending, Intent, Model, Owner, Sent, Touched, What};
use crate::outside::Outside;
use crate::promise::Violation;
use crate::system::{Load, On, Trigger, topic_name};

/// A record as the model sees it.
pub(crate) struct Arrived<'a> {
    pub record: &'a LogRecord,
    /// A letter that it wrote.
    pub letter: Option<LetterRow>,
}

pub(super) fn wrong<T>(text: impl Into<String>) -> Result<T, Violation> {
    Err(Violation::new(text))
}

impl Model {
    /// Takes the next record in.
    pub fn follow(&mut self, arrived: &Arrived<'_>, outside: &Outside) -> Result<(), Violation> {
        let message = &arrived.record.message;
        if message.time < self.now {
            return wrong("record time goes back");
        }
        self.now = message.time;
        let payload = payload(message);
        if let Some(letter) = self.put_back.take() {
            return self.again(message, letter);
        }
        match (message.category, message.origin) {
            (Category::Event | Category::Command, Origin::External) => {
                self.accept(message, &payload)
            }
            (Category::Command, Origin::Control) => self.start(message, &payload),
            (Category::Event, Origin::Derived) => self.event(message, &payload),
            (Category::Event, Origin::Timer) => self.scheduled(message, &payload),
            (Category::Intent, _) => self.intent(message, &payload, outside),
            (Category::Outcome, Origin::Outcome) => self.outcome(message, &payload, outside),
            (Category::Outcome | Category::Control, Origin::Derived) => {
                self.told(message, &payload)
            }
            (Category::Timer, _) => self.timer(message, &payload),
            (Category::Control, _) => self.control(arrived, &payload),
            _ => wrong(format!("a record of no kind: {message:?}")),
        }
    }

    /// What a client's message is answered with: 202, or the status of its refusal.
    pub fn answers(&self, topic: &str, payload: &Value) -> u16 {
        let Some(topic) = self.topic(topic) else { return 404 };
        let load = Load::of(payload).filter(|load| load.d >= 0);
        match load {
            None if self.system.has_subscribers(topic) => 422,
            _ => 202,
        }
    }

    /// The same for a start.
    pub fn answers_start(&self, node: &str, input: &Value) -> u16 {
        let load = Load::of(input).filter(|load| load.d >= 0);
        let workflow = index(node, 'w').and_then(|at| self.system.workflows.get(at));
        match (workflow, load) {
            (None, _) => 404,
            (Some(workflow), Some(load)) if !(workflow.keyed && load.k.is_empty()) => 202,
            _ => 422,
        }
    }

    fn topic(&self, name: &str) -> Option<usize> {
        (0..self.system.topics).find(|topic| topic_name(*topic) == name && self.is_named(*topic))
    }

    fn accept(&mut self, message: &Message, payload: &Value) -> Result<(), Violation> {
        let content = (message.topic.to_string(), payload.clone());
        if self.ids.insert(message.id, content).is_some() {
            return wrong(format!("{} was accepted twice", message.id));
        }
        if self.answers(&message.topic, payload) != 202 {
            return wrong(format!("{} was accepted and should not", message.id));
        }
        let Some(topic) = self.topic(&message.topic) else { return Ok(()) };
        match Load::of(payload) {
            Some(load) => self.deliver(message, topic, &load, None),
            None => Ok(()),
        }
    }

    fn start(&mut self, message: &Message, payload: &Value) -> Result<(), Violation> {
        let node = message.topic.split('.').nth(2).unwrap_or_default();
        let (Some(workflow), Some(load)) = (index(node, 'w'), Load::of(payload)) else {
            return wrong("a start of nothing");
        };
        if self.runs.contains_key(&message.id) {
            return wrong(format!("the run {} was begun twice", message.id));
        }
        let Ok(key) = self.key_of(workflow, &load) else { return wrong("a start without a key") };
        if self.holder(workflow, key.as_ref()).is_some() {
            return wrong("a start beside a live run of its key");
        }
        let case = case_of(message, node);
        self.begin(workflow, message.id, load, None, case)
    }

    /// The next thing that was sent must be this.
    fn next_sent(&mut self, id: Id, generation: u32) -> Result<Sent, Violation> {
        match self.sent.pop_front() {
            Some(sent) if sent.id == id && sent.generation == generation => Ok(sent),
            other => wrong(format!("next must be {other:?}, it is {id} generation {generation}")),
        }
    }

    fn event(&mut self, message: &Message, payload: &Value) -> Result<(), Violation> {
        let sent = self.next_sent(message.id, message.generation)?;
        let What::Event { topic, load } = sent.what else {
            return wrong(format!("{} should be {:?}", message.id, sent.what));
        };
        if topic_name(topic) != *message.topic || !same(payload, &load.value()) {
            return wrong(format!("the event {} should say {load:?} on {topic}", message.id));
        }
        if sent.story != message.correlation_id {
            return wrong(format!("the event {} is of another story", message.id));
        }
        self.deliver(message, topic, &load, None)
    }

    /// To every subscriber, in order of node name, then to whoever listens.
    pub(super) fn deliver(
        &mut self,
        message: &Message,
        topic: usize,
        load: &Load,
        only: Option<&str>,
    ) -> Result<(), Violation> {
        let system = self.system.clone();
        let listening =
            if only.is_none() { self.listening(message.correlation_id, topic) } else { Vec::new() };
        let wanted = |node: &str| only.is_none_or(|only| only == node);
        let about = (message.id, message.generation);
        let again = || Again::Deliver { topic, load: load.clone() };
        let fits = load.d >= 0;
        for (at, effect) in system.effects.iter().enumerate() {
            let node = format!("e{at}");
            let operation = effect.operations.iter().position(|one| one.on == On::Topic(topic));
            let Some(operation) = operation.filter(|_| wanted(&node)) else { continue };
            if !fits {
                self.dead("invalid_payload", &node, about, again());
                continue;
            }
            let id = Id::derive(message.id, &node, message.generation, operation as u32);
            let (operation, payload) = (Some(operation), load.value());
            let what = What::Intent { effect: at, operation, payload, owner: Owner::Nobody };
            self.send(id, 0, message.correlation_id, what);
        }
        for (at, reducer) in system.reducers.iter().enumerate() {
            let node = format!("r{at}");
            if !reducer.subscribes.contains(&topic) || !wanted(&node) {
                continue;
            }
            if !fits {
                self.dead("invalid_payload", &node, about, again());
                continue;
            }
            let mut case = case_of(message, &node);
            let trigger = Trigger::Topic(topic);
            if let Err(reason) = self.reduce(at, trigger, &load.k, Some(load), &mut case).result() {
                self.dead(reason, &node, about, again());
            }
        }
        for (at, workflow) in system.workflows.iter().enumerate() {
            let node = format!("w{at}");
            if !workflow.subscribes.contains(&topic) || !wanted(&node) {
                continue;
            }
            if !fits {
                self.dead("invalid_payload", &node, about, again());
                continue;
            }
            let id = Id::derive(message.id, &node, 0, u32::MAX);
            match self.key_of(at, load) {
                Err(reason) => self.dead(reason, &node, about, again()),
                Ok(_) if self.runs.contains_key(&id) => {}
                Ok(key) if self.holder(at, key.as_ref()).is_some() => {}
                Ok(_) => self.begin(at, id, load.clone(), None, case_of(message, &node))?,
            }
        }
        for run in listening {
            let case = case_of(message, &self.node_of(run));
            let case = Case { consumed: Id::heard(message.id, run), ..case };
            self.turn(run, case, |turn| turn.hear(topic, load))?;
        }
        Ok(())
    }

    /// Live runs of a story that listen to a topic, by id.
    fn listening(&self, story: Id, topic: usize) -> Vec<Id> {
        let hears = |run: &super::Run| {
            run.story == story
                && run.error.is_none()
                && self.system.workflows[run.workflow].listens(topic)
        };
        let live = self.live.iter().copied();
        live.filter(|id| self.runs.get(id).is_some_and(hears)).collect()
    }

    pub(super) fn node_of(&self, run: Id) -> String {
        self.runs.get(&run).map_or_else(String::new, |run| format!("w{}", run.workflow))
    }

    /// An intent is recorded: for an operation, to begin a run, or to poke a reducer.
    fn intent(
        &mut self,
        message: &Message,
        payload: &Value,
        outside: &Outside,
    ) -> Result<(), Violation> {
        let sent = self.next_sent(message.id, message.generation)?;
        let story = sent.story;
        match sent.what {
            What::Intent { effect, operation, payload: expected, owner } => {
                if !same(payload, &expected) {
                    return wrong(format!("{} should be given {}", message.id, expected.to_json()));
                }
                let told = outside.ledger.get(&message.id).map_or(0, |entry| entry.told.len());
                let intent = Intent {
                    effect,
                    operation,
                    payload: expected,
                    owner,
                    story,
                    generation: sent.generation,
                    restarted: false,
                    stopping: sent.stopped,
                    never_began: sent.stopped,
                    told_before: told,
                };
                self.intents.insert(message.id, intent);
                Ok(())
            }
            What::Begin { workflow, load, owner } => {
                self.begin_by_intent(message, workflow, load, owner)
            }
            What::Poke { reducer, load, owner } => {
                let node = format!("r{reducer}");
                let mut case = case_of(message, &node);
                let ending = if sent.stopped {
                    Ending::Withdrawn
                } else {
                    self.reduce(reducer, Trigger::Poke, &load.k.clone(), Some(&load), &mut case)
                        .ending()
                };
                let Owner::Step { run, .. } = owner else { return wrong("a poke of nobody") };
                let case = case_of(message, &self.node_of(run));
                self.turn(run, case, |turn| turn.ended(&owner, message.id, &ending))
            }
            other => wrong(format!("{} should be {other:?}", message.id)),
        }
    }

    fn begin_by_intent(
        &mut self,
        message: &Message,
        workflow: usize,
        load: Load,
        owner: Option<Owner>,
    ) -> Result<(), Violation> {
        let node = format!("w{workflow}");
        let id = match &owner {
            Some(_) => message.id,
            None => Id::derive(message.id, &node, 0, u32::MAX),
        };
        let mut key =
            if load.d < 0 { Err("invalid_payload") } else { self.key_of(workflow, &load) };
        if let Ok(found) = &key
            && self.holder(workflow, found.as_ref()).is_some_and(|holder| holder != id)
        {
            key = Err("refused");
        }
        match (key, owner) {
            (Err(reason), None) => {
                let again = Again::Begin { workflow, load };
                self.dead(reason, &node, (message.id, message.generation), again);
                Ok(())
            }
            (Err(reason), Some(owner)) => {
                let Owner::Step { run, .. } = owner else { return Ok(()) };
                let ending = Ending::Refused(reason.to_owned());
                let what = What::Ended { owner, of: message.id, ending };
                self.send(run, 0, message.correlation_id, what);
                Ok(())
            }
            (Ok(_), owner) if self.runs.contains_key(&id) => match owner {
                Some(owner) => self.turn(id, case_of(message, &node), |turn| turn.again(owner)),
                None => Ok(()),
            },
            (Ok(_), owner) => self.begin(workflow, id, load, owner, case_of(message, &node)),
        }
    }

    /// One run is told something by another.
    fn told(&mut self, message: &Message, payload: &Value) -> Result<(), Violation> {
        let Some(sent) = self.sent.pop_front() else {
            return wrong(format!("nobody tells a run {}", payload.to_json()));
        };
        let case = case_of(message, &self.node_of(sent.id));
        let control = payload.get("control").and_then(Value::as_str);
        let is_outcome = message.category == Category::Outcome;
        let about = payload.get("run_id").and_then(Value::as_str);
        match sent.what {
            _ if !is_outcome && about != Some(sent.id.to_string().as_str()) => {
                wrong(format!("{} should be told, not {about:?}", sent.id))
            }
            What::Cancel if control == Some("cancel") => {
                self.turn(sent.id, case, |turn| turn.cancel())
            }
            What::Undo(owner) if control == Some("undo") => {
                self.turn(sent.id, case, |turn| turn.undo_all(owner))
            }
            What::Ended { owner, of, ending } if is_outcome => {
                self.turn(sent.id, case, |turn| turn.ended(&owner, of, &ending))
            }
            other => wrong(format!("a run should be told {other:?}, not {}", payload.to_json())),
        }
    }

    fn control(&mut self, arrived: &Arrived<'_>, payload: &Value) -> Result<(), Violation> {
        let message = &arrived.record.message;
        let id = |name| payload.get(name).and_then(Value::as_str).and_then(Id::parse);
        match payload.get("control").and_then(Value::as_str) {
            Some("attempt_failed" | "attempt_started") => match id("intent_id") {
                Some(intent) if self.intents.contains_key(&intent) => Ok(()),
                _ => wrong("an attempt of an intent that has ended"),
            },
            Some(verb @ ("cancel" | "retry")) => {
                let Some(run) = id("run_id") else { return wrong("no run is named") };
                let case = case_of(message, &self.node_of(run));
                self.turn(run, case, |turn| match verb {
                    "cancel" => turn.cancel(),
                    _ => turn.retry(),
                })
            }
            Some("redrive") => self.redriven(arrived, payload),
            Some("schedules") => self.arm(),
            // The graphs that are drawn mean the same.
            Some("activate") => Ok(()),
            Some("discard") => self.discarded(arrived),
            Some("forget") => self.forget(payload),
            _ => wrong(format!("a control of no kind: {}", payload.to_json())),
        }
    }

    pub(super) fn touch_entity(&mut self, reducer: usize, key: &str) {
        self.touched.insert(Touched::Entity(reducer, key.to_owned()));
    }
}

/// The number of a node: 3 of `w3`.
pub(super) fn index(name: &str, letter: char) -> Option<usize> {
    name.strip_prefix(letter)?.parse().ok()
}

/// A decision of `node` on a message.
pub(super) fn case_of(message: &Message, node: &str) -> Case {
    Case::new(message.id, node.to_owned(), message.generation, message.correlation_id)
}

pub(super) fn payload(message: &Message) -> Value {
    let bytes = message.payload.bytes.as_deref().unwrap_or_default();
    onex_expr::json::parse(bytes, &onex_expr::json::Limits::default()).unwrap_or(Value::Null)
}

pub(super) fn same(a: &Value, b: &Value) -> bool {
    a.to_json() == b.to_json()
}
