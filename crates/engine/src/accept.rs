//! Requests from outside: what is refused, what was seen before, what is applied.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, NodeIndex, Orchestrator, Topic};
use onex_contract::schema::Schema;
use onex_expr::{Text, Value};
use onex_kernel::orchestrate::{self, RunInput, Start};
use onex_kernel::row::{RunStatus, Undoing};
use onex_kernel::{Category, Id, Message, Origin, Payload};

use crate::codec::Corrupt;
use crate::dedupe::{Seen, content_hash};
use crate::engine::Engine;
use crate::input::{Publish, Request, StartRun, Ticket};
use crate::key;
use crate::output::{Refusal, Reply};
use crate::redrive::Redrive;
use crate::work::{Progress, Work};

/// Topic of the record of a start by API.
fn start_topic(node: &str) -> Text {
    format!("onex.cmd.{}.start.v1", node.replace(['_', '.'], "-")).into()
}

impl Refusal {
    /// A refusal with nothing but status, code and text.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        let (message, misfits) = (message.into(), Vec::new());
        Refusal { status, code, message, misfits, limit: None, run_id: None }
    }
}

impl Engine {
    /// One message of a client.
    pub(crate) fn publish(
        &mut self,
        ticket: Ticket,
        at: Option<usize>,
        publish: Box<Publish>,
    ) -> Result<Progress, Corrupt> {
        let graph = self.active.clone();
        let message = received(&publish, self.now);
        if publish.id_given
            && let Some((seen, offset)) = self.dedupe.get(publish.id)
        {
            let answer = if seen == content_hash(&message) {
                Ok((publish.id, offset, true))
            } else {
                Err(Refusal::new(
                    409,
                    "id_reused",
                    format!("message id {} was accepted with other content", publish.id),
                ))
            };
            self.answer(ticket, at, answer);
            return Ok(Progress::Done);
        }
        let topic = match self.admit(&graph, &message) {
            Ok(topic) => Some(topic),
            Err(refusal) => {
                self.answer(ticket, at, Err(refusal));
                return Ok(Progress::Done);
            }
        };
        let plan = self.plan(&graph, topic, &message, None);
        let listening = self.listening(topic, &message);
        if !(self.ready(&plan)? & self.runs_here(&listening)?) {
            return Ok(Progress::Missing(Work::Publish { ticket, at, publish }));
        }
        let offset = self.next_offset;
        if publish.id_given {
            let hash = content_hash(&message);
            let seen = Seen { id: message.id, hash, offset, time: self.now };
            self.dedupe.put(seen, &self.options);
        }
        let mut sink = self.begin_record();
        self.deliver(&graph, &message, plan, &mut sink);
        self.tell_listening(topic, &message, &listening, &mut sink);
        self.end_record(&message, graph.id, sink);
        self.answer(ticket, at, Ok((message.id, offset, false)));
        Ok(Progress::Done)
    }

    /// Asks for the rows that a client's message will need.
    pub(crate) fn foresee(&mut self, publish: &Publish) -> Result<(), Corrupt> {
        let graph = self.active.clone();
        let message = received(publish, self.now);
        let topic = graph.topics.get(&message.topic);
        let plan = self.plan(&graph, topic, &message, None);
        let listening = self.listening(topic, &message);
        self.ready(&plan)?;
        self.runs_here(&listening).map(|_| ())
    }

