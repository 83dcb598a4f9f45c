//! Dead letters: written, and put back.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, NodeIndex};
use onex_expr::{Text, Value};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Ending, Intent, Letter, Owner, Reason};
use onex_kernel::{Category, Fault, Id, Message, Origin};

use crate::codec::{Corrupt, row};
use crate::deliver::{Place, Planned};
use crate::end::describe;
use crate::engine::Engine;
use crate::intents::new_intent;
use crate::key;
use crate::output::Reply;
use crate::turn::Sink;
use crate::work::{RunIntent, Waiting, Work};

/// How a letter is put back.
enum Way {
    /// Its intent is performed again.
    Intent(Box<Intent>),
    /// Its message is delivered again, to one node or to all.
    Deliver(Vec<Planned>),
    /// Its timer is delivered again.
    Timer(NodeIndex, Place),
    /// Its intent begins a run.
    Run(Text),
    /// A run hears its event again.
    Hear(Id),
}

/// What is known of a letter that shall be put back.
enum Verdict {
    Missing,
    No(String),
    Yes(Way),
}

impl Engine {
    /// Gives up on a message.
    pub(crate) fn dead(
        &mut self,
        graph: &Arc<Graph>,
        node: Option<NodeIndex>,
        message: &Message,
        fault: Fault,
        sink: &mut Sink,
    ) {
        let name = node.map(|node| graph.node(node).name.clone());
        self.put_new_letter(name, None, message.clone(), fault, sink, |letter| {
            letter.graph = graph.id;
        });
    }

    /// Gives up on an event that a run could not judge.
    pub(crate) fn run_letter(
        &mut self,
        graph: &Arc<Graph>,
        run: Id,
        node: &Text,
        event: Message,
        fault: Fault,
        sink: &mut Sink,
    ) {
        self.put_new_letter(Some(node.clone()), None, event, fault, sink, |letter| {
            letter.graph = graph.id;
            letter.run_id = Some(run);
        });
    }

    /// Gives up on an intent outside a run.
    pub(crate) fn intent_letter(&mut self, intent: Intent, ending: &Ending, sink: &mut Sink) {
        let reason = match ending {
            Ending::Refused(_) => Reason::Refused,
            Ending::Exhausted { .. } => Reason::Exhausted,
            Ending::InDoubt(_) => Reason::InDoubt,
            Ending::Expired(_) => Reason::Expired,
            Ending::Completed(_)
            | Ending::Withdrawn
            | Ending::Stopped { .. }
            | Ending::Undone { .. } => return,
        };
        let detail = describe(ending).1.map_or_else(Text::default, |f| f.message.clone());
        self.letter_of_intent(intent, Fault { reason, detail }, None, sink);
    }

    /// Gives up on the compensation whose end is being delivered.
    pub(crate) fn compensation_letter(
        &mut self,
        message: &Message,
        fault: Fault,
        step: Option<Text>,
        sink: &mut Sink,
    ) {
        match self.at_hand.clone() {
            Some(intent) => self.letter_of_intent(intent, fault, step, sink),
            None => {
                let graph = self.active.clone();
                self.dead(&graph, None, message, fault, sink);
            }
        }
    }

    /// Gives up on a compensation that could not even be asked for.
    pub(crate) fn unsent_letter(
        &mut self,
        (run, step): (Id, Option<Text>),
        (node, operation): (Text, Option<Text>),
        unsent: Message,
        fault: Fault,
        sink: &mut Sink,
    ) {
        self.put_new_letter(Some(node), operation, unsent, fault, sink, |letter| {
            letter.run_id = Some(run);
            letter.step = step;
        });
    }

    fn letter_of_intent(
        &mut self,
        intent: Intent,
        fault: Fault,
        step: Option<Text>,
        sink: &mut Sink,
    ) {
        let run_id = match intent.owner {
            Owner::Step { run, .. } => Some(run),
            _ => None,
        };
        let message = Message { generation: intent.generation, ..Message::clone(&intent.message) };
        let (node, operation) = (Some(intent.node), Some(intent.operation));
        self.put_new_letter(node, operation, message, fault, sink, |letter| {
            letter.run_id = run_id;
            letter.step = step;
            letter.offset = intent.offset;
            letter.owner = Some(intent.owner);
            letter.attempts = intent.attempts;
            letter.graph = intent.graph;
        });
    }

