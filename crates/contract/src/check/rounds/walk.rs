//! Follows messages through the states of the machines that hear them, until they come back to
//! where they were.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::hops::{Hop, Hops, Message};
use super::loops::loops;
use crate::check::reachable::reached;

/// The most places that are looked at: what goes round through more states than that is not judged.
const PLACES_MAX: usize = 20_000;

/// The states of the machines met so far, by contract; of those that have only one, none.
pub(super) type States = BTreeMap<usize, usize>;

/// One hop of a round.
#[derive(Clone, Debug)]
pub(super) struct Step<'s> {
    /// What was heard.
    pub from: Message<'s>,
    /// The states that machines on the way were in.
    pub states: States,
    /// What came of it.
    pub hop: Hop<'s>,
}

/// Every round, each by a shortest way, from the first of its names on. Of rounds that share
/// places one is told: one in which messages multiply, if there is any.
pub(super) fn rounds<'s>(hops: &Hops<'s, '_>) -> Vec<Vec<Step<'s>>> {
    let mut found: Vec<Vec<Step<'s>>> = Vec::new();
    let mut told: BTreeSet<Message<'s>> = BTreeSet::new();
    let mut budget = PLACES_MAX;
    let near = Near::of(hops);
    for group in near.groups() {
        for start in &group {
            if told.contains(start) {
                continue;
            }
            let mut places =
                Places { hops, group: &group, known: BTreeMap::new(), all: Vec::new() };
            places.follow(*start, &mut budget);
            for round in places.rounds() {
                told.extend(round.iter().map(|step| step.from));
                found.push(round);
            }
        }
    }
    found
}

/// What may come of each message, in whatever states machines are.
struct Near<'s> {
    messages: Vec<Message<'s>>,
    next: Vec<Vec<usize>>,
}

impl<'s> Near<'s> {
    fn of(hops: &Hops<'s, '_>) -> Near<'s> {
        let mut near: BTreeMap<Message<'s>, Vec<Message<'s>>> = BTreeMap::new();
        let mut open = hops.all();
        while let Some(message) = open.pop() {
            if near.contains_key(&message) {
                continue;
            }
            let stateless = hops.stateless(message).into_iter();
            let mut next: Vec<Message<'s>> = stateless.map(|hop| hop.to).collect();
            for node in hops.hearing(message) {
                for state in states(hops, node) {
                    let moves = hops.moves(node, state, message);
                    next.extend(moves.iter().flat_map(|m| &m.hops).map(|hop| hop.to));
                }
            }
            next.sort_unstable();
            next.dedup();
            open.extend(&next);
            near.insert(message, next);
        }
        let messages: Vec<Message<'s>> = near.keys().copied().collect();
        let index = |to: &Message<'s>| messages.binary_search(to).ok();
        let next = near.values().map(|next| next.iter().filter_map(index).collect()).collect();
        Near { next, messages }
    }

    /// The messages of each cycle of these, in order.
    fn groups(&self) -> Vec<BTreeSet<Message<'s>>> {
        let named = |group: Vec<usize>| group.into_iter().map(|at| self.messages[at]).collect();
        loops(&self.next).into_iter().map(named).collect()
    }
}

/// The states that a machine can be in.
fn states(hops: &Hops<'_, '_>, node: usize) -> Vec<usize> {
    let machine = hops.system.contracts[node].state_machine.as_ref();
    let reached = machine.map(reached).unwrap_or_default();
    (0..reached.len()).filter(|state| reached[*state]).collect()
}

/// Messages with the states in which they find the machines.
struct Places<'p, 's, 'a> {
    hops: &'p Hops<'s, 'a>,
    /// Messages of one cycle; no other is followed.
    group: &'p BTreeSet<Message<'s>>,
    known: BTreeMap<(Message<'s>, States), usize>,
    all: Vec<Place<'s>>,
}

struct Place<'s> {
    message: Message<'s>,
    /// Where each hop leads, with the states before it.
    next: Vec<(usize, States, Hop<'s>)>,
}

