//! A drawn system as contracts, checked and linked as a host does it.

use std::fmt::Write as _;
use std::sync::Arc;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::graph::Graph;
use onex_contract::source::Source;

use super::{
    Action, Effect, Guard, Number, On, OnError, Operation, RETRIES, Recovery, Reducer, Schedule,
    Step, System, Transition, Trigger, Work, Workflow, topic_name,
};
use crate::outside::catalog;

/// The graph of a system; the error is what the check says.
pub(crate) fn graph(system: &System) -> Result<Arc<Graph>, String> {
    linked(system, texts(system))
}

/// Another graph that means the same: what began under either goes on under both.
pub(crate) fn other_graph(system: &System) -> Result<Arc<Graph>, String> {
    let mut texts = texts(system);
    texts.push(("spare".to_owned(), CALC.replace("name: calc", "name: spare")));
    linked(system, texts)
}

fn linked(system: &System, texts: Vec<(String, String)>) -> Result<Arc<Graph>, String> {
    let sources: Vec<Source> =
        texts.into_iter().map(|(name, text)| Source::new(format!("{name}.yaml"), text)).collect();
    // Clients may publish everywhere, as other systems might.
    let ingress_allow = (0..system.topics).map(topic_name).collect();
    let host = HostValues { ingress_allow, ..HostValues::default() };
    let checked = onex_contract::check(&sources, &catalog(), &host);
    checked.graph.map(Arc::new).ok_or_else(|| {
        let errors = checked.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        errors.map(|one| format!("{}: {}\n", one.code, one.message)).collect()
    })
}

/// All contracts as one text.
pub(crate) fn text(system: &System) -> String {
    texts(system).into_iter().map(|(_, text)| text + "---\n").collect()
}

/// Name and text of every contract.
fn texts(system: &System) -> Vec<(String, String)> {
    let mut texts = vec![("calc".to_owned(), CALC.to_owned())];
    let named = |letter: &str, index: usize| format!("{letter}{index}");
    texts.extend(
        system.reducers.iter().enumerate().map(|(at, one)| (named("r", at), reducer(at, one))),
    );
    texts.extend(
        system.effects.iter().enumerate().map(|(at, one)| (named("e", at), effect(at, one))),
    );
    texts.extend(
        system.workflows.iter().enumerate().map(|(at, one)| (named("w", at), workflow(at, one))),
    );
    texts
}

const LOAD: &str = "{type: object, required: [k, n, d], properties: {k: {type: string}, n: {type: integer}, d: {type: integer, minimum: 0}}, additionalProperties: true}";

const CALC: &str = r#"name: calc
node_type: compute
contract_version: 1.0.0
description: Doubles a number, fails at 13.
definitions:
  In: {type: object, required: [n], properties: {n: {type: integer}}, additionalProperties: true}
  Out: {type: object, required: [n, q], properties: {n: {type: integer}, q: {type: integer}}}
compute_operations:
  operation_name: double
  input: In
  output: Out
  pipeline:
    - {step_name: double, step_type: expression, expression_config: {value: {n: "${input.n * 2}", q: "${100 / (input.n - 13)}"}}}
"#;

fn head(name: &str, kind: &str) -> String {
    format!(
        "name: {name}\nnode_type: {kind}\ncontract_version: 1.0.0\ndescription: Drawn.\ndefinitions:\n  Load: {LOAD}\n"
    )
}

fn bus(
    subscribes: &[usize],
    hears: &[usize],
    publishes: impl IntoIterator<Item = usize>,
) -> String {
    let mut publishes: Vec<usize> = publishes.into_iter().collect();
    publishes.sort_unstable();
    publishes.dedup();
    let mut text = String::from("event_bus:\n  subscribe_topics:");
    let none = subscribes.is_empty() && hears.is_empty();
    text.push_str(if none { " []\n" } else { "\n" });
    for topic in subscribes {
        let _ = writeln!(text, "    - {{topic: {}, payload: Load}}", topic_name(*topic));
    }
    for topic in hears {
        let topic = topic_name(*topic);
        let _ = writeln!(text, "    - {{topic: {topic}, payload: Load, begins: false}}");
    }
    let publishes: Vec<String> = publishes.into_iter().map(topic_name).collect();
    let _ = writeln!(text, "  publish_topics: [{}]", publishes.join(", "));
    text
}