    fn put_new_letter(
        &mut self,
        node: Option<Text>,
        operation: Option<Text>,
        message: Message,
        fault: Fault,
        sink: &mut Sink,
        finish: impl FnOnce(&mut Letter),
    ) {
        self.count(&format!("dead:{}", fault.reason.as_str()));
        let mut letter = Letter {
            id: Id::default(),
            reason: fault.reason,
            detail: fault.detail,
            node,
            operation,
            run_id: None,
            step: None,
            message,
            offset: sink.offset,
            owner: None,
            attempts: Vec::new(),
            graph: self.active.id,
            created_at: self.now,
            redriven_at: None,
        };
        finish(&mut letter);
        letter.id = self.letter_id(&letter, sink);
        sink.put(key::letter(letter.id), row::letter(&letter));
    }

    /// Ids of letters sort by when they were written: milliseconds first, then a hash.
    fn letter_id(&self, letter: &Letter, sink: &Sink) -> Id {
        let message = &letter.message;
        // Several runs may give up on one event.
        let subject = letter.run_id.map_or(message.id, |run| Id::heard(message.id, run));
        let node = letter.node.as_deref().unwrap_or_default();
        let mut id = Id::derive(subject, node, message.generation, sink.offset as u32);
        let millis = (self.now.0 / 1000).to_be_bytes();
        id.0[..6].copy_from_slice(&millis[2..]);
        id
    }

    /// Puts letters back; `None` while rows are wanted.
    pub(crate) fn redrive(
        &mut self,
        letters: &[Id],
        dry_run: bool,
    ) -> Result<Option<Reply>, Corrupt> {
        let mut ways = Vec::new();
        let mut refused = Vec::new();
        let mut missing = false;
        let mut named = BTreeSet::new();
        for id in letters.iter().filter(|id| named.insert(**id)) {
            match self.way(*id)? {
                Verdict::Missing => missing = true,
                Verdict::No(why) => refused.push((*id, why)),
                Verdict::Yes(way) => ways.push((*id, way)),
            }
        }
        if missing {
            return Ok(None);
        }
        let redriven = ways.iter().map(|(id, _)| *id).collect();
        if !dry_run {
            for (id, way) in ways {
                self.put_back(id, way);
            }
        }
        Ok(Some(Reply::Redriven { redriven, refused }))
    }

    /// How a letter would be put back today.
    fn way(&mut self, id: Id) -> Result<Verdict, Corrupt> {
        if !self.rows.has_letter(id)? {
            return Ok(Verdict::Missing);
        }
        let Some(letter) = self.rows.letter(id).cloned() else {
            return Ok(Verdict::No("there is no such dead letter".to_string()));
        };
        if letter.redriven_at.is_some() {
            return Ok(Verdict::No("it has been redriven before".to_string()));
        }
        if letter.reason == Reason::CompensationFailed && letter.owner.is_none() {
            let text = "its input cannot be worked out, now as then: undo it by hand";
            return Ok(Verdict::No(text.to_string()));
        }
        let graph = self.active.clone();
        let node = letter.node.as_deref().and_then(|name| graph.find(name));
        if let (Some(name), None) = (&letter.node, node) {
            return Ok(Verdict::No(format!("no node is called {name} any more")));
        }
        let message = again(&letter.message);
        match (node, &letter.operation) {
            (Some(node), Some(operation)) => {
                Ok(self.way_of_intent(&graph, node, operation, &letter, message))
            }
            (Some(node), None) if message.category == Category::Timer => {
                self.way_of_timer(&graph, node, &message)
            }
            (Some(_), None) if letter.run_id.is_some() => self.way_of_event(&letter),
            (Some(_), None) if message.category == Category::Intent => {
                let name = letter.node.unwrap_or_default();
                Ok(Verdict::Yes(Way::Run(name)))
            }
            (node, _) => {
                let plan = self.plan(&graph, &message, node);
                if !self.ready(&plan)? {
                    return Ok(Verdict::Missing);
                }
                if plan.is_empty() {
                    let text = format!("nobody subscribes to {} there any more", message.topic);
                    return Ok(Verdict::No(text));
                }
                match plan.iter().find_map(Planned::fault) {
                    Some(fault) => {
                        Ok(Verdict::No(format!("{}: {}", fault.reason.as_str(), fault.detail)))
                    }
                    None => Ok(Verdict::Yes(Way::Deliver(plan))),
                }
            }
        }
    }