impl<'s> Places<'_, 's, '_> {
    /// Finds every place that one message leads to.
    fn follow(&mut self, start: Message<'s>, budget: &mut usize) {
        let mut open = VecDeque::from([(start, States::new())]);
        self.place(&(start, States::new()));
        while let Some((message, states)) = open.pop_front() {
            if *budget == 0 {
                return;
            }
            *budget -= 1;
            let Some(&at) = self.known.get(&(message, states.clone())) else { continue };
            for (before, after, hop) in self.hops_from(message, &states) {
                if !self.group.contains(&hop.to) {
                    continue;
                }
                let there = (hop.to, after);
                let new = !self.known.contains_key(&there);
                let to = self.place(&there);
                self.all[at].next.push((to, before, hop));
                if new {
                    open.push_back(there);
                }
            }
        }
    }

    fn place(&mut self, place: &(Message<'s>, States)) -> usize {
        if let Some(at) = self.known.get(place) {
            return *at;
        }
        self.known.insert(place.clone(), self.all.len());
        self.all.push(Place { message: place.0, next: Vec::new() });
        self.all.len() - 1
    }

    /// What comes of a message: the states before and after, and the hop.
    fn hops_from(&self, message: Message<'s>, states: &States) -> Vec<(States, States, Hop<'s>)> {
        let stateless = self.hops.stateless(message).into_iter();
        let mut found: Vec<(States, States, Hop<'s>)> =
            stateless.map(|hop| (states.clone(), states.clone(), hop)).collect();
        for node in self.hops.hearing(message) {
            let all = self::states(self.hops, node);
            let possible = states.get(&node).map_or(all.clone(), |state| vec![*state]);
            for state in possible {
                for made in self.hops.moves(node, state, message) {
                    let with = |state: usize| {
                        let mut with = states.clone();
                        if all.len() > 1 {
                            with.insert(node, state);
                        }
                        with
                    };
                    let (before, after) = (with(state), with(made.to));
                    let hops = made.hops.into_iter();
                    found.extend(hops.map(|hop| (before.clone(), after.clone(), hop)));
                }
            }
        }
        found
    }

    /// A round of each cycle of places.
    fn rounds(&self) -> Vec<Vec<Step<'s>>> {
        let next: Vec<Vec<usize>> =
            self.all.iter().map(|place| place.next.iter().map(|(to, ..)| *to).collect()).collect();
        loops(&next).into_iter().filter_map(|cycle| self.round(&cycle)).collect()
    }

    /// A shortest way round in a cycle: over a hop that makes many of one, or from its first name.
    fn round(&self, cycle: &[usize]) -> Option<Vec<Step<'s>>> {
        let inside: BTreeSet<usize> = cycle.iter().copied().collect();
        let many = |at: &&usize| {
            let hops = self.all[**at].next.iter();
            hops.into_iter().any(|(to, _, hop)| hop.fans_out && inside.contains(to))
        };
        let named = cycle.iter().min_by_key(|at| self.all[**at].message)?;
        let start = *cycle.iter().find(many).unwrap_or(named);
        let mut came: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut queue = VecDeque::new();
        let first =
            self.all[start].next.iter().any(|(to, _, hop)| hop.fans_out && inside.contains(to));
        for (index, (to, _, hop)) in self.all[start].next.iter().enumerate() {
            if inside.contains(to) && (hop.fans_out || !first) && !came.contains_key(to) {
                came.insert(*to, (start, index));
                queue.push_back(*to);
            }
        }
        while let Some(at) = queue.pop_front() {
            if at == start {
                break;
            }
            for (index, (to, ..)) in self.all[at].next.iter().enumerate() {
                if inside.contains(to) && !came.contains_key(to) {
                    came.insert(*to, (at, index));
                    queue.push_back(*to);
                }
            }
        }
        self.way_back(start, &came)
    }

    fn way_back(
        &self,
        start: usize,
        came: &BTreeMap<usize, (usize, usize)>,
    ) -> Option<Vec<Step<'s>>> {
        let mut steps = Vec::new();
        let mut at = start;
        loop {
            let (before, index) = *came.get(&at)?;
            let (_, states, hop) = &self.all[before].next[index];
            let from = self.all[before].message;
            steps.push(Step { from, states: states.clone(), hop: *hop });
            at = before;
            if at == start {
                break;
            }
        }
        steps.reverse();
        let first = (0..steps.len()).min_by_key(|at| steps[*at].from)?;
        steps.rotate_left(first);
        Some(steps)
    }
}
