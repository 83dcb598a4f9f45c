//! `state_machine`: states, transitions, guards, actions.

use super::fields::Fields;
use super::reading::{Reading, one_of};
use crate::diagnostic::code;
use crate::graph::OnUnhandled;
use crate::model::{
    Action, ActionWork, Condition, Contract, From, Located, State, StateMachine, Table, Transition,
    TriggerRef, Word,
};
use crate::suggest;
use crate::yaml::{Node, Tree};

pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node, contract: &mut Contract<'a>) {
    let Some(mut fields) = Fields::open(reading, node, "`state_machine`") else {
        return;
    };
    fields.descriptive(&["state_machine_name", "state_machine_version", "version", "description"]);
    let initial_state = fields.required_word("initial_state");
    let initial_data = fields.free("initial_data");
    let entity_key = fields.cel("entity_key");
    let on_unhandled = fields.choice(
        "on_unhandled",
        &[("dead_letter", OnUnhandled::DeadLetter), ("ignore", OnUnhandled::Ignore)],
    );
    let mut states = Vec::new();
    for item in fields.items("states") {
        states.extend(state(fields.reading, item));
    }
    let mut transitions = Vec::new();
    for item in fields.items("transitions") {
        transitions.extend(transition(fields.reading, item));
    }
    let table = Table::of(&states, &transitions);
    let on_unhandled = on_unhandled.map_or(OnUnhandled::DeadLetter, |choice| choice.value);
    let mut machine = StateMachine {
        initial_state,
        initial_data,
        entity_key,
        on_unhandled,
        states,
        transitions,
        table,
    };
    let terminal = fields.words("terminal_states");
    mark_terminal(fields.reading, &mut machine, &terminal);
    let failed = fields.words("error_states");
    for name in failed.iter().filter(|name| machine.find(name.as_str()).is_none()) {
        unknown_state(fields.reading, &machine, name);
    }
    fields.not_built(&["operations", "data_reduction", "required_data"]);
    fields.not_enforced(&[
        "error_states",
        "persistence_enabled",
        "checkpoint_interval_ms",
        "max_checkpoints",
        "recovery_enabled",
        "rollback_enabled",
        "conflict_resolution_strategy",
        "concurrent_transitions_allowed",
        "transition_timeout_ms",
        "strict_validation_enabled",
        "state_monitoring_enabled",
        "event_logging_enabled",
    ]);
    if machine.states.is_empty() {
        fields.missing("states");
    }
    fields.close();
    contract.state_machine = Some(machine);
}

/// `terminal_states` says the same as `is_terminal` of each.
fn mark_terminal(reading: &mut Reading<'_, '_>, machine: &mut StateMachine<'_>, names: &[Word]) {
    for name in names {
        match machine.find(name.as_str()) {
            Some(index) => machine.states[index].terminal = true,
            None => unknown_state(reading, machine, name),
        }
    }
}

fn unknown_state(reading: &mut Reading<'_, '_>, machine: &StateMachine<'_>, name: &Word) {
    let message = format!("unknown state `{}`", name.as_str());
    let states = machine.states.iter().map(|state| state.name.as_str());
    let help = suggest::did_you_mean(name.as_str(), states);
    reading.findings.error(code::UNKNOWN_STATE, name.at, message).help_if(help);
}

fn state<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<State<'a>> {
    if matches!(node.tree, Tree::String(_)) {
        let name = reading.word(node, "a state")?;
        return Some(State {
            name,
            terminal: false,
            waits_forever: false,
            timeout_ms: None,
            entry_actions: Vec::new(),
            exit_actions: Vec::new(),
        });
    }
    let mut fields = Fields::open(reading, node, "the state")?;
    let name = fields.required_word("state_name");
    fields.descriptive(&["description"]);
    let terminal = fields.flag("is_terminal").is_some_and(|flag| flag.value);
    let waits_forever = fields.choice("waits", &[("forever", true)]).is_some();
    let timeout_ms = fields.data("timeout_ms");
    let entry_actions = actions(&mut fields, "entry_actions");
    let exit_actions = actions(&mut fields, "exit_actions");
    fields.not_built(&["required_data", "validation_rules"]);
    fields.not_enforced(&["state_type", "is_recoverable", "optional_data", "semantic_intent"]);
    if terminal {
        fields.idle(&["exit_actions", "waits"], "nothing leaves a terminal state");
    }
    fields.close();
    Some(State { name: name?, terminal, waits_forever, timeout_ms, entry_actions, exit_actions })
}

