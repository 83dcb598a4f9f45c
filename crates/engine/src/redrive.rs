//! Dead letters: put back. Each is held against the contracts of today first; what can still not be
//! taken is refused and stays as it is.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, NodeIndex};
use onex_expr::{Text, Value};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::{Intent, Letter, LetterStatus, Owner, Reason};
use onex_kernel::{Category, Fault, Id, Message, Origin};

use crate::codec::Corrupt;
use crate::deliver::{Place, Planned};
use crate::discard::was_discarded;
use crate::engine::Engine;
use crate::intents::new_intent;
use crate::key;
use crate::output::Reply;
use crate::work::{RunIntent, Waiting, Work};

/// How letters are put back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redrive {
    /// Change nothing.
    pub dry_run: bool,
    /// Also those that were let go of.
    pub discarded: bool,
}

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
    /// Puts letters back; `None` while rows are wanted.
    pub(crate) fn redrive(
        &mut self,
        letters: &[Id],
        how: Redrive,
    ) -> Result<Option<Reply>, Corrupt> {
        if !how.dry_run
            && let Err(refusal) = self.admit_more()
        {
            return Ok(Some(Reply::Refused(refusal)));
        }
        let mut ways = Vec::new();
        let mut refused = Vec::new();
        let mut missing = false;
        let mut named = BTreeSet::new();
        for id in letters.iter().filter(|id| named.insert(**id)) {
            match self.way(*id, how)? {
                Verdict::Missing => missing = true,
                Verdict::No(why) => refused.push((*id, why)),
                Verdict::Yes(way) => ways.push((*id, way)),
            }
        }
        if missing {
            return Ok(None);
        }
        let redriven = ways.iter().map(|(id, _)| *id).collect();
        if !how.dry_run {
            for (id, way) in ways {
                self.put_back(id, way);
            }
        }
        Ok(Some(Reply::Redriven { redriven, refused }))
    }

    /// How a letter would be put back today.
    fn way(&mut self, id: Id, how: Redrive) -> Result<Verdict, Corrupt> {
        if !self.rows.has_letter(id)? {
            return Ok(Verdict::Missing);
        }
        let Some(letter) = self.rows.letter(id).cloned() else {
            return Ok(Verdict::No("there is no such dead letter".to_string()));
        };
        match letter.status() {
            LetterStatus::Redriven => {
                return Ok(Verdict::No("it has been redriven before".to_string()));
            }
            LetterStatus::Discarded if !how.discarded => {
                return Ok(Verdict::No(was_discarded(&letter)));
            }
            LetterStatus::Open | LetterStatus::Discarded => {}
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
            (Some(node), None) if message.category == Category::Intent => {
                Ok(self.way_of_run(&graph, node, &message))
            }
            (node, _) => self.way_of_message(&graph, node, &message),
        }
    }

    fn way_of_message(
        &mut self,
        graph: &Graph,
        node: Option<NodeIndex>,
        message: &Message,
    ) -> Result<Verdict, Corrupt> {
        let topic = graph.topics.get(&message.topic);
        let plan = self.plan(graph, topic, message, node);
        if !self.ready(&plan)? {
            return Ok(Verdict::Missing);
        }
        if plan.is_empty() {
            let text = format!("nobody subscribes to {} there any more", message.topic);
            return Ok(Verdict::No(text));
        }
        Ok(match plan.iter().find_map(Planned::fault) {
            Some(fault) => not_taken(fault),
            None => Verdict::Yes(Way::Deliver(plan)),
        })
    }

    fn way_of_run(&self, graph: &Graph, node: NodeIndex, message: &Message) -> Verdict {
        let name = &graph.node(node).name;
        if !matches!(graph.node(node).body, Body::Orchestrator(_)) {
            return Verdict::No(format!("{name} is no orchestrator any more"));
        }
        match self.plan_run(graph, node, message).fault() {
            Some(fault) => not_taken(fault),
            None => Verdict::Yes(Way::Run(name.clone())),
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
        if let Some(misfit) = misfit(graph, node, &message) {
            return Verdict::No(misfit);
        }
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

    /// First a record that says so, then what comes of it, in the same frame.
    fn put_back(&mut self, id: Id, way: Way) {
        let Some(letter) = self.rows.letter(id).cloned() else {
            return;
        };
        let mut sink = self.begin_record();
        let message = Message { time: self.now, ..again(&letter.message) };
        let was_open = letter.is_open();
        let letter = Letter { redriven_at: Some(self.now), ..letter };
        self.tell_tally(&letter, &mut sink, |count| {
            count.open = count.open.saturating_sub(u64::from(was_open));
            count.redriven += 1;
        });
        let said = [("generation", Value::Int(i64::from(message.generation)))];
        self.put_letter("redrive", letter, said, sink);
        let graph = self.active.clone();
        let mut sink = self.begin_record();
        match way {
            Way::Deliver(plan) => self.deliver(&graph, &message, plan, &mut sink),
            Way::Timer(node, place) => self.reduce(&graph, node, &message, place, &mut sink),
            Way::Hear(run) => self.advance_run(run, RunInput::Event, &message, &mut sink),
            Way::Intent(intent) => {
                let waiting = Waiting { what: *intent, row: None };
                self.derived.push_back(Work::Intent(Box::new(waiting)));
                return;
            }
            Way::Run(node) => {
                let what = RunIntent { message, node, step: None };
                let waiting = Waiting { what, row: None };
                self.derived.push_back(Work::IntentRun(Box::new(waiting)));
                return;
            }
        }
        self.end_record(&message, graph.id, sink);
    }
}

/// The message of a letter, one generation on.
fn again(message: &Message) -> Message {
    Message { generation: message.generation + 1, origin: Origin::Control, ..message.clone() }
}

/// Why a message would be a dead letter again.
fn not_taken(fault: &Fault) -> Verdict {
    Verdict::No(format!("{}: {}", fault.reason.as_str(), fault.detail))
}

/// What the contracts of today say against the payload of an intent.
fn misfit(graph: &Graph, node: NodeIndex, message: &Message) -> Option<String> {
    let topic = graph.topics.get(&message.topic)?;
    let taken = topic.subscribers.iter().filter(|subscriber| subscriber.node == node);
    let mut schemas = taken.filter_map(|one| one.schema.as_ref()).chain(&topic.producer_schema);
    let misfits = schemas.find_map(|schema| schema.validate(&message.payload.value).err())?;
    let misfit = misfits.first()?;
    let reason = Reason::InvalidPayload.as_str();
    Some(format!("{reason}: {} {}", misfit.at, misfit.message))
}
