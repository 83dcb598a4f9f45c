//! A breaker: stops calls to a failing target. Memory of one host, closed at start.

use onex_contract::graph::Breaker as Limits;

use crate::Micros;

/// The breaker of one target.
#[derive(Clone, Debug, Default)]
pub struct Breaker {}

impl Breaker {
    /// Whether a call may go out now; if so it is counted as under way. Otherwise the time at which
    /// to ask again.
    pub fn admit(&mut self, _limits: &Limits, _now: Micros) -> Result<(), Micros> {
        unimplemented!()
    }

    /// Takes note of how a call went. A refusal is a success: the target answered.
    pub fn record(&mut self, _limits: &Limits, _now: Micros, _success: bool) {
        unimplemented!()
    }
}
