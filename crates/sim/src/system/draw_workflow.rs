//! Draws workflows.

use super::{Number, OnError, Recovery, Step, System, Work, Workflow};
use crate::random::Random;

impl System {
    /// Some subscribe without beginning anything, among them those that their runs listen to.
    pub(super) fn hear(&mut self, random: &mut Random) {
        for workflow in &mut self.workflows {
            let topics = (0..self.topics).filter(|topic| {
                let percent = if workflow.listens(*topic) { 40 } else { 8 };
                random.percent(percent) && !workflow.subscribes.contains(topic)
            });
            workflow.hears = topics.collect();
        }
    }

    pub(super) fn workflow(&self, random: &mut Random, index: usize, reducers: usize) -> Workflow {
        let mut subscribes: Vec<usize> = (0..random.index(3)).map(|_| self.topic(random)).collect();
        subscribes.sort_unstable();
        subscribes.dedup();
        let mut workflow = Workflow {
            subscribes,
            hears: Vec::new(),
            on_intent: random.percent(60),
            keyed: random.percent(30),
            timeout_ms: random.one_of(&[5_003, 20_011, 90_001]),
            recovery: random.one_of(&[
                Recovery::FailFast,
                Recovery::Compensate,
                Recovery::Compensate,
                Recovery::Retry,
            ]),
            sequential: random.percent(25),
            max_steps: random.maybe(15, |random| 1 + random.index(3)),
            steps: Vec::new(),
            cancel_on: random.maybe(15, |random| self.topic(random)),
            has_result: random.percent(50),
            completed: random.maybe(60, |random| self.topic(random)),
            failed: random.maybe(60, |random| self.topic(random)),
        };
        for _ in 0..1 + random.index(6) {
            let step = self.step(random, index, reducers, &workflow);
            workflow.steps.push(step);
        }
        // Most topics that begin it are not those that its runs listen to.
        let plan = workflow.clone();
        let stays = |topic: &usize| !plan.listens(*topic) || random.percent(20);
        workflow.subscribes.retain(stays);
        workflow
    }

    fn step(&self, random: &mut Random, index: usize, reducers: usize, of: &Workflow) -> Step {
        let at = of.steps.len();
        let work = self.work(random, index, reducers);
        let waits = matches!(work, Work::Wait { .. } | Work::WaitFor { .. });
        let fails = work == Work::Fail;
        let at_once = matches!(work, Work::Compute | Work::Publish { .. } | Work::Fail);
        let items = random.maybe(25, |random| {
            (0..random.index(4)).map(|_| random.one_of(&[1, 2, 3, 13])).collect()
        });
        let items = items.filter(|_| !waits && !fails);
        let depends_on: Vec<usize> = (0..at).filter(|_| random.percent(40)).collect();
        let single = depends_on.iter().copied().filter(|on| {
            let step = &of.steps[*on];
            let has_n =
                matches!(step.work, Work::Effect { .. } | Work::Publish { .. } | Work::Compute);
            step.items.is_none() && has_n
        });
        let single: Vec<usize> = single.collect();
        let number = match random.below(3) {
            0 if items.is_some() => Number::Item,
            1 if !single.is_empty() => Number::Of(random.one_of(&single)),
            _ => Number::Input,
        };
        let compensates = of.recovery == Recovery::Compensate;
        Step {
            work,
            depends_on,
            condition: random.maybe(15, |random| random.between(-2, 8)),
            timeout_ms: random
                .maybe(30, |random| 301 + 211 * random.below(20))
                .filter(|_| !at_once),
            on_error: random.one_of(&[
                OnError::Stop,
                OnError::Stop,
                OnError::Continue,
                OnError::Retry,
                OnError::Compensate,
            ]),
            items,
            max_parallel: 1 + random.index(3),
            number,
            undone: matches!(work, Work::Effect { .. })
                && random.percent(if compensates { 85 } else { 40 }),
        }
    }

    fn work(&self, random: &mut Random, index: usize, reducers: usize) -> Work {
        let effect = |random: &mut Random| {
            let effect = random.index(self.effects.len());
            let operation = random.index(self.effects[effect].operations.len());
            Work::Effect { effect, operation }
        };
        match random.below(20) {
            0..7 => effect(random),
            7 | 8 => Work::Compute,
            9..12 => Work::Poke { reducer: random.index(reducers) },
            12 | 13 if index > 0 => Work::Run { workflow: random.index(index) },
            14 => Work::Publish { topic: self.topic(random) },
            15 | 16 => Work::Wait { ms: random.one_of(&[0, 270, 1900]) },
            17 | 18 => Work::WaitFor {
                topic: self.topic(random),
                at_least: random.maybe(40, |random| random.between(0, 8)),
                timeout_ms: random.maybe(70, |random| 503 + 97 * random.below(40)),
            },
            19 => Work::Fail,
            _ => effect(random),
        }
    }
}