    fn admit<'g>(&self, graph: &'g Graph, message: &Message) -> Result<&'g Topic, Refusal> {
        self.admit_more()?;
        let Some(topic) = graph.topics.get(&message.topic) else {
            if message.topic.starts_with("onex.intent.") {
                let text =
                    format!("the topic {} is internal: intents are recorded on it", message.topic);
                return Err(Refusal::new(403, "internal_topic", text));
            }
            let text = format!("no contract names the topic {}", message.topic);
            return Err(Refusal::new(404, "unknown_topic", text));
        };
        if !topic.ingress {
            let text = format!(
                "the topic {} is internal: contracts publish it; [ingress] allow would open it",
                message.topic
            );
            return Err(Refusal::new(403, "internal_topic", text));
        }
        for subscriber in &topic.subscribers {
            let Some(schema) = &subscriber.schema else {
                continue;
            };
            let node = &graph.node(subscriber.node).name;
            fits(schema, &message.payload.value, node)?;
        }
        Ok(topic)
    }

    /// Whether there is room for more work.
    pub(crate) fn admit_more(&self) -> Result<(), Refusal> {
        if self.draining {
            return Err(Refusal::new(503, "draining", "the host is shutting down"));
        }
        if self.unfinished() >= self.options.unfinished_max {
            let text = format!(
                "{} pieces of accepted work are unfinished, the limit (engine.unfinished_max)",
                self.options.unfinished_max
            );
            let limit = Some("engine.unfinished_max");
            return Err(Refusal { limit, ..Refusal::new(429, "busy", text) });
        }
        Ok(())
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        at: Option<usize>,
        answer: Result<(Id, u64, bool), Refusal>,
    ) {
        let Some(at) = at else {
            let reply = match answer {
                Ok((id, offset, repeated)) => Reply::Accepted { id, offset, repeated },
                Err(refusal) => Reply::Refused(refusal),
            };
            return self.reply(ticket, reply);
        };
        let Some(batch) = self.batches.get_mut(&ticket) else {
            return;
        };
        batch.answers[at] = Some(answer);
        batch.left -= 1;
        if batch.left == 0
            && let Some(batch) = self.batches.remove(&ticket)
        {
            self.reply(ticket, Reply::Batch(batch.answers.into_iter().flatten().collect()));
        }
    }

    /// Any request but a message.
    pub(crate) fn request(
        &mut self,
        ticket: Ticket,
        request: Box<Request>,
    ) -> Result<Progress, Corrupt> {
        let answer = match &*request {
            Request::Start(start) => self.start(start)?,
            Request::Cancel(run) => self.steer(*run, "cancel", RunInput::Cancel)?,
            Request::Retry(run) => self.steer(*run, "retry", RunInput::Retry)?,
            Request::Redrive { letters, dry_run } => {
                self.redrive(letters, Redrive { dry_run: *dry_run, discarded: false })?
            }
            Request::RedriveDiscarded { letters, dry_run } => {
                self.redrive(letters, Redrive { dry_run: *dry_run, discarded: true })?
            }
            Request::Discard { letters, reason } => self.discard(letters, reason)?,
            Request::Publish(_) | Request::Batch(_) => None,
        };
        match answer {
            Some(reply) => {
                self.reply(ticket, reply);
                Ok(Progress::Done)
            }
            None => Ok(Progress::Missing(Work::Request(ticket, request))),
        }
    }

    /// Begins a run by request; `None` while rows are wanted.
    fn start(&mut self, start: &StartRun) -> Result<Option<Reply>, Corrupt> {
        let graph = self.active.clone();
        let Some((index, orchestrator)) = orchestrator(&graph, &start.node) else {
            let text = format!("no orchestrator is called {}", start.node);
            return Ok(Some(Reply::Refused(Refusal::new(404, "unknown_node", text))));
        };
        if !start.key_given {
            self.rows.no_run(start.run_id);
        }
        if !self.rows.has_run(start.run_id, &self.graphs)? {
            return Ok(None);
        }
        let message = start_message(start, self.now);
        let input_hash = input_hash(&start.input);
        if let Some(run) = self.rows.run(start.run_id) {
            let head = &run.head;
            if head.input_hash == input_hash {
                return Ok(Some(Reply::Started {
                    run_id: head.id,
                    status: head.status,
                    correlation_id: head.correlation_id,
                    repeated: true,
                }));
            }
            let text = "this Idempotency-Key began a run with another body".to_string();
            let refusal = Refusal::new(409, "idempotency_key_reused", text);
            return Ok(Some(Reply::Refused(Refusal { run_id: Some(head.id), ..refusal })));
        }
        if let Err(refusal) = self.admit_start(orchestrator, start) {
            return Ok(Some(Reply::Refused(refusal)));
        }
        let key = match orchestrate::run_key(
            &graph,
            index,
            &message,
            &start.input.value,
            self.options.fuel,
        ) {
            Ok(key) => key,
            Err(fault) => {
                let text = fault.detail.to_string();
                return Ok(Some(Reply::Refused(Refusal::new(422, fault.reason.as_str(), text))));
            }
        };
        if let Some(key) = &key {
            let row = key::run_key(&start.node, key);
            if !self.rows.has_run_key(&row)? {
                return Ok(None);
            }
            if let Some(live) = self.rows.run_key(&row) {
                let text = format!("a run with the key {key} is live");
                let refusal = Refusal::new(409, "run_key_live", text);
                return Ok(Some(Reply::Refused(Refusal { run_id: Some(live), ..refusal })));
            }
        }
        let mut sink = self.begin_record();
        let begin = Start {
            run_id: start.run_id,
            key,
            input: start.input.value.clone(),
            input_hash,
            parent: None,
        };
        self.begin_run(&graph, index, begin, &message, &mut sink);
        self.end_record(&message, graph.id, sink);
        let status = self.rows.run(start.run_id).map_or(RunStatus::Failed, |run| run.head.status);
        Ok(Some(Reply::Started {
            run_id: start.run_id,
            status,
            correlation_id: start.correlation_id,
            repeated: false,
        }))
    }

    fn admit_start(&self, orchestrator: &Orchestrator, start: &StartRun) -> Result<(), Refusal> {
        self.admit_more()?;
        match &orchestrator.input_schema {
            Some(schema) => fits(schema, &start.input.value, &start.node),
            None => Ok(()),
        }
    }

    /// Cancels or retries a run; `None` while rows are wanted.
    fn steer(
        &mut self,
        id: Id,
        verb: &'static str,
        input: RunInput<'_>,
    ) -> Result<Option<Reply>, Corrupt> {
        if !self.rows.has_run(id, &self.graphs)? {
            return Ok(None);
        }
        let Some(run) = self.rows.run(id) else {
            let refusal = Refusal::new(404, "unknown_run", format!("no run has the id {id}"));
            return Ok(Some(Reply::Refused(refusal)));
        };
        let head = &run.head;
        let ended = head.ended_at.is_some();
        let retry = matches!(input, RunInput::Retry);
        let refusal = match (retry, head.status) {
            (false, _) if ended => Some("the run has ended"),
            (true, RunStatus::Failed | RunStatus::Cancelled) if ended => match head.compensation {
                Undoing::Running | Undoing::Incomplete => Some(
                    "its compensation is not complete: redrive its dead letters; with those that \
                         were discarded it stays so",
                ),
                Undoing::None | Undoing::Done => None,
            },
            (true, _) => Some("only a failed or cancelled run can be retried"),
            (false, _) => None,
        };
        if let Some(text) = refusal {
            return Ok(Some(Reply::Refused(Refusal::new(409, "run_state", text))));
        }
        let (node, correlation_id, key) =
            (head.node.clone(), head.correlation_id, head.key.clone());
        if retry && let Some(key) = &key {
            let row = key::run_key(&node, key);
            if !self.rows.has_run_key(&row)? {
                return Ok(None);
            }
            if let Some(live) = self.rows.run_key(&row) {
                let text = format!("a run with the key {key} is live");
                let refusal = Refusal::new(409, "run_key_live", text);
                return Ok(Some(Reply::Refused(Refusal { run_id: Some(live), ..refusal })));
            }
        }
        let run_text = Value::text(id.to_string());
        let control = Value::map([("control", Value::text(verb)), ("run_id", run_text)]);
        let message = self.own_message(Category::Control, Origin::Control, id, control);
        let message = Message { correlation_id, node: Some(node), ..message };
        let mut sink = self.begin_record();
        self.advance_run(id, input, &message, &mut sink);
        let graph = self.active.id;
        self.end_record(&message, graph, sink);
        Ok(Some(Reply::Done))
    }
}

