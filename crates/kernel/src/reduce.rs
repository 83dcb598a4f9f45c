//! A reducer's decision: guards, transition, actions, timer.

use alloc::format;
use alloc::vec::Vec;

use onex_contract::graph::roots::reducer::{
    COUNT, ENTITY, ENVELOPE, INDEX, ITEM, NOW, PAYLOAD, STATE,
};
use onex_contract::graph::{
    Action, ActionWork, Body, Graph, NodeIndex, OnUnhandled, Reducer, Transition, Trigger,
};
use onex_expr::{EvalError, Fuel, Key, Map, Template, Text, Value};

use crate::decision::{RowWrite, TimerChange, TimerOf};
use crate::row::{Armed, Entity, Owner, Reason, Refused};
use crate::{Circumstances, Decision, Draft, Fault, Intended, Message, Produced, Verdict, ask};

/// Fields of a payload that name its entity when the contract does not say how.
const KEY_FIELDS: [&str; 3] = ["entity_id", "node_id", "session_id"];

/// What is delivered to a reducer.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Index of the trigger.
    pub trigger: u16,
    /// The entity's key.
    pub key: &'a Text,
    /// The entity, when it exists.
    pub entity: Option<&'a Entity>,
    /// The message.
    pub message: &'a Message,
}

/// The key of the entity that a message is for: 1 to 512 bytes. Without an expression the first
/// that is there and not null of entity_id, node_id, session_id, else the correlation id.
pub fn entity_key(trigger: &Trigger, message: &Message, fuel: u64) -> Result<Text, Fault> {
    let payload = &message.payload.value;
    let value = match &trigger.entity_key {
        Some(template) => {
            let mut roots = no_roots();
            roots[PAYLOAD] = payload.clone();
            roots[ENVELOPE] = message.envelope();
            roots[NOW] = message.time.to_value();
            ask::data(template, &roots, &mut Fuel(fuel)).map_err(|error| Fault {
                reason: if ask::is_limit(&error) {
                    Reason::Exceeded
                } else {
                    Reason::NoKey
                },
                detail: Text::new(format!("entity_key: {}", error.message)),
            })?
        }
        None => {
            let field = |name: &&str| payload.get(name).filter(|value| !value.is_null());
            match KEY_FIELDS.iter().find_map(field) {
                Some(value) => value.clone(),
                None => Value::text(format!("{}", message.correlation_id)),
            }
        }
    };
    ask::key(&value).ok_or_else(|| Fault {
        reason: Reason::NoKey,
        detail: Text::new(format!(
            "an entity's key is text or an integer of 1 to 512 bytes, this is {}",
            value.type_name()
        )),
    })
}

/// Decides on one message, or on the entity's timer (the trigger is then `timeout` and the message's
/// payload `{state, armed_at, due_at}`). A timer that was delivered is used up, also where the
/// transition is refused or ignores it.
pub fn reduce(
    graph: &Graph,
    node: NodeIndex,
    delivery: Delivery<'_>,
    at: &Circumstances,
) -> Decision {
    let name = &graph.node(node).name;
    let Body::Reducer(reducer) = &graph.node(node).body else {
        return dead(Reason::NoRoute, format!("{name} is no reducer"));
    };
    let state = match delivery.entity {
        Some(entity) => reducer
            .states
            .iter()
            .position(|one| one.name == entity.state),
        None => Some(usize::from(reducer.initial_state)),
    };
    let Some(state) = state else {
        return dead(
            Reason::Unhandled,
            format!("{name} has no such state any more"),
        );
    };
    let mut case = Case {
        graph,
        name,
        reducer,
        delivery,
        at,
        state,
        roots: no_roots(),
        fuel: Fuel(at.fuel),
        draft: Draft::new(
            delivery.message.id,
            name.clone(),
            delivery.message.generation,
        ),
    };
    case.roots[PAYLOAD] = delivery.message.payload.value.clone();
    case.roots[ENVELOPE] = delivery.message.envelope();
    case.roots[NOW] = at.now.to_value();
    case.roots[STATE] = case.entity().data;
    case.roots[ENTITY] = case.entity_root(&case.entity());
    match case.choose() {
        Choice::Take(transition) => match case.take(transition) {
            Ok(entity) => case.applied(entity),
            Err(fault) => Decision::new(Verdict::Dead(fault)),
        },
        Choice::Leave(verdict) => case.left(verdict),
    }
}

fn dead(reason: Reason, detail: alloc::string::String) -> Decision {
    Decision::new(Verdict::Dead(Fault {
        reason,
        detail: detail.into(),
    }))
}

fn no_roots() -> [Value; COUNT] {
    core::array::from_fn(|_| Value::Null)
}

