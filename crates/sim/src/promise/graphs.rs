//! Which graph is active, and that a run stays with the one that began it.

use std::collections::BTreeMap;

use onex_contract::graph::GraphId;
use onex_engine::key;
use onex_kernel::Id;
use onex_kernel::row::RunHead;

use super::Violation;

/// The graphs of the log so far.
pub(super) struct Graphs {
    active: GraphId,
    /// Of every run.
    runs: BTreeMap<Id, GraphId>,
}

impl Graphs {
    pub fn new(first: GraphId) -> Graphs {
        Graphs { active: first, runs: BTreeMap::new() }
    }

    /// A row was written: perhaps another graph is active now.
    pub fn row(&mut self, place: &[u8], value: &[u8]) {
        if *place == *key::ACTIVE_GRAPH
            && let Ok(id) = value.try_into()
        {
            self.active = GraphId(id);
        }
    }

    /// A run was written: its graph is the active one when it begins, and never another.
    pub fn run(&mut self, head: &RunHead) -> Result<(), Violation> {
        let own = *self.runs.entry(head.id).or_insert(self.active);
        if own == head.graph {
            return Ok(());
        }
        let what =
            format!("the run {} has the graph {}, and began with {own}", head.id, head.graph);
        Err(Violation::new(what))
    }
}
