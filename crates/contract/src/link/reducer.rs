//! Reducers: triggers, candidates, guards and actions.

mod candidates;
mod types;

use onex_expr::{Place, Template, Text, Type};

use super::Linker;
use super::callers::Called;
use super::compute::fields;
use super::expression::{Expressions, Want};
use super::scope::{self, Roots};
use super::values::literal;
use crate::diagnostic::code;
use crate::graph::roots::reducer as slot;
use crate::graph::{self, Guard, Performer, Reducer, Trigger};
use crate::model::{
    self, ActionWork, Contract, Data, From, StateMachine, TIMEOUT, Transition, TriggerRef,
};
use crate::system::event_segment;
use crate::topic::intent_topic;
use types::Known;

/// Links a state machine; `None` when something in it could not be.
pub(super) fn link(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    machine: &StateMachine<'_>,
) -> Option<Reducer> {
    let heard = types::heard(linker, contract, machine);
    let initial = initial_data(&mut linker.expressions(node), machine);
    let known = Known::of(linker, node, machine, heard, initial.as_ref());
    let states = states(linker, node, contract, machine, &known);
    let transitions = transitions(linker, node, contract, machine, &known);
    let triggers = triggers(&mut linker.expressions(node), machine, &known);
    let initial_state = machine.find(machine.initial_state.as_ref()?.as_str())?;
    Some(Reducer {
        initial_state: index(initial_state)?,
        initial_data: known.initial_data(initial?),
        states: states?,
        triggers: triggers?,
        transitions: transitions?,
        candidates: candidates::table(machine, &known.heard)?,
        timeout_trigger: match known.heard.iter().position(|heard| heard.is_timer) {
            Some(at) => Some(index(at)?),
            None => None,
        },
        on_unhandled: machine.on_unhandled,
    })
}

fn index(at: usize) -> Option<u16> {
    u16::try_from(at).ok()
}

/// Data of a new entity as written; only `config` and `env` may be read in it.
fn initial_data(
    expressions: &mut Expressions<'_, '_>,
    machine: &StateMachine<'_>,
) -> Option<Vec<(Text, onex_expr::Value)>> {
    let nothing = Roots::new(&slot::NAMES);
    let compiled = fields(expressions, &machine.initial_data, nothing.scope())?;
    let mut known = Some(Vec::new());
    for ((name, template), (_, data)) in compiled.into_iter().zip(&machine.initial_data) {
        match (literal(&template), &mut known) {
            (Ok(value), Some(known)) => known.push((name, value)),
            (Ok(_), None) => {}
            (Err(error), _) => {
                let message = format!("the initial value of `{name}` fails: {}", error.message);
                expressions
                    .findings
                    .error(code::BAD_EXPRESSION, data.at, message)
                    .help("it is worked out when the contracts are loaded: write a value there");
                known = None;
            }
        }
    }
    known
}

fn triggers(
    expressions: &mut Expressions<'_, '_>,
    machine: &StateMachine<'_>,
    known: &Known<'_>,
) -> Option<Vec<Trigger>> {
    let mut triggers = Some(Vec::new());
    for heard in &known.heard {
        let declared = heard.entity_key.or(machine.entity_key).filter(|_| !heard.is_timer);
        let roots = Roots::new(&slot::NAMES)
            .with(slot::PAYLOAD, heard.payload.clone())
            .with(slot::ENVELOPE, scope::envelope());
        let entity_key = declared.map(|key| expressions.cel(key, Want::Key, roots.scope()));
        match (entity_key, &mut triggers) {
            (Some(None), _) => triggers = None,
            (key, Some(triggers)) => triggers.push(Trigger {
                name: heard.name.clone(),
                topic: heard.topic.clone(),
                entity_key: key.flatten(),
            }),
            (_, None) => {}
        }
    }
    triggers
}

fn states(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    machine: &StateMachine<'_>,
    known: &Known<'_>,
) -> Option<Vec<graph::State>> {
    let states: Vec<Option<graph::State>> = machine
        .states
        .iter()
        .enumerate()
        .map(|(at, state)| {
            let entered = known.payload_of_all(machine.entering(at));
            let left = known.payload_of_all(machine.leaving(at).filter(|t| t.to.is_some()));
            let timed = Roots::new(&slot::NAMES)
                .with(slot::PAYLOAD, entered.clone())
                .with(slot::STATE, known.state.clone());
            let timeout_ms = state
                .timeout_ms
                .map(|data| linker.expressions(node).data(data, Place::Data, timed.scope()));
            let entry = actions(linker, node, contract, &state.entry_actions, known, entered);
            let exit = actions(linker, node, contract, &state.exit_actions, known, left);
            Some(graph::State {
                name: state.name.value.clone(),
                terminal: state.terminal,
                waits_forever: state.waits_forever,
                timeout_ms: match timeout_ms {
                    Some(template) => Some(template?),
                    None => None,
                },
                entry_actions: entry?,
                exit_actions: exit?,
            })
        })
        .collect();
    states.into_iter().collect()
}

fn transitions(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    machine: &StateMachine<'_>,
    known: &Known<'_>,
) -> Option<Vec<graph::Transition>> {
    let transitions: Vec<Option<graph::Transition>> = machine
        .transitions
        .iter()
        .map(|transition| {
            let payload = known.payload_of(&transition.trigger);
            let roots = known.roots(payload.clone());
            let guards = guards(&mut linker.expressions(node), transition, &roots);
            let actions = actions(linker, node, contract, &transition.actions, known, payload);
            let to_state = match &transition.to {
                Some(to) => Some(index(machine.find(to.as_str())?)?),
                None => None,
            };
            Some(graph::Transition {
                name: transition_name(transition),
                to_state,
                guards: guards?,
                actions: actions?,
            })
        })
        .collect();
    transitions.into_iter().collect()
}

