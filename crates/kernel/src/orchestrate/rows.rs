//! The rows of a run as a decision sees them: as they were, with its own changes over them.
//!
//! Only what is changed is copied and written, so that in a run of ten thousand items the end of one
//! writes that item, its step and, if it changed, the head.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use onex_contract::graph::Orchestrator;

use super::timer_of;
use crate::decision::{RowWrite, TimerChange, TimerOf};
use crate::row::{Armed, ItemRow, Run, RunHead, StepRow};
use crate::{Decision, Message};

pub(super) struct Rows<'a> {
    before: &'a Run,
    is_new: bool,
    head: Option<Box<RunHead>>,
    in_flight: u32,
    steps: BTreeMap<u16, Box<StepRow>>,
    items: BTreeMap<(u16, u32), ItemRow>,
    cleared: BTreeSet<u16>,
    events: BTreeMap<u32, Option<Message>>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(before: &'a Run) -> Rows<'a> {
        Rows {
            before,
            is_new: false,
            head: None,
            in_flight: before.head.in_flight,
            steps: BTreeMap::new(),
            items: BTreeMap::new(),
            cleared: BTreeSet::new(),
            events: BTreeMap::new(),
        }
    }

    /// The rows of a run that begins: nothing of them is written yet.
    pub(super) fn of_new(before: &'a Run) -> Rows<'a> {
        Rows { is_new: true, ..Rows::of(before) }
    }

    pub(super) fn head(&self) -> &RunHead {
        self.head.as_deref().unwrap_or(&self.before.head)
    }

    pub(super) fn head_mut(&mut self) -> &mut RunHead {
        self.head.get_or_insert_with(|| Box::new(self.before.head.clone()))
    }

    /// Intents whose end is awaited. Apart from the head, because one that ends is mostly followed
    /// by one that starts.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn in_flight_mut(&mut self) -> &mut u32 {
        &mut self.in_flight
    }

    pub(super) fn step(&self, index: u16) -> &StepRow {
        let before = &self.before.steps[usize::from(index)];
        self.steps.get(&index).map_or(before, |row| row)
    }

    pub(super) fn step_mut(&mut self, index: u16) -> &mut StepRow {
        let before = || Box::new(self.before.steps[usize::from(index)].clone());
        self.steps.entry(index).or_insert_with(before)
    }

    pub(super) fn item(&self, step: u16, index: u32) -> Option<&ItemRow> {
        self.items.get(&(step, index)).or_else(|| {
            let before = self.before.items.get(&(step, index));
            before.filter(|_| !self.cleared.contains(&step))
        })
    }

    pub(super) fn item_mut(&mut self, step: u16, index: u32) -> Option<&mut ItemRow> {
        if !self.items.contains_key(&(step, index)) {
            let item = self.item(step, index)?.clone();
            self.items.insert((step, index), item);
        }
        self.items.get_mut(&(step, index))
    }

    pub(super) fn put_item(&mut self, step: u16, index: u32, item: ItemRow) {
        self.items.insert((step, index), item);
    }

    pub(super) fn clear_items(&mut self, step: u16) {
        self.items.retain(|(of, _), _| *of != step);
        self.cleared.insert(step);
    }

    /// The items of a step in order. One pass over both maps: a step may have many.
    pub(super) fn items(&self, step: u16) -> impl Iterator<Item = (u32, &ItemRow)> {
        let all = (step, 0)..=(step, u32::MAX);
        let standing = !self.cleared.contains(&step);
        let before = self.before.items.range(all.clone());
        let mut before = before.filter(move |_| standing).peekable();
        let mut changed = self.items.range(all).peekable();
        core::iter::from_fn(move || {
            let next = match (before.peek(), changed.peek()) {
                (Some((old, _)), Some((new, _))) if old < new => before.next(),
                (Some((old, _)), Some((new, _))) => {
                    if old == new {
                        before.next();
                    }
                    changed.next()
                }
                (Some(_), None) => before.next(),
                (None, _) => changed.next(),
            };
            next.map(|((_, index), row)| (*index, row))
        })
    }

    /// The events that are kept, in order.
    pub(super) fn events(&self) -> impl Iterator<Item = (u32, &Message)> {
        let standing = self.before.events.iter().filter(|(at, _)| !self.events.contains_key(*at));
        let new = self.events.iter().filter_map(|(at, event)| Some((*at, event.as_ref()?)));
        standing.map(|(at, event)| (*at, event)).chain(new)
    }

    /// Keeps an event, as the last.
    pub(super) fn keep_event(&mut self, event: Message) {
        let at = self.head().events;
        self.head_mut().events += 1;
        self.events.insert(at, Some(event));
    }

    /// Takes a kept event away.
    pub(super) fn drop_event(&mut self, at: u32) {
        self.events.insert(at, None);
        if self.events().next().is_none() {
            // Nothing is kept: counting begins anew, so that what is loaded stays small.
            self.head_mut().events = 0;
        }
    }

    /// Writes what changed. Timers follow from what the rows said before and say now.
    pub(super) fn write(mut self, plan: &Orchestrator, decision: &mut Decision) {
        if self.in_flight != self.head().in_flight {
            self.head_mut().in_flight = self.in_flight;
        }
        let before = (!self.is_new).then_some(&self.before.head);
        let old = before.and_then(|head| head.timer);
        let new = self.head().timer;
        change_timer(decision, (TimerOf::Instance, old), (TimerOf::Instance, new));
        for (index, row) in &self.steps {
            let old = &self.before.steps[usize::from(*index)];
            let step = &plan.steps[usize::from(*index)];
            change_timer(
                decision,
                (timer_of(step, *index, old), old.timer),
                (timer_of(step, *index, row), row.timer),
            );
        }
        let writes = &mut decision.writes;
        if self.is_new {
            self.head_mut();
        }
        writes.extend(self.head.map(RowWrite::Head));
        writes.extend(self.cleared.into_iter().map(RowWrite::ClearItems));
        for (index, row) in self.steps {
            writes.push(RowWrite::Step(index, row));
        }
        for ((step, index), row) in self.items {
            writes.push(RowWrite::Item(step, index, row));
        }
        writes.extend(self.events.into_iter().map(|(at, event)| RowWrite::Event(at, event)));
    }
}

fn change_timer(
    decision: &mut Decision,
    (old_of, old): (TimerOf, Option<Armed>),
    (new_of, new): (TimerOf, Option<Armed>),
) {
    if old == new {
        return;
    }
    let timers = &mut decision.timers;
    timers.extend(old.map(|armed| TimerChange::Disarm(old_of, armed)));
    timers.extend(new.map(|armed| TimerChange::Arm(new_of, armed)));
}
