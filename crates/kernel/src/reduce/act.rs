//! What a transition's actions do: set data, emit intents, publish events.

use onex_contract::graph::roots::reducer::{INDEX, ITEM, STATE};
use onex_contract::graph::{Action, ActionWork};
use onex_expr::{Key, Map, Template, Text, Value};

use super::{Case, fault};
use crate::row::{Owner, Reason};
use crate::{Fault, Intended, Produced, ask};

impl Case<'_> {
    pub(super) fn act(&mut self, actions: &[Action]) -> Result<(), Fault> {
        for action in actions {
            let Some(template) = &action.for_each else {
                self.work(&action.work)?;
                continue;
            };
            self.see(template);
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
            ActionWork::Intent { topic, performer, payload, .. } => {
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
            self.see(template);
            let value = template
                .render(&self.roots, &mut self.fuel)
                .map_err(|error| fault(Reason::ExpressionError, name, &error))?;
            if let Some(value) = value {
                ask::pay(&value, &mut self.fuel)
                    .map_err(|error| fault(Reason::ExpressionError, name, &error))?;
                data.insert(Key::String(name.clone()), value);
            }
        }
        self.roots[STATE] = Value::Map(data.into());
        Ok(())
    }

    /// What is sent must be what the topic's producers promise.
    fn payload(&mut self, topic: &Text, template: &Template) -> Result<Value, Fault> {
        self.see(template);
        let payload = ask::data(template, &self.roots, &mut self.fuel)
            .map_err(|error| fault(Reason::ExpressionError, topic, &error))?;
        ask::promised(self.graph, topic, &payload)
            .map_err(|detail| Fault { reason: Reason::ExpressionError, detail })?;
        Ok(payload)
    }
}
