//! The active graph and those that runs, intents and letters began under.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use onex_contract::graph::{Body, Graph, GraphId, Step};
use onex_engine::key;
use onex_store::Store;

/// Builds a graph again from what was stored of it.
pub type Restore = Arc<dyn Fn(&[u8]) -> Option<Graph> + Send + Sync>;

/// See the module.
pub(crate) struct Graphs {
    active: RwLock<Arc<Graph>>,
    known: RwLock<HashMap<GraphId, Arc<Graph>>>,
    store: Arc<dyn Store>,
    restore: Restore,
}

impl Graphs {
    /// Graphs of which one is active; others are restored from their rows when asked for.
    pub fn new(active: Arc<Graph>, store: Arc<dyn Store>, restore: Restore) -> Graphs {
        let known = HashMap::from([(active.id, active.clone())]);
        Graphs { active: RwLock::new(active), known: RwLock::new(known), store, restore }
    }

    /// The active graph.
    pub fn active(&self) -> Arc<Graph> {
        let active = self.active.read();
        active.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this one is active.
    pub fn activated(&self, graph: Arc<Graph>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(graph.id, graph.clone());
        drop(known);
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = graph;
    }

    /// The graph of this digest, if its row can still be read.
    pub fn get(&self, id: GraphId) -> Option<Arc<Graph>> {
        let known = self.known.read();
        let found = known.unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        found.or_else(|| self.restore(id))
    }

    fn restore(&self, id: GraphId) -> Option<Arc<Graph>> {
        let row = self.store.load(&[key::graph(id)]).ok()?.pop().flatten()?;
        let graph = Arc::new((self.restore)(&row)?);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, graph.clone());
        Some(graph)
    }

    /// The steps of an orchestrator, in order; empty when its graph is gone.
    pub fn steps(&self, graph: GraphId, node: &str) -> Vec<Step> {
        let Some(graph) = self.get(graph) else {
            return Vec::new();
        };
        match graph.find(node).map(|index| &graph.node(index).body) {
            Some(Body::Orchestrator(found)) => found.steps.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether a state of a reducer is terminal in the active graph.
    pub fn is_terminal(&self, node: &str, state: &str) -> bool {
        let graph = self.active();
        match graph.find(node).map(|index| &graph.node(index).body) {
            Some(Body::Reducer(reducer)) => {
                reducer.states.iter().any(|found| found.terminal && found.name == state)
            }
            _ => false,
        }
    }
}