/// One delivery being decided.
struct Case<'a> {
    graph: &'a Graph,
    name: &'a Text,
    reducer: &'a Reducer,
    delivery: Delivery<'a>,
    at: &'a Circumstances,
    /// Index of the state that the entity is in.
    state: usize,
    roots: [Value; COUNT],
    fuel: Fuel,
    draft: Draft,
}

/// What the transitions say to a delivery.
enum Choice<'a> {
    Take(&'a Transition),
    Leave(Verdict),
}

impl<'a> Case<'a> {
    /// The entity as it is, or as it comes into being.
    fn entity(&self) -> Entity {
        self.delivery.entity.cloned().unwrap_or_else(|| Entity {
            state: self.reducer.states[self.state].name.clone(),
            previous_state: None,
            version: 0,
            since: self.at.now,
            data: self.reducer.initial_data.clone(),
            timer: None,
            armings: 0,
            offset: self.at.offset,
            last_refusal: None,
            updated_at: self.at.now,
            correlation_id: self.delivery.message.correlation_id,
        })
    }

    fn entity_root(&self, entity: &Entity) -> Value {
        let text = |text: &Text| Value::String(text.clone());
        Value::map([
            ("key", text(self.delivery.key)),
            ("state", text(&entity.state)),
            (
                "previous_state",
                entity.previous_state.as_ref().map_or(Value::Null, text),
            ),
            (
                "version",
                Value::Int(i64::try_from(entity.version).unwrap_or(i64::MAX)),
            ),
            ("since", entity.since.to_value()),
            (
                "timer",
                entity
                    .timer
                    .map_or(Value::Null, |timer| timer.due.to_value()),
            ),
        ])
    }

    fn is_timeout(&self) -> bool {
        self.reducer.timeout_trigger == Some(self.delivery.trigger)
    }

