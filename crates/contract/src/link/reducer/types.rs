//! What is known before anything runs: which messages a machine hears, what its data holds.

use std::collections::BTreeMap;

use onex_expr::{Text, Type, Value};

use super::super::Linker;
use super::super::compute::fields;
use super::super::expression::Expressions;
use super::super::scope::{self, Roots};
use super::super::types::{misfits, name as type_name, object, of_initial, of_template, union};
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::roots::reducer as slot;
use crate::model::{ActionWork, At, Contract, Data, StateMachine, TIMEOUT, Transition, TriggerRef};
use crate::system::event_segment;

/// One trigger of a machine: a subscribed topic, or the timer.
pub(super) struct Heard<'a> {
    /// The event segment, or `timeout`.
    pub name: Text,
    /// `None`: the timer, or a step of a run.
    pub topic: Option<Text>,
    /// What is known of its payload.
    pub payload: Type,
    /// Whether it is the timer.
    pub is_timer: bool,
    /// The key of this topic's messages.
    pub entity_key: Option<Data<'a>>,
}

/// What is known of one machine.
pub(super) struct Known<'a> {
    /// Its triggers: each subscribed topic in the order written, then the timer.
    pub heard: Vec<Heard<'a>>,
    /// The type of its data.
    pub state: Type,
    unset: Vec<Text>,
}

/// The triggers of a machine: topics, those that steps of runs name, and the timer.
pub(super) fn heard<'a>(
    linker: &Linker<'_, '_, '_>,
    contract: &Contract<'a>,
    machine: &StateMachine<'a>,
) -> Vec<Heard<'a>> {
    let mut heard: Vec<Heard<'a>> = Vec::new();
    for entry in &contract.event_bus.subscribe {
        let Some(name) = event_segment(entry.topic.as_str()) else {
            continue;
        };
        if heard.iter().any(|known| known.topic.as_ref() == Some(&entry.topic.value)) {
            continue;
        }
        heard.push(Heard {
            name: Text::from(name),
            topic: Some(entry.topic.value.clone()),
            payload: linker.payload_type(entry),
            is_timer: false,
            entity_key: entry.entity_key,
        });
    }
    for name in linker.system.step_triggers(contract.name.as_str()) {
        let alike = heard.iter().filter(|known| known.name == name.value);
        let payload = linker
            .carried(&name.value)
            .unwrap_or_else(|| union(alike.map(|known| known.payload.clone())));
        heard.push(Heard {
            name: name.value.clone(),
            topic: None,
            payload,
            is_timer: false,
            entity_key: None,
        });
    }
    if machine.transitions.iter().any(|transition| transition.trigger.is_timeout()) {
        heard.push(Heard {
            name: Text::new_static(TIMEOUT),
            topic: None,
            payload: scope::timeout_payload(),
            is_timer: true,
            entity_key: None,
        });
    }
    heard
}

/// Whether a transition's trigger means this one.
pub(super) fn means(trigger: &TriggerRef<'_>, heard: &Heard<'_>) -> bool {
    match trigger {
        TriggerRef::Name(name) if name.as_str() == TIMEOUT => heard.is_timer,
        TriggerRef::Name(name) => !heard.is_timer && heard.name == name.value,
        TriggerRef::Topic { topic, .. } => heard.topic.as_ref() == Some(&topic.value),
    }
}

