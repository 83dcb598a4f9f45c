//! All or nothing: what did not end well holds nothing, what ended well holds what it should,
//! unless a dead letter of the story says that a person has to look.

use std::collections::{BTreeMap, BTreeSet};

use onex_engine::codec::row;
use onex_engine::key;
use onex_kernel::Id;
use onex_kernel::row::RunStatus;

use super::{Violation, Watch};
use crate::model::compare::range;
use crate::outside::Outside;
use crate::scenario::Held;

impl Watch {
    pub(super) fn nothing_stays_held(
        &self,
        held: &Held,
        outside: &Outside,
    ) -> Result<(), Violation> {
        let mut excused = BTreeSet::new();
        for (_, bytes) in range(&self.rows, key::LETTERS) {
            excused.insert(row::read_letter(bytes)?.message.correlation_id);
        }
        let mut good = BTreeMap::new();
        for (_, bytes) in range(&self.rows, key::RUNS) {
            let (head, _) = row::read_run(bytes)?;
            if head.parent.is_none() {
                good.insert(head.correlation_id, head.status == RunStatus::Completed);
            }
        }
        let holds = |story: Id, node: &str| {
            let mut all = outside.held.iter();
            all.any(|((one, effect, _), keys)| *one == story && effect == node && !keys.is_empty())
        };
        for (story, good) in good.iter().filter(|(story, _)| !excused.contains(*story)) {
            for node in held.reserving {
                if holds(*story, node) != *good {
                    return Err(Violation::new(format!(
                        "the run of {story} ended well: {good}; but {node} holds something: {}",
                        !good
                    )));
                }
            }
        }
        for (_, bytes) in range(&self.rows, &key::entities(held.order)) {
            let entity = row::read_entity(bytes)?;
            let paid = entity.state == "shipped";
            let story = entity.correlation_id;
            if !excused.contains(&story) && holds(story, held.charging) != paid {
                return Err(Violation::new(format!(
                    "an order of {story} is {}, but a charge is held: {}",
                    entity.state, !paid
                )));
            }
        }
        Ok(())
    }
}
