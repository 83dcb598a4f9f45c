//! Draws reducers and effects.

use super::clock::{BEGIN_SECOND, Timing};
use super::{
    Action, Effect, Guard, Missed, On, Operation, Reducer, Schedule, State, System, Transition,
    Trigger, Work,
};
use crate::random::Random;

impl System {
    /// The system of a seed.
    pub fn draw(random: &mut Random) -> System {
        let mut system = System { topics: 3 + random.index(5), ..System::default() };
        let (reducers, effects) = (1 + random.index(3), 1 + random.index(2));
        let workflows = random.index(4);
        for _ in 0..effects {
            let effect = system.effect(random);
            system.effects.push(effect);
        }
        // Workflows begin only those before them, so that none begins itself.
        for index in 0..workflows {
            let workflow = system.workflow(random, index, reducers);
            system.workflows.push(workflow);
        }
        for index in 0..reducers {
            let reducer = system.reducer(random, index);
            system.reducers.push(reducer);
        }
        system.hear(random);
        system
    }

    pub(super) fn topic(&self, random: &mut Random) -> usize {
        random.index(self.topics)
    }

    fn effect(&self, random: &mut Random) -> Effect {
        let mut heard = Vec::new();
        let mut operations = Vec::new();
        for _ in 0..1 + random.index(3) {
            let operation = self.operation(random, &mut heard);
            operations.push(operation);
        }
        Effect { operations }
    }

    fn operation(&self, random: &mut Random, heard: &mut Vec<usize>) -> Operation {
        let on = match random.below(5) {
            0 => On::Step,
            1 => {
                let topic = self.topic(random);
                // A topic has one operation of an effect.
                if heard.contains(&topic) {
                    On::Intent
                } else {
                    heard.push(topic);
                    On::Topic(topic)
                }
            }
            _ => On::Intent,
        };
        let topic = |random: &mut Random| self.topic(random);
        Operation {
            on,
            idempotent: random.percent(70),
            ordered: random.percent(75),
            max_retries: random.below(4) as u32,
            attempt_timeout_ms: random.one_of(&[310, 620, 1240]),
            timeout_ms: random.one_of(&[1570, 4100, 9300]),
            breaker: random.maybe(20, |random| 1 + random.below(3) as u32),
            outcome: random.maybe(50, topic),
            refusal: random.maybe(40, topic),
            exhausted: random.maybe(40, topic),
        }
    }

    fn reducer(&self, random: &mut Random, index: usize) -> Reducer {
        let count = 2 + random.index(4);
        let mut subscribes: Vec<usize> =
            (0..1 + random.index(3)).map(|_| self.topic(random)).collect();
        subscribes.sort_unstable();
        subscribes.dedup();
        let schedules = subscribes.iter().filter_map(|topic| self.schedule(random, *topic));
        let schedules = schedules.collect();
        let mut reducer = Reducer {
            subscribes,
            schedules,
            states: (0..count).map(|at| self.state(random, at, count)).collect(),
            transitions: Vec::new(),
            ignores_unhandled: random.percent(30),
        };
        for trigger in reducer.subscribes.clone() {
            for _ in 0..1 + random.index(4) {
                self.transition(random, &mut reducer, Trigger::Topic(trigger));
            }
        }
        let mut steps = self.workflows.iter().flat_map(|workflow| &workflow.steps);
        if steps.any(|step| step.work == Work::Poke { reducer: index }) {
            for _ in 0..1 + random.index(2) {
                self.transition(random, &mut reducer, Trigger::Poke);
            }
        }
        for at in 0..count {
            if reducer.states[at].timeout_ms.is_some() {
                self.timeout(random, &mut reducer, at);
            }
        }
        reducer
    }