impl<'a> Known<'a> {
    /// Finds out the type of the data: what it is at first, and what each `set` makes of it.
    /// Each `set` is compiled once with nothing known of the data, only to learn its type.
    pub(super) fn of(
        linker: &mut Linker<'_, '_, '_>,
        node: usize,
        machine: &StateMachine<'_>,
        heard: Vec<Heard<'a>>,
        initial: Option<&Vec<(Text, Value)>>,
    ) -> Known<'a> {
        let mut known = Known { heard, state: Type::Dyn, unset: Vec::new() };
        let mut fields_seen: BTreeMap<Text, Vec<Type>> = BTreeMap::new();
        for (name, value) in initial.into_iter().flatten() {
            fields_seen.entry(name.clone()).or_default().push(of_initial(value));
        }
        let mut others = Vec::new();
        for (payload, set) in updates(machine, &known) {
            let mut scratch = linker.findings.scratch();
            let values = &mut linker.values[node];
            let mut expressions = Expressions { findings: &mut scratch, values };
            let roots = known.roots(payload);
            for (name, data) in set {
                let one = [(name.clone(), *data)];
                let ty = fields(&mut expressions, &one, roots.scope())
                    .and_then(|compiled| compiled.first().map(|(_, item)| of_template(item)));
                let first = initial.into_iter().flatten().find(|(field, _)| *field == name.value);
                if let (Some((_, value)), Some(ty)) = (first, &ty) {
                    others.push((data.at, name.value.clone(), of_initial(value), ty.clone()));
                }
                if !fields_seen.contains_key(&name.value) {
                    known.unset.push(name.value.clone());
                    fields_seen.entry(name.value.clone()).or_default().push(Type::Null);
                }
                fields_seen.entry(name.value.clone()).or_default().push(ty.unwrap_or(Type::Dyn));
            }
        }
        for (at, name, first, ty) in others {
            other_type(linker.findings, at, &name, &first, &ty);
        }
        let typed: Vec<(Text, Type)> =
            fields_seen.into_iter().map(|(name, types)| (name, union(types))).collect();
        known.state = object(typed.iter().map(|(name, ty)| (name.as_str(), ty.clone())));
        known
    }

    /// The roots of an action or guard whose message has this type.
    pub(super) fn roots(&self, payload: Type) -> Roots {
        Roots::new(&slot::NAMES)
            .with(slot::PAYLOAD, payload)
            .with(slot::ENVELOPE, scope::envelope())
            .with(slot::STATE, self.state.clone())
            .with(slot::ENTITY, scope::entity())
            .with(slot::NOW, Type::Timestamp)
    }

    /// What is known of the messages of a trigger.
    pub(super) fn payload_of(&self, trigger: &TriggerRef<'_>) -> Type {
        let meant = self.heard.iter().filter(|heard| means(trigger, heard));
        union(meant.map(|heard| heard.payload.clone()))
    }

    /// What is known of the messages of all these transitions.
    pub(super) fn payload_of_all<'t>(
        &self,
        transitions: impl Iterator<Item = &'t Transition<'t>>,
    ) -> Type {
        union(transitions.map(|transition| self.payload_of(&transition.trigger)))
    }

    /// The data of a new entity: as written, and null for every other field that is ever set.
    pub(super) fn initial_data(&self, written: Vec<(Text, Value)>) -> Value {
        let unset = self.unset.iter().map(|name| (name.clone(), Value::Null));
        Value::map(unset.chain(written))
    }
}

/// Every `set` with the type of the message it sees.
fn updates<'m, 'a>(
    machine: &'m StateMachine<'a>,
    known: &Known<'_>,
) -> Vec<(Type, &'m [(crate::model::Word, Data<'a>)])> {
    let mut updates = Vec::new();
    let mut collect = |payload: Type, actions: &'m [crate::model::Action<'a>]| {
        for action in actions {
            if let ActionWork::Update(set) = &action.work {
                updates.push((payload.clone(), set.as_slice()));
            }
        }
    };
    for transition in &machine.transitions {
        collect(known.payload_of(&transition.trigger), &transition.actions);
    }
    for (at, state) in machine.states.iter().enumerate() {
        collect(known.payload_of_all(machine.entering(at)), &state.entry_actions);
        let left = machine.leaving(at).filter(|t| t.to.is_some());
        collect(known.payload_of_all(left), &state.exit_actions);
    }
    updates
}

/// Reports a field that begins as one type and is set to another.
fn other_type(findings: &mut Findings<'_>, at: At, name: &Text, first: &Type, set: &Type) {
    if *first == Type::Null || *set == Type::Null {
        return;
    }
    if misfits(set, first).iter().any(|misfit| misfit.certain) {
        let (first, set) = (type_name(first), type_name(set));
        let message = format!("`{name}` begins as {first} and is set to {set} here");
        findings
            .warning(code::WRONG_RESULT, at, message)
            .help("set a value of the type in `initial_data`, or begin with one of this type");
    }
}
