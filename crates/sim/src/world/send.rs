//! What is sent to the host: requests of clients and operators, batches of messages, other graphs.

use onex_engine::{Input, Request, Ticket};

use super::{World, clients, steer};
use crate::scenario::{Op, Scenario};

impl World {
    /// Sends the ops whose time has come.
    pub(super) fn send_all(&mut self, due: Vec<u64>) {
        for together in batches(&self.scenario, due) {
            self.send(together);
        }
    }

    /// Another graph is activated; the first one where there is no other.
    fn activate(&mut self, number: u64, other: bool) {
        let Some(host) = &mut self.host else { return };
        let graph = self.scenario.other.as_ref().filter(|_| other).unwrap_or(&self.scenario.graph);
        self.trace.note(format!("{} op {number} activates {}", self.now.0, graph.id));
        self.activations += u64::from(other);
        let ticket = Ticket(self.clients.ticket(vec![number]));
        host.arrived.push(Input::Activate(ticket, graph.clone()));
    }

    /// Sends an op, or messages as a batch.
    fn send(&mut self, mut numbers: Vec<u64>) {
        if let [number] = numbers[..]
            && let Some((_, Op::Activate { other })) = clients::op(&self.scenario, number)
        {
            return self.activate(number, *other);
        }
        let Some(host) = &mut self.host else { return };
        let mut requests = Vec::new();
        numbers.retain(|number| {
            let Some((_, op)) = clients::op(&self.scenario, *number) else { return false };
            let request = clients::request(op, *number)
                .or_else(|| steer::request(op, &self.watch, self.scenario.seed, *number));
            if request.is_none() {
                // Nothing is there to be steered.
                self.clients.sending.remove(number);
            }
            let is_some = request.is_some();
            requests.extend(request);
            is_some
        });
        let request = match (requests.pop(), requests.is_empty()) {
            (None, _) => return,
            (Some(one), true) => one,
            (Some(last), false) => {
                requests.push(last);
                let publish = |request| match request {
                    Request::Publish(publish) => Some(publish),
                    _ => None,
                };
                Request::Batch(requests.into_iter().filter_map(publish).collect())
            }
        };
        // A shell takes nothing new while the disk has only its reserve. (That there is room again
        // is found out by a thread of the store, of which there is none here.)
        if self.full_until.is_some() && host.store.is_full() {
            return;
        }
        self.trace.note(format!("{} send op {numbers:?} {}", self.now.0, shown(&request)));
        self.batches += u64::from(numbers.len() > 1);
        let ticket = Ticket(self.clients.ticket(numbers));
        host.arrived.push(Input::Received(ticket, request));
    }
}

/// Messages that are sent at the same moment go as a batch, if such are drawn; all else alone.
fn batches(scenario: &Scenario, due: Vec<u64>) -> Vec<Vec<u64>> {
    let is_message =
        |number: &u64| matches!(clients::op(scenario, *number), Some((_, Op::Publish { .. })));
    let all_alone = scenario.troubles.batch_percent == 0;
    let parts = due.chunk_by(|a, b| !all_alone && is_message(a) && is_message(b));
    parts.map(<[u64]>::to_vec).collect()
}

fn shown(request: &Request) -> String {
    match request {
        Request::Publish(publish) => {
            format!("{} {} {}", publish.topic, publish.id, publish.payload.value.to_json())
        }
        Request::Start(start) => {
            format!("start {} {} {}", start.node, start.run_id, start.input.value.to_json())
        }
        other => format!("{other:?}"),
    }
}
