//! Dead letters: what is given up on is written down, with all that is needed to go on with it.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Graph, NodeIndex};
use onex_expr::Text;
use onex_kernel::row::{Ending, Intent, Letter, Owner, Reason};
use onex_kernel::{Fault, Id, Message};

use crate::codec::row;
use crate::end::describe;
use crate::engine::Engine;
use crate::key;
use crate::turn::Sink;

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
            discarded: None,
        };
        finish(&mut letter);
        letter.id = self.letter_id(&letter, sink);
        self.tell_tally(&letter, sink, |count| {
            count.open += 1;
            count.written += 1;
        });
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
}
