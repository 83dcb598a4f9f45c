//! What ended long ago is forgotten: when, the engine says; what may go, the model.

use onex_expr::Value;
use onex_kernel::Id;

use super::follow::{index, wrong};
use super::{Model, Owner, Touched};
use crate::promise::Violation;

impl Model {
    /// Runs or entities are forgotten.
    pub(super) fn forget(&mut self, payload: &Value) -> Result<(), Violation> {
        let list = |name| payload.get(name).and_then(Value::as_list).unwrap_or_default();
        for run in list("runs") {
            match run.as_str().and_then(Id::parse) {
                Some(run) => self.forget_run(run)?,
                None => return wrong("a run without an id is forgotten"),
            }
        }
        for entity in list("entities") {
            let text = |name| entity.get(name).and_then(Value::as_str).unwrap_or_default();
            self.forget_entity(text("node"), text("key"))?;
        }
        Ok(())
    }

    fn forget_run(&mut self, id: Id) -> Result<(), Violation> {
        let Some(run) = self.runs.remove(&id) else {
            return wrong(format!("the run {id}, which is not there, is forgotten"));
        };
        self.touched.remove(&Touched::Run(id));
        let awaited = match run.answers {
            Some(Owner::Step { run, .. }) => self.live.contains(&run),
            _ => false,
        };
        match run.ended && !awaited {
            true => Ok(()),
            false => wrong(format!("the run {id} is forgotten too early")),
        }
    }

    fn forget_entity(&mut self, node: &str, key: &str) -> Result<(), Violation> {
        let reducer = index(node, 'r').unwrap_or(usize::MAX);
        let machine = self.system.reducers.get(reducer);
        let entity = self.entities.remove(&(reducer, key.to_owned()));
        let state = machine.zip(entity).and_then(|(machine, one)| machine.states.get(one.state));
        match state.is_some_and(|state| state.terminal) {
            true => Ok(()),
            false => wrong(format!("{node}/{key} is forgotten and not in a terminal state")),
        }
    }
}