fn reducer(index: usize, reducer: &Reducer) -> String {
    let mut text = head(&format!("r{index}"), "reducer");
    let actions = reducer.transitions.iter().flat_map(|one| &one.actions);
    let actions = actions.chain(reducer.states.iter().flat_map(|state| &state.entry));
    let publishes = actions.filter_map(|action| match action {
        Action::Event { topic, .. } => Some(*topic),
        _ => None,
    });
    text.push_str(&bus(&reducer.subscribes, &[], publishes));
    if !reducer.schedules.is_empty() {
        let schedules: Vec<String> = reducer.schedules.iter().map(Schedule::text).collect();
        let _ = writeln!(text, "  schedules: [{}]", schedules.join(", "));
    }
    text.push_str("state_machine:\n  initial_state: s0\n  initial_data: {sum: 0, seen: 0, d: 0}\n");
    text.push_str("  entity_key: payload.k\n");
    let unhandled = if reducer.ignores_unhandled { "ignore" } else { "dead_letter" };
    let _ = writeln!(text, "  on_unhandled: {unhandled}\n  states:");
    for (at, state) in reducer.states.iter().enumerate() {
        let more = match (state.terminal, state.timeout_ms) {
            (true, _) => ", is_terminal: true".to_owned(),
            (false, Some(ms)) => format!(", timeout_ms: {ms}"),
            (false, None) => ", waits: forever".to_owned(),
        };
        let entry: Vec<String> = state.entry.iter().map(action).collect();
        let _ = writeln!(
            text,
            "    - {{state_name: s{at}{more}, entry_actions: [{}]}}",
            entry.join(", ")
        );
    }
    text.push_str("  transitions:\n");
    reducer.transitions.iter().for_each(|one| text.push_str(&transition(one)));
    text
}

fn transition(one: &Transition) -> String {
    let from: Vec<String> = one.from.iter().map(|state| format!("s{state}")).collect();
    let from = if from.is_empty() { "\"*\"".to_owned() } else { format!("[{}]", from.join(", ")) };
    let trigger = match one.trigger {
        Trigger::Topic(topic) => format!("t{topic}"),
        Trigger::Poke => "poke".to_owned(),
        Trigger::Timeout => "timeout".to_owned(),
    };
    let guards = one.guards.iter().map(|guard| guard_text(*guard, one.trigger));
    let guards: Vec<String> = guards
        .map(|(name, text)| format!("{{condition_name: {name}, expression: \"{text}\"}}"))
        .collect();
    let to = one.to.map_or(String::new(), |to| format!(", to_state: s{to}"));
    let actions: Vec<String> = one.actions.iter().map(action).collect();
    format!(
        "    - {{from_state: {from}{to}, trigger: {trigger}, priority: {}, conditions: [{}], actions: [{}]}}\n",
        one.priority,
        guards.join(", "),
        actions.join(", ")
    )
}

fn guard_text(guard: Guard, trigger: Trigger) -> (&'static str, String) {
    match guard {
        Guard::Deep if trigger == Trigger::Timeout => ("deep", "state.d > 0".to_owned()),
        Guard::Deep => ("deep", "payload.d > 0".to_owned()),
        Guard::AtLeast(n) => ("at_least", format!("payload.n >= {n}")),
        Guard::Below(n) => ("below", format!("state.sum < {n}")),
        Guard::Quotient(n) => ("quotient", format!("100 / payload.n > {n}")),
    }
}

fn action(action: &Action) -> String {
    const SENT: &str = "{k: \"${entity.key}\", n: \"${state.sum}\", d: \"${state.d - 1}\"}";
    match action {
        Action::Add => "{action_type: state_update, set: {sum: \"${state.sum + payload.n}\", seen: \"${state.seen + 1}\", d: \"${payload.d}\"}}".to_owned(),
        Action::Tick => "{action_type: state_update, set: {seen: \"${state.seen + 1}\", d: \"${state.d - 1}\"}}".to_owned(),
        Action::Intent { effect, operation } => {
            format!("{{action_type: intent_emission, intent_type: e{effect}.o{operation}, payload: {SENT}}}")
        }
        Action::Begin { workflow } => {
            format!("{{action_type: intent_emission, intent_type: w{workflow}.begin, payload: {SENT}}}")
        }
        Action::Event { topic, times } => {
            let each: Vec<String> = (0..*times).map(|at| at.to_string()).collect();
            let each =
                if *times == 1 { String::new() } else { format!(", for_each: [{}]", each.join(", ")) };
            format!("{{action_type: event, topic: {}, payload: {SENT}{each}}}", topic_name(*topic))
        }
    }
}