    /// What it says beside the load reaches only who does not look at it.
    fn schedule(&self, random: &mut Random, topic: usize) -> Option<Schedule> {
        let mut operations = self.effects.iter().flat_map(|effect| &effect.operations);
        let shown = operations.any(|one| one.on == On::Topic(topic))
            || self.workflows.iter().any(|one| one.listens(topic));
        if shown || !random.percent(15) {
            return None;
        }
        let timing = if random.percent(70) {
            let all = BEGIN_SECOND + 1..60;
            let (mut at, step) = (BEGIN_SECOND + 1 + random.below(20), 1 + random.below(9));
            let mut seconds = Vec::new();
            while all.contains(&at) && seconds.len() < 6 {
                seconds.push(at);
                at += step;
            }
            Timing::Daily(seconds)
        } else {
            Timing::Once(1 + random.below(200))
        };
        let missed = random.one_of(&[Missed::One, Missed::All, Missed::None]);
        Some(Schedule { topic, load: super::draw_ops::load(random), timing, missed })
    }

    fn state(&self, random: &mut Random, at: usize, count: usize) -> State {
        let terminal = at > 0 && at + 1 == count && random.percent(60);
        let entry = if !terminal && random.percent(20) { vec![Action::Tick] } else { Vec::new() };
        let timeout_ms = random.maybe(40, |random| 400 + 37 * random.below(100));
        State { timeout_ms: timeout_ms.filter(|_| !terminal), terminal, entry }
    }

    fn transition(&self, random: &mut Random, reducer: &mut Reducer, trigger: Trigger) {
        let count = reducer.states.len();
        let mut from: Vec<usize> = (0..count).filter(|_| random.percent(45)).collect();
        let to = random.maybe(65, |random| random.index(count));
        from.retain(|state| to.is_none() || !reducer.states[*state].terminal);
        if from.is_empty() {
            from.push(0);
        }
        if random.percent(25) {
            from.clear();
        }
        let mut guards: Vec<Guard> = Vec::new();
        if random.percent(35) {
            guards.push(match random.below(4) {
                0 => Guard::Quotient(random.between(-5, 20)),
                1 => Guard::Below(random.between(0, 60)),
                _ => Guard::AtLeast(random.between(-3, 15)),
            });
        }
        let mut actions = Vec::new();
        if random.percent(85) {
            actions.push(Action::Add);
            self.sends(random, &mut guards, &mut actions);
        }
        let priority = reducer.transitions.len();
        reducer.transitions.push(Transition { from, to, trigger, guards, actions, priority });
    }

    /// A timeout leads on, never back: alone it comes to an end.
    fn timeout(&self, random: &mut Random, reducer: &mut Reducer, at: usize) {
        let later = at + 1..reducer.states.len();
        let to = random.maybe(80, |random| random.index(reducer.states.len()));
        let to = to.filter(|to| later.contains(to));
        let guard = random.maybe(20, |random| Guard::Below(random.between(0, 60)));
        let (mut guards, mut actions) = (guard.into_iter().collect::<Vec<_>>(), Vec::new());
        if random.percent(80) {
            self.sends(random, &mut guards, &mut actions);
            actions.push(Action::Tick);
        }
        let priority = reducer.transitions.len();
        let trigger = Trigger::Timeout;
        let from = vec![at];
        reducer.transitions.push(Transition { from, to, trigger, guards, actions, priority });
    }

    /// What is sent, guarded so that it comes to an end.
    fn sends(&self, random: &mut Random, guards: &mut Vec<Guard>, actions: &mut Vec<Action>) {
        let before = actions.len();
        for _ in 0..random.index(3) {
            let intents: Vec<(usize, usize)> = self
                .effects
                .iter()
                .enumerate()
                .flat_map(|(at, effect)| {
                    let operations = effect.operations.iter().enumerate();
                    let on = operations.filter(|(_, one)| one.on == On::Intent);
                    on.map(move |(operation, _)| (at, operation))
                })
                .collect();
            let begun: Vec<usize> =
                (0..self.workflows.len()).filter(|at| self.workflows[*at].on_intent).collect();
            actions.push(match random.below(5) {
                0 | 1 if !intents.is_empty() => {
                    let (effect, operation) = random.one_of(&intents);
                    Action::Intent { effect, operation }
                }
                2 if !begun.is_empty() => Action::Begin { workflow: random.one_of(&begun) },
                _ => Action::Event { topic: self.topic(random), times: random.one_of(&[1, 1, 2]) },
            });
        }
        if actions.len() > before {
            guards.insert(0, Guard::Deep);
        }
    }
}
