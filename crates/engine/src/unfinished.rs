//! Which runs are not over when a start reads the store.
//!
//! A run that goes on has a timer. One that is ending waits for intents, for work that an earlier
//! turn left behind, or for another run that a step of it began.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use onex_kernel::row::{Intent, Owner};
use onex_kernel::{Id, Tidings};

use crate::codec::row::{self, Backlog};
use crate::key::{self, TimerOwner};
use crate::recover::{RecoverError, Recovered, Source};

/// The runs that are not over.
pub(crate) fn runs<S: Source>(
    source: &S,
    recovered: &Recovered,
) -> Result<BTreeSet<Id>, RecoverError<S::Error>> {
    let by_timer = recovered.timers.iter().filter_map(|timer| match timer.owner {
        TimerOwner::Run { run, .. } => Some(run),
        TimerOwner::Entity { .. } => None,
    });
    let by_intent = recovered.intents.iter().filter_map(|intent: &Intent| step_of(&intent.owner));
    let mut live: BTreeSet<Id> = by_timer.chain(by_intent).collect();
    for (_, bytes) in &recovered.backlog {
        live.extend(awaited_by(&row::read_backlog(bytes)?));
    }
    let mut open: Vec<Id> = live.iter().copied().collect();
    while let Some(run) = open.pop() {
        let Some(bytes) = source.row(key::run(run)).map_err(RecoverError::Source)? else {
            continue;
        };
        let (head, _) = row::read_run(&bytes)?;
        if head.ended_at.is_some() {
            // It is told something that it does not await any more, or ended long ago.
            live.remove(&run);
        } else if let Some(parent) = head.answers.as_ref().and_then(step_of)
            && live.insert(parent)
        {
            open.push(parent);
        }
    }
    Ok(live)
}

/// The run that awaits what was left behind.
fn awaited_by(left: &Backlog) -> Option<Id> {
    match left {
        Backlog::Message(_) => None,
        Backlog::Intent(intent) => step_of(&intent.owner),
        Backlog::Run(intent) => intent.step.as_ref().and_then(|(_, owner)| step_of(owner)),
        Backlog::Trigger(intent) => step_of(&intent.owner),
        Backlog::Tell(tell) => match &tell.told.what {
            Tidings::Undo(owner) | Tidings::Ended { owner, .. } => step_of(owner),
            Tidings::Cancel => None,
        },
    }
}

/// The run whose step it concerns.
fn step_of(owner: &Owner) -> Option<Id> {
    match owner {
        Owner::Step { run, .. } => Some(*run),
        _ => None,
    }
}
