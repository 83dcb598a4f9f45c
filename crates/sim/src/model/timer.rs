//! Timers that fired.

use onex_expr::Value;
use onex_kernel::{Id, Message, Micros};

use super::follow::{case_of, index, wrong};
use super::{Again, Model};
use crate::promise::Violation;
use crate::system::Trigger;

impl Model {
    pub(super) fn timer(&mut self, message: &Message, payload: &Value) -> Result<(), Violation> {
        let due = payload.get("due_at").map(Value::to_json);
        let is_due = |at: Micros| at <= message.time && due == Some(at.to_value().to_json());
        let node = message.node.as_deref().unwrap_or_default();
        if let Some(key) = &message.key {
            let Some(reducer) = index(node, 'r') else { return wrong("a timer of nothing") };
            let entity = self.entities.get(&(reducer, key.to_string()));
            if !entity.and_then(|entity| entity.timer).is_some_and(is_due) {
                return wrong(format!("{node}/{key} has no timer due at {due:?}"));
            }
            return self.timeout(message, reducer, key);
        }
        let id = payload.get("run_id").and_then(Value::as_str).and_then(Id::parse);
        let Some((id, run)) = id.and_then(|id| Some((id, self.runs.get(&id)?))) else {
            return wrong("a timer of no run");
        };
        // Of timers that are due at once that of the run is the first, then come the limits of
        // steps, then their pauses.
        let of_step = |pauses| {
            let mut rows = run.steps.iter();
            rows.position(move |row| row.timer.is_some_and(is_due) && row.pauses == pauses)
        };
        let fired = match (run.timer.is_some_and(is_due), of_step(false), of_step(true)) {
            (true, ..) => None,
            (_, Some(step), _) | (_, None, Some(step)) => Some(step),
            _ => return wrong(format!("the run {id} has no timer due at {due:?}")),
        };
        let case = case_of(message, node);
        self.turn(id, case, |turn| match fired {
            None => turn.timed_out(),
            Some(step) => turn.step_timer(step),
        })
    }

    /// An entity's timeout.
    pub(super) fn timeout(
        &mut self,
        message: &Message,
        reducer: usize,
        key: &str,
    ) -> Result<(), Violation> {
        let node = format!("r{reducer}");
        let mut case = case_of(message, &node);
        if let Err(reason) = self.reduce(reducer, Trigger::Timeout, key, None, &mut case).result() {
            let again = Again::Timer { reducer, key: key.to_owned() };
            self.dead(reason, &node, (message.id, message.generation), again);
        }
        Ok(())
    }
}
