//! State machines.

use onex_expr::Value;
use onex_kernel::Id;

use super::{Case, Ending, Entity, Model, Owner, What};
use crate::system::{Action, Guard, Load, Transition, Trigger};

/// What becomes of a delivery.
pub(super) enum Verdict {
    /// How the entity then is, and whether a transition was taken.
    Stands {
        key: String,
        entity: Option<Entity>,
        applied: bool,
    },
    Dead(&'static str),
}

impl Verdict {
    pub fn result(self) -> Result<(), &'static str> {
        match self {
            Verdict::Stands { .. } => Ok(()),
            Verdict::Dead(reason) => Err(reason),
        }
    }

    /// How the step of a run ends that asked for it.
    pub fn ending(self) -> Ending {
        let (key, entity, applied) = match self {
            Verdict::Dead(reason) => return Ending::Refused(reason.to_owned()),
            Verdict::Stands { key, entity, applied } => (key, entity, applied),
        };
        let entity = entity.unwrap_or_else(|| Entity::new(Id::default()));
        Ending::Done(Value::map([
            ("key", Value::text(key)),
            ("state", Value::text(format!("s{}", entity.state))),
            ("data", entity.data()),
            ("version", Value::Int(entity.version)),
            ("applied", Value::Bool(applied)),
        ]))
    }
}

impl Entity {
    pub fn new(story: Id) -> Entity {
        let (previous, timer) = (None, None);
        Entity { state: 0, previous, version: 0, sum: 0, seen: 0, d: 0, timer, spent: false, story }
    }

    pub fn data(&self) -> Value {
        let fields = [("sum", self.sum), ("seen", self.seen), ("d", self.d)];
        Value::map(fields.map(|(name, value)| (name, Value::Int(value))))
    }
}

impl Model {
    /// Delivers to an entity; `load` is absent at a timeout.
    pub(super) fn reduce(
        &mut self,
        reducer: usize,
        trigger: Trigger,
        key: &str,
        load: Option<&Load>,
        case: &mut Case,
    ) -> Verdict {
        if key.is_empty() {
            return Verdict::Dead("no_key");
        }
        let place = (reducer, key.to_owned());
        let before = self.entities.get(&place).cloned();
        let entity = before.clone().unwrap_or_else(|| Entity::new(case.story));
        let transition = match self.choose(reducer, trigger, &entity, load) {
            Err(reason) => {
                if let (Trigger::Timeout, Some(entity)) = (trigger, self.entities.get_mut(&place)) {
                    entity.spent = true;
                }
                return Verdict::Dead(reason);
            }
            Ok(Some(transition)) => transition,
            Ok(None) => {
                // Ignored or refused: a timer is used up all the same.
                if let (Trigger::Timeout, Some(entity)) = (trigger, self.entities.get_mut(&place)) {
                    entity.timer = None;
                }
                self.touch_entity(reducer, key);
                let entity = self.entities.get(&place).cloned();
                return Verdict::Stands { key: place.1, entity, applied: false };
            }
        };
        let entity =
            self.take(reducer, trigger, key, (before.is_none(), entity), &transition, load, case);
        self.entities.insert(place.clone(), entity.clone());
        self.touch_entity(reducer, key);
        Verdict::Stands { key: place.1, entity: Some(entity), applied: true }
    }

    /// The transition to take; none where it is ignored or refused.
    fn choose(
        &self,
        reducer: usize,
        trigger: Trigger,
        entity: &Entity,
        load: Option<&Load>,
    ) -> Result<Option<Transition>, &'static str> {
        let machine = &self.system.reducers[reducer];
        let terminal = machine.states[entity.state].terminal;
        let mut candidates: Vec<&Transition> = machine
            .transitions
            .iter()
            .filter(|one| one.trigger == trigger && (!terminal || one.to.is_none()))
            .filter(|one| one.from.is_empty() || one.from.contains(&entity.state))
            .collect();
        if candidates.iter().any(|one| !one.from.is_empty()) {
            candidates.retain(|one| !one.from.is_empty());
        }
        candidates.sort_by_key(|one| std::cmp::Reverse(one.priority));
        if candidates.is_empty() {
            let quiet = terminal || machine.ignores_unhandled;
            return if quiet { Ok(None) } else { Err("unhandled") };
        }
        for one in candidates {
            let mut holds = true;
            for guard in &one.guards {
                holds = holds && guard_holds(*guard, trigger, entity, load)?;
            }
            if holds {
                let acts = one.to.is_some() || !one.actions.is_empty();
                return Ok(acts.then(|| one.clone()));
            }
        }
        Ok(None)
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a transition sees")]
    fn take(
        &mut self,
        reducer: usize,
        trigger: Trigger,
        key: &str,
        (is_new, mut entity): (bool, Entity),
        transition: &Transition,
        load: Option<&Load>,
        case: &mut Case,
    ) -> Entity {
        for action in &transition.actions {
            self.act(reducer, key, &mut entity, *action, load, case);
        }
        entity.version += 1;
        entity.story = case.story;
        if trigger == Trigger::Timeout {
            entity.timer = None;
        }
        let states = self.system.reducers[reducer].states.clone();
        if let Some(to) = transition.to {
            entity.previous = Some(entity.state);
            entity.state = to;
            entity.spent = false;
            entity.timer = states[to].timeout_ms.map(|ms| self.now.plus_ms(ms));
            for action in &states[to].entry {
                self.act(reducer, key, &mut entity, *action, load, case);
            }
        } else if is_new {
            entity.timer = states[entity.state].timeout_ms.map(|ms| self.now.plus_ms(ms));
        }
        entity
    }

    fn act(
        &mut self,
        reducer: usize,
        key: &str,
        entity: &mut Entity,
        action: Action,
        load: Option<&Load>,
        case: &mut Case,
    ) {
        let sent = Load { k: key.to_owned(), n: entity.sum, d: entity.d - 1 };
        let owner = Owner::Entity(format!("r{reducer}"), key.to_owned());
        match action {
            Action::Add => {
                if let Some(load) = load {
                    entity.sum += load.n;
                    entity.seen += 1;
                    entity.d = load.d;
                }
            }
            Action::Tick => {
                entity.seen += 1;
                entity.d -= 1;
            }
            Action::Intent { effect, operation } => {
                let (operation, payload) = (Some(operation), sent.value());
                let what = What::Intent { effect, operation, payload, owner };
                self.send(case.next_id(), 0, case.story, what);
            }
            Action::Begin { workflow } => {
                let what = What::Begin { workflow, load: sent, owner: None };
                self.send(case.next_id(), 0, case.story, what);
            }
            Action::Event { topic, times } => {
                for _ in 0..times {
                    let what = What::Event { topic, load: sent.clone() };
                    self.send(case.next_id(), 0, case.story, what);
                }
            }
        }
    }
}

fn guard_holds(
    guard: Guard,
    trigger: Trigger,
    entity: &Entity,
    load: Option<&Load>,
) -> Result<bool, &'static str> {
    let (n, d) = load.map_or((0, 0), |load| (load.n, load.d));
    Ok(match guard {
        Guard::Deep if trigger == Trigger::Timeout => entity.d > 0,
        Guard::Deep => d > 0,
        Guard::AtLeast(least) => n >= least,
        Guard::Below(most) => entity.sum < most,
        Guard::Quotient(_) if n == 0 => return Err("guard_error"),
        Guard::Quotient(most) => 100 / n > most,
    })
}