/// `transition_name`, else `from__trigger__to`; a list of states is joined by `+`.
pub(crate) fn transition_name(transition: &Transition<'_>) -> Text {
    if let Some(name) = &transition.name {
        return name.value.clone();
    }
    let from = match &transition.from {
        From::Any(_) => "*".to_owned(),
        From::States(names) => names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+"),
    };
    let trigger = match &transition.trigger {
        TriggerRef::Name(name) => name.as_str(),
        TriggerRef::Topic { topic, .. } => event_segment(topic.as_str()).unwrap_or(TIMEOUT),
    };
    match &transition.to {
        Some(to) => Text::from(format!("{from}__{trigger}__{}", to.as_str())),
        None => Text::from(format!("{from}__{trigger}")),
    }
}

fn guards(
    expressions: &mut Expressions<'_, '_>,
    transition: &Transition<'_>,
    roots: &Roots,
) -> Option<Vec<Guard>> {
    let when = match &transition.trigger {
        TriggerRef::Topic { when: Some(when), .. } => Some((None, *when)),
        _ => None,
    };
    let conditions = transition.conditions.iter().map(|c| (c.name.as_ref(), c.expression));
    let mut guards = Some(Vec::new());
    for (name, expression) in when.into_iter().chain(conditions) {
        let condition = expressions.condition(expression, roots.scope());
        let text = || Text::from(expression.node.as_str().unwrap_or("literal"));
        match (condition, &mut guards) {
            (Some(condition), Some(guards)) => guards
                .push(Guard { name: name.map_or_else(text, |name| name.value.clone()), condition }),
            _ => guards = None,
        }
    }
    guards
}

fn actions(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    actions: &[model::Action<'_>],
    known: &Known<'_>,
    payload: Type,
) -> Option<Vec<graph::Action>> {
    let roots = known.roots(payload);
    let linked: Vec<Option<graph::Action>> =
        actions.iter().map(|action| self::action(linker, node, contract, action, &roots)).collect();
    linked.into_iter().collect()
}

fn action(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    contract: &Contract<'_>,
    action: &model::Action<'_>,
    roots: &Roots,
) -> Option<graph::Action> {
    let mut expressions = linker.expressions(node);
    let mut roots = roots.clone();
    let for_each = match action.for_each {
        Some(data) => {
            let list = expressions.cel(data, Want::List, roots.scope());
            let ty = list.as_ref().map_or(Type::Dyn, super::types::of_template);
            roots = roots.with(slot::ITEM, super::types::item_of(&ty)).with(slot::INDEX, Type::Int);
            Some(list)
        }
        None => None,
    };
    let work = match &action.work {
        ActionWork::Update(set) => {
            let linked = fields(&mut expressions, set, roots.scope());
            for ((field, template), (_, data)) in linked.iter().flatten().zip(set) {
                linker.tell_data(contract, field, data.at, super::types::of_template(template));
            }
            linked.map(graph::ActionWork::StateUpdate)
        }
        ActionWork::Intent { intent_type, payload } => {
            let at = payload.map_or(intent_type.at, |data| data.at);
            let payload = action_payload(&mut expressions, *payload, &roots);
            let performer = performer(linker, intent_type.as_str());
            if let (Some(performer), Some(template)) = (performer, &payload) {
                let made = super::types::of_template(template);
                if let Performer::Run(run) = performer {
                    linker.fits_run(&made, run, at);
                }
                if let Some(called) = Called::of(performer) {
                    linker.call(called, &made, at);
                }
            }
            Some(graph::ActionWork::Intent {
                intent_type: intent_type.value.clone(),
                topic: intent_topic(contract.name.as_str(), intent_type.as_str()).into(),
                performer: performer?,
                payload: payload?,
            })
        }
        ActionWork::Event { topic, payload } => {
            let template = action_payload(&mut expressions, *payload, &roots)?;
            let at = payload.map_or(topic.at, |data| data.at);
            let made = super::types::of_template(&template);
            linker.fits_topic(&made, topic.as_str(), at);
            linker.tell(topic, made);
            Some(graph::ActionWork::Event { topic: topic.value.clone(), payload: template })
        }
    };
    let for_each = match for_each {
        Some(template) => Some(template?),
        None => None,
    };
    Some(graph::Action { for_each, work: work? })
}

/// The payload of an intent or event; the message's own when none is given.
fn action_payload(
    expressions: &mut Expressions<'_, '_>,
    payload: Option<Data<'_>>,
    roots: &Roots,
) -> Option<Template> {
    match payload {
        Some(data) => expressions.data(data, Place::Data, roots.scope()),
        None => Template::compile("${payload}", Place::Data, roots.scope()).value,
    }
}

fn performer(linker: &Linker<'_, '_, '_>, intent: &str) -> Option<Performer> {
    let performer = linker.system.intents.get(intent)?.performers.first()?;
    let node = super::node_index(performer.node)?;
    match performer.operation {
        Some(operation) => Some(Performer::Operation(node, index(operation)?)),
        None => Some(Performer::Run(node)),
    }
}