fn transition<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Transition<'a>> {
    let mut fields = Fields::open(reading, node, "the transition")?;
    let name = fields.word("transition_name");
    fields.descriptive(&["description"]);
    let from = from_state(&mut fields);
    let to = fields.word("to_state");
    let trigger = trigger(&mut fields);
    // One that is refused still tells it from others: that two compete is no news.
    let refused = fields.node().get("priority").and_then(|node| match node.tree {
        Tree::Int(number) => Some(number),
        _ => None,
    });
    let priority = fields.whole("priority", 0, i64::MAX).map(|priority| priority.value);
    let priority = priority.or(refused).unwrap_or(0);
    let mut conditions = Vec::new();
    for item in fields.items("conditions") {
        conditions.extend(condition(fields.reading, item));
    }
    let actions = actions(&mut fields, "actions");
    fields.not_built(&["guard", "rollback_transitions"]);
    fields.not_enforced(&["is_atomic", "retry_enabled", "max_retries", "retry_delay_ms"]);
    fields.close();
    Some(Transition { name, from: from?, to, trigger: trigger?, priority, conditions, actions })
}

fn from_state(fields: &mut Fields<'_, '_, '_, '_>) -> Option<From> {
    if fields.get("from_state").is_none() {
        fields.missing("from_state");
        return None;
    }
    let words = fields.words("from_state");
    match words.iter().find(|word| word.as_str() == "*") {
        Some(any) if words.len() == 1 => Some(From::Any(any.at)),
        Some(any) => {
            let message = "`*` means every state: it cannot stand beside others";
            fields.reading.findings.error(code::BAD_VALUE, any.at, message);
            None
        }
        None => Some(From::States(words)),
    }
}

fn trigger<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<TriggerRef<'a>> {
    let Some(node) = fields.get("trigger") else {
        fields.missing("trigger");
        return None;
    };
    if !matches!(node.tree, Tree::Map(_)) {
        return fields.reading.word(node, "`trigger`").map(TriggerRef::Name);
    }
    let mut inner = Fields::open(fields.reading, node, "`trigger`")?;
    let topic = inner.required_word("topic");
    let when = inner.cel("when");
    inner.close();
    Some(TriggerRef::Topic { topic: topic?, when })
}

fn condition<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Condition<'a>> {
    if matches!(node.tree, Tree::String(_) | Tree::Bool(_)) {
        return Some(Condition { name: None, expression: reading.data(node) });
    }
    let mut fields = Fields::open(reading, node, "the condition")?;
    let name = fields.word("condition_name");
    let expression = fields.cel("expression");
    let required = fields.flag("required");
    fields.descriptive(&["description"]);
    fields.not_enforced(&["condition_type", "error_message", "retry_count", "timeout_ms"]);
    if expression.is_none() {
        fields.missing("expression");
    }
    if let Some(Located { value: false, at }) = required {
        let message = "a condition that is not required is not enforced";
        fields.reading.findings.note(code::NOT_ENFORCED, at, message);
    }
    fields.close();
    let is_required = required.is_none_or(|flag| flag.value);
    Some(Condition { name, expression: expression? }).filter(|_| is_required)
}

fn actions<'a>(fields: &mut Fields<'a, '_, '_, '_>, key: &'static str) -> Vec<Action<'a>> {
    let mut actions = Vec::new();
    for item in fields.items(key) {
        actions.extend(action(fields.reading, item));
    }
    actions.sort_by_key(|action: &Action<'_>| {
        action.execution_order.as_ref().map_or(i64::MAX, |order| order.value)
    });
    actions
}

const ACTIONS: [&str; 3] = ["state_update", "intent_emission", "event"];

fn action<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Action<'a>> {
    let mut fields = Fields::open(reading, node, "the action")?;
    fields.descriptive(&["action_name", "description"]);
    let kind = fields.required_word("action_type");
    let execution_order = fields.whole("execution_order", 1, i64::MAX);
    let work = kind.and_then(|kind| work(&mut fields, &kind));
    let for_each = match work {
        Some(ActionWork::Update(_)) | None => None,
        Some(_) => fields.cel("for_each"),
    };
    fields.not_built(&["action_config", "rollback_action"]);
    fields.not_enforced(&["is_critical", "timeout_ms"]);
    if work.is_some() {
        fields.close();
    }
    Some(Action { for_each, execution_order, work: work? })
}

fn work<'a>(fields: &mut Fields<'a, '_, '_, '_>, kind: &Word) -> Option<ActionWork<'a>> {
    match kind.as_str() {
        "state_update" => {
            if fields.get("set").is_none() {
                fields.missing("set");
            }
            Some(ActionWork::Update(fields.free("set")))
        }
        "intent_emission" => {
            let intent_type = fields.required_word("intent_type");
            let payload = fields.data("payload");
            Some(ActionWork::Intent { intent_type: intent_type?, payload })
        }
        "event" => {
            let topic = fields.required_word("topic");
            let payload = fields.data("payload");
            Some(ActionWork::Event { topic: topic?, payload })
        }
        other => {
            let message = format!("unknown action_type `{other}`");
            let help = match suggest::nearest(other, ACTIONS) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it is one of {}", one_of(&ACTIONS)),
            };
            fields.reading.findings.error(code::BAD_VALUE, kind.at, message).help(help);
            None
        }
    }
}
