//! What is simulated: a graph, what clients do to it, and what goes wrong meanwhile.

use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_expr::{Text, Value};
use onex_kernel::Micros;

use crate::random::Random;
use crate::system::System;
use crate::trouble::Troubles;

/// When every run begins: 2023-11-14 22:13:20 UTC.
pub(crate) const BEGIN: Micros = Micros(1_700_000_000_000_000);

/// A system under simulation.
#[derive(Clone)]
pub struct Scenario {
    /// Decides everything that is not said here.
    pub seed: u64,
    /// Its graph, checked against `catalog()`.
    pub graph: Arc<Graph>,
    /// Another graph that is activated in its place and back, if it is.
    pub(crate) other: Option<Arc<Graph>>,
    /// What the clients do, each under a number that stays its own.
    pub ops: Vec<(u64, Op)>,
    /// What goes wrong.
    pub troubles: Troubles,
    /// What the graph was made of, if chance drew it: then the reference model watches.
    pub(crate) system: Option<Arc<System>>,
    /// What must be held at the target when all is over, if that is known.
    pub held: Option<Held>,
}

/// What completes must be held, what does not must not.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Effects whose `do` holds something until `undo`, for each run.
    pub reserving: &'static [&'static str],
    /// The reducer that is `shipped` when all went well.
    pub order: &'static str,
    /// The effect that holds its money.
    pub charging: &'static str,
}

/// One thing a client does. Messages and starts are repeated with the same id until answered.
#[derive(Clone, Debug)]
pub enum Op {
    /// Publishes a message.
    Publish {
        /// Where.
        topic: Text,
        /// What.
        payload: Value,
        /// The op whose story it belongs to; its own when absent.
        story: Option<u64>,
        /// The op whose message id it uses too.
        same_id: Option<u64>,
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
    /// Cancels one of the live runs.
    Cancel,
    /// Retries one of the runs that ended badly.
    Retry,
    /// Puts one of the dead letters back; also one that was let go of, if it says so.
    Redrive {
        /// Of all letters, not only of the open ones.
        discarded: bool,
    },
    /// Lets go of one of the dead letters.
    Discard,
    /// Activates the other graph, or again the first.
    Activate {
        /// The other one.
        other: bool,
    },
}

impl Op {
    /// Whether it is an operator's, who tries once.
    pub(crate) fn steers(&self) -> bool {
        !matches!(self, Op::Publish { .. } | Op::Start { .. })
    }
}

impl Scenario {
    /// The contracts that chance drew, as text; empty for written ones.
    pub fn contracts(&self) -> String {
        self.system.as_deref().map_or_else(String::new, crate::system::text)
    }

    /// The same, and what must be held at its end.
    #[must_use]
    pub fn holding(self, held: Held) -> Scenario {
        Scenario { held: Some(held), ..self }
    }

    /// A scenario of written contracts, whose ops `make` makes from the seed, numbered from 0.
    pub fn generate(
        graph: Arc<Graph>,
        seed: u64,
        count: u64,
        mut make: impl FnMut(u64, &mut Random) -> Op,
    ) -> Scenario {
        let mut random = Random::part(seed, "ops");
        let ops = (0..count).map(|number| (number, make(number, &mut random))).collect();
        let troubles = Troubles::draw(seed, false);
        Scenario { seed, graph, other: None, ops, troubles, system: None, held: None }
    }

    /// The scenario of a seed: contracts, messages, answers and faults, all drawn.
    ///
    /// # Errors
    /// What was drawn does not pass the check: the drawing is wrong.
    pub fn draw(seed: u64) -> Result<Scenario, String> {
        let system = System::draw(&mut Random::part(seed, "system"));
        let graph = crate::system::graph(&system)?;
        let other = Some(crate::system::other_graph(&system)?);
        let mut ops = crate::system::ops(&system, &mut Random::part(seed, "ops"));
        crate::system::activations(&mut ops, &mut Random::part(seed, "activations"));
        let troubles = Troubles::draw(seed, true);
        let system = Some(Arc::new(system));
        Ok(Scenario { seed, graph, other, ops, troubles, system, held: None })
    }
}