    fn way_of_intent(
        &self,
        graph: &Graph,
        node: NodeIndex,
        operation: &Text,
        letter: &Letter,
        message: Message,
    ) -> Verdict {
        if self.intents.get(message.id).is_some() {
            return Verdict::No("its intent is pending".to_string());
        }
        let at = match &graph.node(node).body {
            Body::Effect(effect) => effect.operations.iter().position(|op| op.name == *operation),
            _ => None,
        };
        let owner = letter.owner.clone().unwrap_or(Owner::Topic);
        match at.and_then(|at| new_intent(graph, node, at as u16, message, owner)) {
            Some(intent) => Verdict::Yes(Way::Intent(Box::new(intent))),
            None => Verdict::No(format!("no operation is called {operation} any more")),
        }
    }

    fn way_of_event(&mut self, letter: &Letter) -> Result<Verdict, Corrupt> {
        let run = letter.run_id.unwrap_or_default();
        if !self.rows.has_run(run, &self.graphs)? {
            return Ok(Verdict::Missing);
        }
        let live = self.rows.run(run).is_some_and(|run| run.head.ended_at.is_none());
        Ok(match live {
            true => Verdict::Yes(Way::Hear(run)),
            false => Verdict::No(format!("the run {run} has ended")),
        })
    }

    fn way_of_timer(
        &mut self,
        graph: &Graph,
        node: NodeIndex,
        message: &Message,
    ) -> Result<Verdict, Corrupt> {
        let trigger = match &graph.node(node).body {
            Body::Reducer(reducer) => reducer.timeout_trigger,
            _ => None,
        };
        let (Some(trigger), Some(key)) = (trigger, message.key.clone()) else {
            return Ok(Verdict::No("no transition `timeout` is there any more".to_string()));
        };
        let row = key::entity(&graph.node(node).name, &key);
        if !self.rows.has_entity(&row)? {
            return Ok(Verdict::Missing);
        }
        Ok(Verdict::Yes(Way::Timer(node, Place { trigger, key, row })))
    }

    fn put_back(&mut self, id: Id, way: Way) {
        let Some(letter) = self.rows.letter(id).cloned() else {
            return;
        };
        let graph = self.active.clone();
        let mut sink = self.begin_record();
        let letter = Letter { redriven_at: Some(self.now), ..letter };
        sink.put(key::letter(id), row::letter(&letter));
        let message = Message { time: self.now, ..again(&letter.message) };
        self.rows.put_letter(letter);
        match way {
            Way::Deliver(plan) => {
                self.deliver(&graph, &message, plan, &mut sink);
                self.end_record(&message, graph.id, sink);
                return;
            }
            Way::Timer(node, place) => {
                self.reduce(&graph, node, &message, place, &mut sink);
                self.end_record(&message, graph.id, sink);
                return;
            }
            Way::Intent(intent) => {
                let waiting = Waiting { what: *intent, row: None };
                self.derived.push_back(Work::Intent(Box::new(waiting)));
            }
            Way::Hear(run) => {
                self.advance_run(run, RunInput::Event, &message, &mut sink);
                self.end_record(&message, graph.id, sink);
                return;
            }
            Way::Run(node) => {
                let what = RunIntent { message: message.clone(), node, step: None };
                let waiting = Waiting { what, row: None };
                self.derived.push_back(Work::IntentRun(Box::new(waiting)));
            }
        }
        let payload = Value::map([
            ("control", Value::text("redrive")),
            ("letter_id", Value::text(id.to_string())),
        ]);
        let control = self.own_message(Category::Control, Origin::Control, id, payload);
        let control = Message {
            correlation_id: message.correlation_id,
            causation_id: Some(message.id),
            node: message.node.clone(),
            ..control
        };
        self.end_record(&control, graph.id, sink);
    }
}

/// The message of a letter, one generation on.
fn again(message: &Message) -> Message {
    Message { generation: message.generation + 1, origin: Origin::Control, ..message.clone() }
}
