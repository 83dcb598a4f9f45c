//! What has ended is kept for a while and then forgotten: ended runs, and entities in terminal
//! states.
//!
//! [`queue`] says which rows ended when, oldest first, at a cost of some bytes each; [`found`] is
//! what a start knows of it; [`forget`] decides what goes and what must stay, and deletes a bounded
//! number a turn. Nothing here polls: the oldest of all is a wish to be woken.

mod forget;
mod found;
mod queue;

pub(crate) use found::Found;
pub(crate) use queue::{Entry, Limit, Piece, Queue};

use onex_contract::graph::{Body, Node};
use onex_expr::Text;

use crate::options::Options;

/// Rows of one sweep, which is one record.
pub const SWEEP_MAX: usize = 128;

/// What is kept for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Runs that have ended.
    Runs,
    /// Entities in a terminal state.
    Entities,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 2] = [Kind::Runs, Kind::Entities];

    fn limit(self, options: &Options) -> Limit {
        match self {
            Kind::Runs => Limit {
                period_us: options.ended_runs_ms.saturating_mul(1000),
                max: options.ended_runs_max,
            },
            Kind::Entities => Limit {
                period_us: options.terminal_entities_ms.saturating_mul(1000),
                max: usize::MAX,
            },
        }
    }
}

/// Both queues, and what was forgotten.
#[derive(Debug, Default)]
pub struct Retained {
    runs: Queue,
    entities: Queue,
    forgotten: [u64; 2],
}

impl Retained {
    pub(crate) fn recovered(found: Found) -> Retained {
        let [runs, entities] = found.queues;
        Retained { runs, entities, forgotten: [0; 2] }
    }

    /// How many of a kind have ended and are kept.
    pub fn kept(&self, kind: Kind) -> usize {
        self.queue(kind).len()
    }

    /// How many of a kind were forgotten since the start.
    pub fn forgotten(&self, kind: Kind) -> u64 {
        self.forgotten[kind as usize]
    }

    pub(crate) fn queue(&self, kind: Kind) -> &Queue {
        match kind {
            Kind::Runs => &self.runs,
            Kind::Entities => &self.entities,
        }
    }

    pub(crate) fn queue_mut(&mut self, kind: Kind) -> &mut Queue {
        match kind {
            Kind::Runs => &mut self.runs,
            Kind::Entities => &mut self.entities,
        }
    }
}

/// The states of a node that nothing leaves.
pub(crate) fn terminals(node: &Node) -> impl Iterator<Item = &Text> {
    let states = match &node.body {
        Body::Reducer(reducer) => &reducer.states[..],
        _ => &[],
    };
    states.iter().filter(|state| state.terminal).map(|state| &state.name)
}
