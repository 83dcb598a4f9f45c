//! A step of a run triggers a reducer: the transition and what the step learns are one record.

use alloc::boxed::Box;
use alloc::format;

use onex_contract::graph::{Body, Graph, NodeIndex, Reducer};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::reduce;
use onex_kernel::row::{Ending, Owner, Reason};
use onex_kernel::{Fault, Message, Verdict};

use crate::codec::Corrupt;
use crate::deliver::Place;
use crate::engine::Engine;
use crate::key;
use crate::turn::Sink;
use crate::work::{Progress, TriggerIntent, Waiting, Work};

impl Engine {
    /// An intent that triggers a reducer.
    pub(crate) fn intent_trigger(
        &mut self,
        waiting: Box<Waiting<TriggerIntent>>,
    ) -> Result<Progress, Corrupt> {
        let graph = self.active.clone();
        let found = self.place_of(&graph, &waiting.what);
        let mut here = match &found {
            Ok((_, _, place)) => self.rows.has_entity(&place.row)?,
            Err(_) => true,
        };
        if let Owner::Step { run, .. } = waiting.what.owner {
            here &= self.rows.has_run(run, &self.graphs)?;
        }
        if !here {
            return Ok(Progress::Missing(Work::Trigger(waiting)));
        }
        let Waiting { what: TriggerIntent { message, owner, stopping, .. }, row } = *waiting;
        let mut sink = self.begin_record();
        if let Some(row) = row {
            sink.delete(row);
        }
        let message = Message { time: self.now, ..message };
        let ending = if stopping {
            Ending::Withdrawn
        } else {
            match found {
                Ok((node, reducer, place)) => {
                    let decision = self.decide(&graph, node, &message, &place, &sink);
                    let verdict = decision.verdict.clone();
                    if !matches!(verdict, Verdict::Dead(_)) {
                        self.apply_to_entity(&graph, node, &message, &place, decision, &mut sink);
                    }
                    let entity = self.rows.entity(&place.row);
                    reduce::ending(reducer, &place.key, entity, &verdict)
                }
                Err(fault) => reduce::failed(&fault),
            }
        };
        self.tell_step(&owner, &message, &ending, &mut sink);
        self.end_record(&message, graph.id, sink);
        Ok(Progress::Done)
    }

    fn tell_step(&mut self, owner: &Owner, message: &Message, ending: &Ending, sink: &mut Sink) {
        if let Owner::Step { run, step, item, visit, compensation } = *owner {
            let intent = message.id;
            let input = RunInput::Ended { step, item, visit, compensation, intent, ending };
            self.advance_run(run, input, message, sink);
        }
    }

    fn place_of<'g>(
        &self,
        graph: &'g Graph,
        intent: &TriggerIntent,
    ) -> Result<(NodeIndex, &'g Reducer, Place), Fault> {
        let gone = || Fault {
            reason: Reason::NoRoute,
            detail: format!("{} has no trigger {} any more", intent.node, intent.trigger).into(),
        };
        let node = graph.find(&intent.node).ok_or_else(gone)?;
        let Body::Reducer(reducer) = &graph.node(node).body else {
            return Err(gone());
        };
        let named = |index: u16| {
            let trigger = &reducer.triggers[usize::from(index)];
            trigger.topic.is_none() && trigger.name == intent.trigger
        };
        let count = u16::try_from(reducer.triggers.len()).unwrap_or(u16::MAX);
        let trigger = (0..count).find(|index| named(*index)).ok_or_else(gone)?;
        let found = &reducer.triggers[usize::from(trigger)];
        let key = reduce::entity_key(found, &intent.message, self.options.fuel)?;
        let row = key::entity(&intent.node, &key);
        Ok((node, reducer, Place { trigger, key, row }))
    }
}
