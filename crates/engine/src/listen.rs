//! Which live runs listen to the events of their story, and the telling.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Body, Graph, GraphId, Topic};
use onex_expr::Text;
use onex_kernel::orchestrate::RunInput;
use onex_kernel::{Id, Message};

use crate::codec::{Corrupt, row};
use crate::engine::Engine;
use crate::key;
use crate::turn::Sink;

/// Runs that listen, by correlation id and run; where the plan of each stands.
pub(crate) type Listeners = BTreeMap<(Id, Id), (GraphId, Text)>;

impl Engine {
    /// The runs that hear a message, in the order of their ids.
    pub(crate) fn listening(&self, topic: Option<&Topic>, message: &Message) -> Vec<Id> {
        if topic.is_none_or(|topic| topic.waiters.is_empty()) {
            return Vec::new();
        }
        let story = message.correlation_id;
        let of_story = self.listeners.range((story, Id([0; 16]))..=(story, Id([0xff; 16])));
        of_story
            .filter(|(_, (graph, node))| self.hears(*graph, node, &message.topic))
            .map(|((_, run), _)| *run)
            .collect()
    }

    fn hears(&self, graph: GraphId, node: &str, topic: &str) -> bool {
        let graph = self.graphs.get(&graph);
        let body = graph.and_then(|graph| Some(&graph.node(graph.find(node)?).body));
        matches!(body, Some(Body::Orchestrator(plan)) if plan.listens().any(|one| one == topic))
    }

    /// Whether all these runs are here; those that are not are wanted.
    pub(crate) fn runs_here(&mut self, runs: &[Id]) -> Result<bool, Corrupt> {
        let mut here = true;
        for run in runs {
            here &= self.rows.has_run(*run, &self.graphs)?;
        }
        Ok(here)
    }

    /// Tells an event to the runs that listen.
    pub(crate) fn tell_listening(
        &mut self,
        topic: Option<&Topic>,
        message: &Message,
        runs: &[Id],
        sink: &mut Sink,
    ) {
        for run in runs {
            self.advance_run(*run, RunInput::Event, message, sink);
        }
        if !runs.is_empty() {
            return;
        }
        for node in topic.map_or(&[][..], |topic| &topic.waiters) {
            let name = self.active.node(*node).name.clone();
            self.count(&format!("ignored:{name}:not_awaited"));
        }
    }

    /// Notes whether a run listens, now that it changed.
    pub(crate) fn listen(&mut self, graph: &Arc<Graph>, id: Id, sink: &mut Sink) {
        let Some(run) = self.rows.run(id) else { return };
        let head = &run.head;
        let Some(node) = graph.find(&head.node) else { return };
        let Body::Orchestrator(plan) = &graph.node(node).body else {
            return;
        };
        if plan.listens().next().is_none() {
            return;
        }
        let place = (head.correlation_id, id);
        let listens = head.ended_at.is_none() && head.error.is_none();
        if listens == self.listeners.contains_key(&place) {
            return;
        }
        let place_in_rows = key::listener(place.0, place.1);
        if listens {
            sink.put(place_in_rows, row::listener(head.graph, &head.node));
            self.listeners.insert(place, (head.graph, head.node.clone()));
        } else {
            sink.delete(place_in_rows);
            self.listeners.remove(&place);
        }
    }

    /// Notes a run that listened when the log ended.
    pub(crate) fn recover_listener(&mut self, place: &[u8], bytes: &[u8]) -> Result<(), Corrupt> {
        let place = key::read_listener(place).ok_or(Corrupt { what: "listener row" })?;
        self.listeners.insert(place, row::read_listener(bytes)?);
        Ok(())
    }
}
