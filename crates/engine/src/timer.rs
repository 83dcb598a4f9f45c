//! Timers: armed and disarmed by decisions, and what happens when one fires.

use alloc::format;
use alloc::vec::Vec;

use onex_contract::graph::Body;
use onex_expr::{Text, Value};
use onex_kernel::decision::{TimerChange, TimerOf};
use onex_kernel::orchestrate::RunInput;
use onex_kernel::row::Reason;
use onex_kernel::{Category, Fault, Id, Message, Origin};

use crate::codec::Corrupt;
use crate::deliver::Place;
use crate::engine::Engine;
use crate::key::{self, Timer, TimerOwner};
use crate::turn::Sink;
use crate::work::{Progress, Work};

impl Engine {
    /// Writes the timers that a decision changed.
    pub(crate) fn change_timers(
        &mut self,
        changes: &[TimerChange],
        owner: impl Fn(TimerOf) -> TimerOwner,
        sink: &mut Sink,
    ) {
        for change in changes {
            match change {
                TimerChange::Arm(of, armed) => {
                    let timer = Timer { due: armed.due, owner: owner(*of), arming: armed.arming };
                    sink.put_fresh(key::timer(&timer), Vec::new());
                    self.timers.insert(timer);
                }
                TimerChange::Disarm(of, armed) => {
                    let timer = Timer { due: armed.due, owner: owner(*of), arming: armed.arming };
                    sink.delete(key::timer(&timer));
                    self.timers.remove(&timer);
                }
            }
        }
    }

    /// A timer that fired.
    pub(crate) fn timer(&mut self, timer: Timer) -> Result<Progress, Corrupt> {
        match &timer.owner {
            TimerOwner::Entity { node, key } => {
                let row = key::entity(node, key);
                if !self.rows.has_entity(&row)? {
                    return Ok(Progress::Missing(Work::Timer(timer)));
                }
                let armed = self.rows.entity(&row).and_then(|entity| entity.timer);
                if armed.is_some_and(|armed| armed.arming == timer.arming) {
                    self.entity_timer(&timer, node, key, row);
                }
            }
            TimerOwner::Run { run, of } => {
                if !self.rows.has_run(*run, &self.graphs)? {
                    return Ok(Progress::Missing(Work::Timer(timer)));
                }
                let armed = self.rows.run(*run).and_then(|run| match of {
                    TimerOf::Instance => run.head.timer,
                    TimerOf::Step(step) | TimerOf::Pause(step) => {
                        run.steps.get(usize::from(*step)).and_then(|step| step.timer)
                    }
                });
                if armed.is_some_and(|armed| armed.arming == timer.arming) {
                    self.run_timer(&timer, *run, *of);
                }
            }
        }
        Ok(Progress::Done)
    }

    fn entity_timer(&mut self, timer: &Timer, node: &Text, key: &Text, row: key::RowKey) {
        let graph = self.active.clone();
        let mut sink = self.begin_record();
        sink.delete(key::timer(timer));
        let Some(entity) = self.rows.entity(&row) else {
            return;
        };
        let armed_at = entity.timer.map_or(timer.due, |armed| armed.armed_at);
        let payload = Value::map([
            ("state", Value::String(entity.state.clone())),
            ("armed_at", armed_at.to_value()),
            ("due_at", timer.due.to_value()),
        ]);
        let correlation_id = entity.correlation_id;
        let subject = Id::of_text(node, key);
        let message = self.own_message(Category::Timer, Origin::Timer, subject, payload);
        let message =
            Message { key: Some(key.clone()), correlation_id, node: Some(node.clone()), ..message };
        let index = graph.find(node);
        let trigger = index.and_then(|index| match &graph.node(index).body {
            Body::Reducer(reducer) => reducer.timeout_trigger,
            _ => None,
        });
        if let (Some(index), Some(trigger)) = (index, trigger) {
            let place = Place { trigger, key: key.clone(), row };
            self.reduce(&graph, index, &message, place, &mut sink);
        } else {
            let detail = format!("{node} has no transition `timeout` any more").into();
            let fault = Fault { reason: Reason::NoRoute, detail };
            self.dead(&graph, index, &message, fault, &mut sink);
        }
        self.end_record(&message, graph.id, sink);
    }

    fn run_timer(&mut self, timer: &Timer, id: Id, of: TimerOf) {
        let Some(run) = self.rows.run(id) else { return };
        let (node, correlation_id) = (run.head.node.clone(), run.head.correlation_id);
        let run_text = Value::text(format!("{id}"));
        let payload = Value::map([("due_at", timer.due.to_value()), ("run_id", run_text)]);
        let message = self.own_message(Category::Timer, Origin::Timer, id, payload);
        let message = Message { correlation_id, node: Some(node), ..message };
        let mut sink = self.begin_record();
        sink.delete(key::timer(timer));
        self.advance_run(id, RunInput::Timer(of), &message, &mut sink);
        let graph = self.active.id;
        self.end_record(&message, graph, sink);
    }
}