    /// The first candidate whose guards hold. A guard that fails while running ends the search: no
    /// later candidate is tried.
    fn choose(&mut self) -> Choice<'a> {
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
        let trigger = self
            .reducer
            .triggers
            .get(usize::from(self.delivery.trigger));
        trigger
            .map(|trigger| trigger.name.clone())
            .unwrap_or_default()
    }

    /// The name of the first guard that does not hold.
    fn refusing_guard(&mut self, transition: &Transition) -> Result<Option<Text>, Fault> {
        for guard in &transition.guards {
            match ask::truth(&guard.condition, &self.roots, &mut self.fuel) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(guard.name.clone())),
                Err(error) => return Err(fault(Reason::GuardError, &guard.name, &error)),
            }
        }
        Ok(None)
    }

    /// Exit actions, those of the transition, the timer, entry actions.
    fn take(&mut self, transition: &Transition) -> Result<Entity, Fault> {
        let reducer = self.reducer;
        let mut entity = self.entity();
        let target = transition
            .to_state
            .map(|state| &reducer.states[usize::from(state)]);
        if target.is_some() {
            self.act(&reducer.states[self.state].exit_actions)?;
        }
        self.act(&transition.actions)?;
        entity.version += 1;
        entity.offset = self.at.offset;
        entity.updated_at = self.at.now;
        entity.correlation_id = self.delivery.message.correlation_id;
        if self.is_timeout() {
            self.disarm(&mut entity);
        }
        match target {
            Some(state) => {
                self.disarm(&mut entity);
                entity.previous_state =
                    Some(core::mem::replace(&mut entity.state, state.name.clone()));
                entity.since = self.at.now;
                self.arm(&mut entity, state.timeout_ms.as_ref(), state.waits_forever)?;
                self.roots[ENTITY] = self.entity_root(&entity);
                self.act(&state.entry_actions)?;
            }
            // It comes into being in the initial state: this visit begins now.
            None if self.delivery.entity.is_none() => {
                let state = &reducer.states[self.state];
                self.arm(&mut entity, state.timeout_ms.as_ref(), state.waits_forever)?;
            }
            None => {}
        }
        entity.data = self.roots[STATE].clone();
        Ok(entity)
    }

    fn disarm(&mut self, entity: &mut Entity) {
        if let Some(armed) = entity.timer.take() {
            let change = TimerChange::Disarm(TimerOf::Instance, armed);
            self.draft.decision.timers.push(change);
        }
    }

    fn arm(
        &mut self,
        entity: &mut Entity,
        timeout_ms: Option<&Template>,
        may_be_null: bool,
    ) -> Result<(), Fault> {
        let Some(template) = timeout_ms else {
            return Ok(());
        };
        let failed = |error: &EvalError| fault(Reason::ExpressionError, "timeout_ms", error);
        let value = ask::data(template, &self.roots, &mut self.fuel).map_err(|e| failed(&e))?;
        if value.is_null() && may_be_null {
            return Ok(());
        }
        let timeout_ms = ask::milliseconds(&value, 1).map_err(|e| failed(&e))?;
        entity.armings += 1;
        let armed = Armed {
            arming: entity.armings,
            armed_at: self.at.now,
            due: self.at.now.plus_ms(timeout_ms),
        };
        entity.timer = Some(armed);
        let change = TimerChange::Arm(TimerOf::Instance, armed);
        self.draft.decision.timers.push(change);
        Ok(())
    }

    fn act(&mut self, actions: &[Action]) -> Result<(), Fault> {
        for action in actions {
            let Some(template) = &action.for_each else {
                self.work(&action.work)?;
                continue;
            };
            let items = ask::items(template, &self.roots, &mut self.fuel)
                .map_err(|error| fault(Reason::ExpressionError, "for_each", &error))?;
            for (index, item) in (0..).zip(items) {
                self.roots[ITEM] = item;
                self.roots[INDEX] = Value::Int(index);
                self.work(&action.work)?;
            }
            self.roots[ITEM] = Value::Null;
            self.roots[INDEX] = Value::Null;
        }
        Ok(())
    }

    fn work(&mut self, work: &ActionWork) -> Result<(), Fault> {
        match work {
            ActionWork::StateUpdate(fields) => self.update(fields),
            ActionWork::Intent {
                topic,
                performer,
                payload,
                ..
            } => {
                let payload = self.payload(topic, payload)?;
                let intent = Intended {
                    id: self.draft.next_id(),
                    generation: 0,
                    topic: topic.clone(),
                    key: Some(self.delivery.key.clone()),
                    performer: *performer,
                    payload,
                    owner: Owner::Entity {
                        node: self.name.clone(),
                        key: self.delivery.key.clone(),
                    },
                };
                self.draft.decision.messages.push(Produced::Intent(intent));
                Ok(())
            }
            ActionWork::Event { topic, payload } => {
                let payload = self.payload(topic, payload)?;
                let key = Some(self.delivery.key.clone());
                self.draft.publish(topic.clone(), key, payload);
                Ok(())
            }
        }
    }

    /// Every expression sees the data as it was before.
    fn update(&mut self, fields: &[(Text, Template)]) -> Result<(), Fault> {
        let mut data = match &self.roots[STATE] {
            Value::Map(data) => data.as_ref().clone(),
            _ => Map::default(),
        };
        for (name, template) in fields {
            let value = template
                .render(&self.roots, &mut self.fuel)
                .map_err(|error| fault(Reason::ExpressionError, name, &error))?;
            if let Some(value) = value {
                data.insert(Key::String(name.clone()), value);
            }
        }
        self.roots[STATE] = Value::Map(data.into());
        Ok(())
    }

    /// What is sent must be what the topic's producers promise.
    fn payload(&mut self, topic: &Text, template: &Template) -> Result<Value, Fault> {
        let payload = ask::data(template, &self.roots, &mut self.fuel)
            .map_err(|error| fault(Reason::ExpressionError, topic, &error))?;
        ask::promised(self.graph, topic, &payload).map_err(|detail| Fault {
            reason: Reason::ExpressionError,
            detail,
        })?;
        Ok(payload)
    }

    fn applied(mut self, entity: Entity) -> Decision {
        self.draft.decision.writes.push(RowWrite::Entity(entity));
        self.draft.decision
    }

    /// Nothing is taken: an existing entity remembers a refusal, and that its timer is used up.
    fn left(mut self, verdict: Verdict) -> Decision {
        let Some(mut entity) = self.delivery.entity.cloned() else {
            return Decision::new(verdict);
        };
        let mut changed = self.is_timeout();
        match &verdict {
            Verdict::Dead(_) => return Decision::new(verdict),
            Verdict::Refused { trigger, guard } => {
                entity.last_refusal = Some(Refused {
                    offset: self.at.offset,
                    trigger: trigger.clone(),
                    guard: guard.clone(),
                });
                changed = true;
            }
            Verdict::Ignored(_) | Verdict::Applied => {}
        }
        if self.is_timeout() {
            self.disarm(&mut entity);
        }
        if changed {
            self.draft.decision.writes.push(RowWrite::Entity(entity));
        }
        self.draft.decision.verdict = verdict;
        self.draft.decision
    }
}

fn fault(reason: Reason, place: &str, error: &EvalError) -> Fault {
    Fault {
        reason: if ask::is_limit(error) {
            Reason::Exceeded
        } else {
            reason
        },
        detail: Text::new(format!("{place}: {}", error.message)),
    }
}