/// The orchestrator of this name.
fn orchestrator<'g>(graph: &'g Arc<Graph>, name: &str) -> Option<(NodeIndex, &'g Orchestrator)> {
    let index = graph.find(name)?;
    match &graph.node(index).body {
        Body::Orchestrator(orchestrator) => Some((index, orchestrator)),
        _ => None,
    }
}

/// 422 with every misfit.
fn fits(schema: &Schema, value: &Value, node: &str) -> Result<(), Refusal> {
    schema.validate(value).map_err(|misfits| {
        let text = format!("the payload does not fit what {node} declares");
        let misfits = misfits.into_iter().map(|misfit| (misfit.at, misfit.message)).collect();
        Refusal { misfits, ..Refusal::new(422, "invalid_payload", text) }
    })
}

fn input_hash(input: &Payload) -> [u8; 32] {
    *blake3::hash(input.bytes.as_deref().unwrap_or_default()).as_bytes()
}

fn received(publish: &Publish, now: onex_kernel::Micros) -> Message {
    Message {
        id: publish.id,
        category: category_of(&publish.topic),
        origin: Origin::External,
        topic: publish.topic.clone(),
        key: publish.key.clone(),
        event_type: publish.event_type.clone(),
        payload: publish.payload.clone(),
        correlation_id: publish.correlation_id,
        causation_id: None,
        node: None,
        time: now,
        generation: 0,
    }
}

fn start_message(start: &StartRun, now: onex_kernel::Micros) -> Message {
    Message {
        id: start.run_id,
        category: Category::Command,
        origin: Origin::Control,
        topic: start_topic(&start.node),
        key: None,
        event_type: None,
        payload: start.input.clone(),
        correlation_id: start.correlation_id,
        causation_id: None,
        node: None,
        time: now,
        generation: 0,
    }
}

/// The category that a topic's second segment stands for.
pub(crate) fn category_of(topic: &str) -> Category {
    // By bytes: to look for a character in a text costs as much as all the rest of a short step.
    match topic.as_bytes().split(|byte| *byte == b'.').nth(1) {
        Some(b"cmd") => Category::Command,
        Some(b"intent") => Category::Intent,
        _ => Category::Event,
    }
}
