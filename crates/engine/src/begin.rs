//! An intent that begins a run: of a reducer, or of a step of another run.

use alloc::boxed::Box;
use alloc::format;

use onex_contract::graph::{Body, Entry, Graph, NodeIndex, Subscriber};
use onex_expr::Text;
use onex_kernel::orchestrate::{RunInput, Start};
use onex_kernel::row::{Owner, Reason};
use onex_kernel::{Fault, Message};

use crate::codec::Corrupt;
use crate::deliver::{Planned, Target};
use crate::engine::Engine;
use crate::key;
use crate::turn::Sink;
use crate::work::{Progress, RunIntent, Waiting, Work};

impl Engine {
    /// An intent that begins a run. The run of a step has the id of the intent.
    pub(crate) fn intent_run(
        &mut self,
        waiting: Box<Waiting<RunIntent>>,
    ) -> Result<Progress, Corrupt> {
        let graph = self.active.clone();
        let RunIntent { message, node, step } = &waiting.what;
        let planned = graph.find(node).map(|index| {
            let planned = self.plan_run(&graph, index, message);
            match (planned.target, step) {
                (Target::Run { key, .. }, Some(_)) => {
                    Planned { target: Target::Run { id: message.id, key }, ..planned }
                }
                (target, _) => Planned { target, ..planned },
            }
        });
        let plan: alloc::vec::Vec<Planned> = planned.into_iter().collect();
        if !self.ready(&plan)? {
            return Ok(Progress::Missing(Work::IntentRun(waiting)));
        }
        let mut sink = self.begin_record();
        if let Some(row) = waiting.row {
            sink.delete(row);
        }
        let RunIntent { message, node: name, step } = waiting.what;
        let message = Message { time: self.now, ..message };
        let planned = plan.into_iter().next();
        let node = planned.as_ref().map(|planned| planned.node);
        let begun = self.begin_by_intent(&message, &name, planned, step.as_ref(), &mut sink);
        match (begun, step) {
            (Ok(()), _) => {}
            (Err(fault), Some((_, owner))) => {
                self.tell_failed(owner, message.id, &fault, &message, &name);
            }
            (Err(fault), None) => self.dead(&graph, node, &message, fault, &mut sink),
        }
        self.end_record(&message, graph.id, sink);
        Ok(Progress::Done)
    }

    /// The run that an intent would begin.
    pub(crate) fn plan_run(&self, graph: &Graph, node: NodeIndex, message: &Message) -> Planned {
        let schema = match &graph.node(node).body {
            Body::Orchestrator(orchestrator) => orchestrator.input_schema.clone(),
            _ => None,
        };
        self.plan_one(graph, message, &Subscriber { node, entry: Entry::Run, schema })
    }

    fn begin_by_intent(
        &mut self,
        message: &Message,
        name: &Text,
        planned: Option<Planned>,
        step: Option<&(Text, Owner)>,
        sink: &mut Sink,
    ) -> Result<(), Fault> {
        let graph = self.active.clone();
        let (node, id, key) = match planned {
            Some(Planned { node, target: Target::Run { id, key } }) => (node, id, key),
            Some(Planned { target: Target::Dead(fault), .. }) => return Err(fault),
            _ => {
                let detail = format!("no orchestrator is called {name} any more").into();
                return Err(Fault { reason: Reason::NoRoute, detail });
            }
        };
        let holder = key.as_ref().and_then(|key| self.rows.run_key(&key::run_key(name, key)));
        if holder.is_some_and(|holder| holder != id) {
            let detail = "a run with this key is live".into();
            return Err(Fault { reason: Reason::Refused, detail });
        }
        let Some((step, owner)) = step else {
            self.run_by_message(&graph, node, message, id, key, sink);
            return Ok(());
        };
        if self.rows.run(id).is_some() {
            self.advance_run(id, RunInput::Again(owner.clone()), message, sink);
            return Ok(());
        }
        let start = Start {
            run_id: id,
            key,
            input: message.payload.value.clone(),
            input_hash: [0; 32],
            parent: Some((step.clone(), owner.clone())),
        };
        self.begin_run(&graph, node, start, message, sink);
        Ok(())
    }
}