fn effect(index: usize, effect: &Effect) -> String {
    let mut text = head(&format!("e{index}"), "effect");
    let subscribes: Vec<usize> = effect
        .operations
        .iter()
        .filter_map(|one| match one.on {
            On::Topic(topic) => Some(topic),
            _ => None,
        })
        .collect();
    let publishes =
        effect.operations.iter().flat_map(|one| [one.outcome, one.refusal, one.exhausted]);
    text.push_str(&bus(&subscribes, &[], publishes.flatten()));
    text.push_str("effect_operations:\n  operations:\n");
    for (at, one) in effect.operations.iter().enumerate() {
        text.push_str(&operation(index, at, one));
    }
    text.push_str(UNDO);
    text
}

const UNDO: &str = r#"    - operation_name: undo
      idempotent: true
      io_config: {handler_type: target, verb: undo, timeout_ms: 900, body: {done: "${payload.done}"}}
      response_handling: {success_codes: [200]}
      operation_timeout_ms: 30000
      retry_policy: {max_retries: 3, base_delay_ms: 150}
"#;

fn operation(effect: usize, index: usize, one: &Operation) -> String {
    const FACT: &str = "{k: \"${payload.k}\", n: \"${payload.n}\", d: \"${payload.d - 1}\"}";
    const DONE: &str = "{k: \"${payload.k}\", n: \"${response.body.n}\", d: \"${payload.d - 1}\"}";
    let on = match one.on {
        On::Step => String::new(),
        On::Intent => format!("      on_intent: e{effect}.o{index}\n"),
        On::Topic(topic) => format!("      on_topic: {}\n", topic_name(topic)),
    };
    let event = |topic: usize, payload: &str| {
        format!("{{event: {}, payload: {payload}}}", topic_name(topic))
    };
    let outcome = one.outcome.map_or(String::new(), |at| format!(", outcome: {}", event(at, DONE)));
    let refusal = one.refusal.map_or(String::new(), |at| {
        format!(", refusals: [{{codes: [402], outcome: {}}}]", event(at, FACT))
    });
    let mut text = format!(
        "    - operation_name: o{index}\n{on}      idempotent: {}\n      ordered: {}\n      io_config: {{handler_type: target, verb: do, timeout_ms: {}, body: {{n: \"${{payload.n}}\"}}}}\n      response_handling: {{success_codes: [200]{outcome}{refusal}}}\n      operation_timeout_ms: {}\n",
        one.idempotent, one.ordered, one.attempt_timeout_ms, one.timeout_ms
    );
    if one.idempotent {
        let _ = writeln!(
            text,
            "      retry_policy: {{max_retries: {}, base_delay_ms: 130}}",
            one.max_retries
        );
    }
    if let Some(failures) = one.breaker {
        let _ = writeln!(
            text,
            "      circuit_breaker: {{enabled: true, failure_threshold: {failures}, timeout_ms: 1900}}"
        );
    }
    if let Some(topic) = one.exhausted {
        let _ = writeln!(text, "      on_exhausted: {}", event(topic, FACT));
    }
    text
}

