//! Which transition takes a delivery, if one does.

use alloc::format;
use alloc::vec::Vec;

use onex_contract::graph::{OnUnhandled, Transition};
use onex_expr::Text;

use super::{Case, fault};
use crate::row::Reason;
use crate::{Fault, Verdict, ask};

/// What the transitions say to a delivery.
pub(super) enum Choice<'a> {
    Take(&'a Transition),
    Leave(Verdict),
}

impl<'a> Case<'a> {
    /// The first candidate whose guards hold. A guard that fails while running ends the search: no
    /// later candidate is tried.
    pub(super) fn choose(&mut self) -> Choice<'a> {
        let reducer = self.reducer;
        let terminal = reducer.states[self.state].terminal;
        let candidates = reducer.candidates.get(self.state);
        let candidates =
            candidates.and_then(|by_trigger| by_trigger.get(usize::from(self.delivery.trigger)));
        let candidates = candidates.map_or(&[][..], Vec::as_slice).iter();
        // Nothing leaves a terminal state, wildcards included; staying may act.
        let mut candidates = candidates
            .map(|index| &reducer.transitions[usize::from(*index)])
            .filter(|transition| !terminal || transition.to_state.is_none())
            .peekable();
        if candidates.peek().is_none() {
            return Choice::Leave(self.unmentioned(terminal));
        }
        let mut first_refusal = None;
        for transition in candidates {
            match self.refusing_guard(transition) {
                Ok(None) if transition.to_state.is_none() && transition.actions.is_empty() => {
                    return Choice::Leave(Verdict::Ignored(transition.name.clone()));
                }
                Ok(None) => return Choice::Take(transition),
                Ok(Some(guard)) => {
                    first_refusal.get_or_insert(guard);
                }
                Err(fault) => return Choice::Leave(Verdict::Dead(fault)),
            }
        }
        Choice::Leave(Verdict::Refused {
            trigger: self.trigger_name(),
            guard: first_refusal.unwrap_or_default(),
        })
    }

    fn unmentioned(&self, terminal: bool) -> Verdict {
        if terminal {
            return Verdict::Ignored("terminal".into());
        }
        match self.reducer.on_unhandled {
            OnUnhandled::Ignore => Verdict::Ignored("unhandled".into()),
            OnUnhandled::DeadLetter => Verdict::Dead(Fault {
                reason: Reason::Unhandled,
                detail: Text::new(format!(
                    "no transition from {} for {}",
                    self.reducer.states[self.state].name,
                    self.trigger_name()
                )),
            }),
        }
    }

    fn trigger_name(&self) -> Text {
        let trigger = self.reducer.triggers.get(usize::from(self.delivery.trigger));
        trigger.map(|trigger| trigger.name.clone()).unwrap_or_default()
    }

    /// The name of the first guard that does not hold.
    fn refusing_guard(&mut self, transition: &Transition) -> Result<Option<Text>, Fault> {
        for guard in &transition.guards {
            self.see(&guard.condition);
            match ask::truth(&guard.condition, &self.roots, &mut self.fuel) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(guard.name.clone())),
                Err(error) => return Err(fault(Reason::GuardError, &guard.name, &error)),
            }
        }
        Ok(None)
    }
}
