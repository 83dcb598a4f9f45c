//! The least that still breaks a promise: ops, troubles and chances are left out as long as some
//! promise is broken all the same.

use crate::promise::Violation;
use crate::scenario::Scenario;
use crate::trouble::Troubles;
use crate::world::World;

/// Makes a scenario that breaks a promise smaller; what it then breaks, with everything that happened.
/// `None` when it breaks none.
pub fn shrink(mut scenario: Scenario) -> Option<(Scenario, Violation)> {
    World::new(scenario.clone()).run().err()?;
    loop {
        let before = size(&scenario);
        scenario = without_ops(scenario);
        scenario = without_troubles(scenario);
        scenario = without_chances(scenario);
        if size(&scenario) == before {
            let violation = World::new(scenario.clone()).telling_all().run().err()?;
            return Some((scenario, violation));
        }
    }
}

fn size(scenario: &Scenario) -> usize {
    scenario.ops.len() + scenario.troubles.once.len()
}

fn is_broken(scenario: &Scenario) -> bool {
    World::new(scenario.clone()).run().is_err()
}

/// Leaves out as many of a list as can be, halves first.
fn fewer<T: Clone>(all: Vec<T>, is_broken: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut left = all;
    let mut piece = left.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < left.len() {
            let end = left.len().min(at + piece);
            let tried = [&left[..at], &left[end..]].concat();
            if is_broken(&tried) {
                left = tried;
            } else {
                at = end;
            }
        }
        piece /= 2;
    }
    left
}

fn without_ops(scenario: Scenario) -> Scenario {
    let with = |ops: &[_]| Scenario { ops: ops.to_vec(), ..scenario.clone() };
    let ops = fewer(scenario.ops.clone(), |ops| is_broken(&with(ops)));
    with(&ops)
}

fn without_troubles(scenario: Scenario) -> Scenario {
    let with = |once: &[_]| {
        let troubles = Troubles { once: once.to_vec(), ..scenario.troubles.clone() };
        Scenario { troubles, ..scenario.clone() }
    };
    let once = fewer(scenario.troubles.once.clone(), |once| is_broken(&with(once)));
    with(&once)
}

/// Chances become none and limits the usual ones, each by itself, where they do not matter.
fn without_chances(mut scenario: Scenario) -> Scenario {
    let calm = Troubles::none();
    let changes: [fn(&mut Troubles, &Troubles); 15] = [
        |troubles, calm| troubles.unsent_percent = calm.unsent_percent,
        |troubles, calm| troubles.lost_answer_percent = calm.lost_answer_percent,
        |troubles, calm| troubles.busy_percent = calm.busy_percent,
        |troubles, calm| troubles.refuse_percent = calm.refuse_percent,
        |troubles, calm| troubles.repeat_percent = calm.repeat_percent,
        |troubles, calm| troubles.batch_percent = calm.batch_percent,
        |troubles, calm| troubles.limits.turn_records_max = calm.limits.turn_records_max,
        |troubles, calm| troubles.limits.turn_records_ready = calm.limits.turn_records_ready,
        |troubles, calm| troubles.limits.cache_bytes_max = calm.limits.cache_bytes_max,
        |troubles, calm| troubles.limits.unfinished_max = calm.limits.unfinished_max,
        |troubles, calm| troubles.limits.forgetful_rows = calm.limits.forgetful_rows,
        |troubles, calm| troubles.limits.segment_bytes = calm.limits.segment_bytes,
        |troubles, calm| troubles.limits.inline_bytes_max = calm.limits.inline_bytes_max,
        |troubles, calm| troubles.limits.ended_runs_ms = calm.limits.ended_runs_ms,
        |troubles, calm| {
            troubles.limits.terminal_entities_ms = calm.limits.terminal_entities_ms;
        },
    ];
    for change in changes {
        let mut tried = scenario.clone();
        change(&mut tried.troubles, &calm);
        if tried.troubles != scenario.troubles && is_broken(&tried) {
            scenario = tried;
        }
    }
    scenario
}