fn workflow(index: usize, one: &Workflow) -> String {
    let mut text = head(&format!("w{index}"), "orchestrator");
    let publishes = one.steps.iter().filter_map(|step| match step.work {
        Work::Publish { topic } => Some(topic),
        _ => None,
    });
    text.push_str(&bus(
        &one.subscribes,
        &one.hears,
        publishes.chain(one.completed).chain(one.failed),
    ));
    for topic in one.subscribes.iter().filter(|topic| one.listens(**topic)) {
        // Unasked it would begin none.
        let entry = format!("{{topic: {}, payload: Load", topic_name(*topic));
        text = text.replace(&entry, &format!("{entry}, begins: true"));
    }
    if one.on_intent {
        let _ = writeln!(text, "intent_consumption: {{subscribed_intents: [w{index}.begin]}}");
    }
    let key = if one.keyed { ", run_key: input.k" } else { "" };
    let _ = writeln!(
        text,
        "input_model: Load\nworkflow_coordination:\n  workflow_definition:\n    workflow_metadata: {{workflow_name: w{index}, timeout_ms: {}{key}}}\n    execution_graph:\n      nodes:",
        one.timeout_ms
    );
    for (at, step) in one.steps.iter().enumerate() {
        let _ = writeln!(text, "        - {}", step_text(at, step));
    }
    let mode = if one.sequential { "sequential" } else { "parallel" };
    let recovery = match one.recovery {
        Recovery::FailFast => "fail_fast",
        Recovery::Compensate => "compensate",
        Recovery::Retry => "retry",
    };
    let (retries, pause) = RETRIES;
    let max = one.max_steps.map_or(String::new(), |max| format!(", max_parallel_steps: {max}"));
    let _ = writeln!(
        text,
        "    coordination_rules: {{execution_mode: {mode}, failure_recovery_strategy: {recovery}, max_retries: {retries}, retry_backoff_ms: {pause}, retry_backoff_multiplier: 2.0{max}}}"
    );
    if one.has_result {
        text.push_str("    result: {n: \"${input.n + 1}\"}\n");
    }
    if let Some(topic) = one.cancel_on {
        let _ = writeln!(text, "    cancel_on: [{{topic: {}}}]", topic_name(topic));
    }
    text.push_str("    outcomes:\n");
    for (word, topic) in [("completed", one.completed), ("failed", one.failed)] {
        if let Some(topic) = topic {
            let _ = writeln!(
                text,
                "      {word}: {{event: {}, payload: {{k: \"${{input.k}}\", n: \"${{input.n}}\", d: \"${{input.d - 1}}\"}}}}",
                topic_name(topic)
            );
        }
    }
    if one.completed.is_none() && one.failed.is_none() {
        text.truncate(text.len() - "    outcomes:\n".len());
    }
    text
}

fn step_text(index: usize, step: &Step) -> String {
    let number = match step.number {
        Number::Input => "${input.n}".to_owned(),
        Number::Item => "${item}".to_owned(),
        Number::Of(step) => format!("${{steps.p{step}.output.?n.orValue(7)}}"),
    };
    let given = format!("{{k: \"${{input.k}}\", n: \"{number}\", d: \"${{input.d}}\"}}");
    let mut does = match step.work {
        Work::Effect { effect, operation } => {
            format!("effect_node: e{effect}, operation: o{operation}, input: {given}")
        }
        Work::Compute => format!("compute_node: calc, input: {given}"),
        Work::Poke { reducer } => {
            format!("reducer_node: r{reducer}, trigger: poke, input: {given}")
        }
        Work::Run { workflow } => format!("workflow: w{workflow}, input: {given}"),
        Work::Publish { topic } => format!(
            "publish: {}, payload: {{k: \"${{input.k}}\", n: \"{number}\", d: \"${{input.d - 1}}\"}}",
            topic_name(topic)
        ),
        Work::Wait { ms } => format!("wait_ms: {ms}"),
        Work::WaitFor { topic, at_least, timeout_ms } => {
            let when = at_least.map_or(String::new(), |n| format!(", when: \"payload.n >= {n}\""));
            let limit = timeout_ms.map_or(String::new(), |ms| format!(", timeout_ms: {ms}"));
            format!("wait_for_event: {{topic: {}{when}{limit}}}", topic_name(topic))
        }
        Work::Fail => "fail: {code: asked, message: \"it shall fail\"}".to_owned(),
    };
    if let Some(items) = &step.items {
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        let _ =
            write!(does, ", for_each: [{}], max_parallel: {}", items.join(", "), step.max_parallel);
    }
    let mut text = format!("{{node_id: p{index}");
    if !step.depends_on.is_empty() {
        let on: Vec<String> = step.depends_on.iter().map(|on| format!("p{on}")).collect();
        let _ = write!(text, ", depends_on: [{}]", on.join(", "));
    }
    if let Some(n) = step.condition {
        let _ = write!(text, ", condition: \"input.n >= {n}\"");
    }
    if let Some(ms) = step.timeout_ms {
        let _ = write!(text, ", timeout_ms: {ms}");
    }
    let on_error = match step.on_error {
        OnError::Stop => "stop",
        OnError::Continue => "continue",
        OnError::Retry => "retry",
        OnError::Compensate => "compensate",
    };
    let _ = write!(text, ", error_action: {on_error}, step_config: {{{does}}}");
    if step.undone {
        text.push_str(", compensation: {effect_node: e0, operation: undo, input: {done: \"${step.intent_id}\"}}");
    } else if matches!(step.work, Work::Effect { .. } | Work::Poke { .. } | Work::Publish { .. }) {
        text.push_str(", compensation: none");
    }
    text.push('}');
    text
}
