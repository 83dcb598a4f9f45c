//! What is simulated: a graph and what clients do to it.

use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_expr::{Text, Value};

use crate::random::Random;

/// A system under simulation.
#[derive(Clone)]
pub struct Scenario {
    /// Its graph, checked against `catalog()`.
    pub graph: Arc<Graph>,
    /// What the clients do, in order of their beginning.
    pub ops: Vec<Op>,
    /// Effects whose `do` holds something until `undo`, for each run.
    pub reserving: &'static [&'static str],
    /// The reducer that is `shipped` when all went well.
    pub order: &'static str,
    /// The effect that holds its money.
    pub charging: &'static str,
}

/// One thing a client does, and repeats with the same id until it is answered.
#[derive(Clone, Debug)]
pub enum Op {
    /// Publishes a message.
    Publish {
        /// Where.
        topic: Text,
        /// What.
        payload: Value,
    },
    /// Begins a run under an Idempotency-Key.
    Start {
        /// The orchestrator.
        node: Text,
        /// The key.
        key: Text,
        /// The run's input.
        input: Value,
    },
}

impl Scenario {
    /// A scenario whose ops `make` makes from the seed, numbered from 0.
    pub fn generate(
        graph: Arc<Graph>,
        seed: u64,
        count: u64,
        mut make: impl FnMut(u64, &mut Random) -> Op,
    ) -> Scenario {
        let mut random = Random::new(seed);
        let ops = (0..count).map(|number| make(number, &mut random)).collect();
        Scenario {
            graph,
            ops,
            reserving: &["stock", "carrier"],
            order: "order",
            charging: "payment",
        }
    }
}
