//! A reducer's decision: guards, transition, actions, timer.

mod act;
mod choose;
mod step;

use alloc::format;

use onex_contract::graph::roots::reducer::{COUNT, ENTITY, ENVELOPE, NOW, PAYLOAD, STATE};
use onex_contract::graph::{Body, Graph, NodeIndex, Reducer, Transition, Trigger};
use onex_expr::{EvalError, Fuel, Template, Text, Value};

use crate::decision::{RowWrite, TimerChange, TimerOf};
use crate::row::{Armed, Entity, Reason, Refused};
use crate::{Circumstances, Decision, Draft, Fault, Message, Verdict, ask};
use choose::Choice;
pub use step::{ending, failed};

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
            if template.uses(ENVELOPE) {
                roots[ENVELOPE] = message.envelope().to_value();
            }
            roots[NOW] = message.time.to_value();
            ask::data(template, &roots, &mut Fuel(fuel)).map_err(|error| Fault {
                reason: ask::reason(&error, Reason::NoKey),
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
            value.kind_name()
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
        Some(entity) => reducer.states.iter().position(|one| one.name == entity.state),
        None => Some(usize::from(reducer.initial_state)),
    };
    let Some(state) = state else {
        return dead(Reason::Unhandled, format!("{name} has no such state any more"));
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
        draft: Draft::new(delivery.message.id, name.clone(), delivery.message.generation),
    };
    if case.is_timeout() && !case.is_current() {
        return Decision::new(Verdict::Ignored("stale_timer".into()));
    }
    case.roots[PAYLOAD] = delivery.message.payload.value.clone();
    case.roots[NOW] = at.now.to_value();
    let data = delivery.entity.map_or(&reducer.initial_data, |entity| &entity.data);
    case.roots[STATE] = data.clone();
    match case.choose() {
        Choice::Take(transition) => match case.take(transition) {
            Ok(entity) => case.applied(entity),
            Err(fault) => Decision::new(Verdict::Dead(fault)),
        },
        Choice::Leave(verdict) => case.left(verdict),
    }
}

fn dead(reason: Reason, detail: alloc::string::String) -> Decision {
    Decision::new(Verdict::Dead(Fault { reason, detail: detail.into() }))
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

    /// Builds the roots that are built only for those who read them.
    fn see(&mut self, template: &Template) {
        if self.roots[ENVELOPE].is_null() && template.uses(ENVELOPE) {
            self.roots[ENVELOPE] = self.delivery.message.envelope().to_value();
        }
        if self.roots[ENTITY].is_null() && template.uses(ENTITY) {
            self.roots[ENTITY] = self.entity_root(&self.entity());
        }
    }

    fn entity_root(&self, entity: &Entity) -> Value {
        let text = |text: &Text| Value::String(text.clone());
        Value::map([
            ("key", text(self.delivery.key)),
            ("state", text(&entity.state)),
            ("previous_state", entity.previous_state.as_ref().map_or(Value::Null, text)),
            ("version", Value::Int(i64::try_from(entity.version).unwrap_or(i64::MAX))),
            ("since", entity.since.to_value()),
            ("timer", entity.timer.map_or(Value::Null, |timer| timer.due.to_value())),
        ])
    }

    fn is_timeout(&self) -> bool {
        self.reducer.timeout_trigger == Some(self.delivery.trigger)
    }

    /// Whether a timeout is that of the armed timer: it fires for the visit that armed it, never for
    /// a later one. One that is put back may come late, and its times may be text by then.
    fn is_current(&self) -> bool {
        let armed = self.delivery.entity.and_then(|entity| entity.timer);
        let due = self.delivery.message.payload.value.get("due_at");
        armed.is_some_and(|armed| {
            due.is_none_or(|due| due.to_json() == armed.due.to_value().to_json())
        })
    }

    /// Exit actions, those of the transition, the timer, entry actions.
    fn take(&mut self, transition: &Transition) -> Result<Entity, Fault> {
        let reducer = self.reducer;
        let mut entity = self.entity();
        let target = transition.to_state.map(|state| &reducer.states[usize::from(state)]);
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
                if !state.entry_actions.is_empty() {
                    self.roots[ENTITY] = self.entity_root(&entity);
                    self.act(&state.entry_actions)?;
                }
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
        self.see(template);
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
        reason: ask::reason(error, reason),
        detail: Text::new(format!("{place}: {}", error.message)),
    }
}
