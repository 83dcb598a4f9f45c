//! Plays one vector: what happens, step by step, and whether what must come of it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::{Diagnostic, Severity};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::input::{Publish, StartRun};
use onex_engine::{Reply, Request};
use onex_expr::{Value, json};
use onex_kernel::{Id, Payload};

use crate::host::{Host, catalog};
use crate::read::{Vector, list, replaced};
use crate::view::{self, fits};

/// Plays; the error says what came out otherwise.
pub fn play(vector: &Vector) -> Result<(), String> {
    let Some(graph) = checked(vector)? else {
        return Ok(());
    };
    let secrets = vector.says.get("secrets").cloned().unwrap_or(Value::Null);
    let mut host = Host::new(graph, secrets);
    set_answers(&mut host, &vector.says);
    for (number, step) in list(&vector.says, "do").iter().enumerate() {
        let (verb, given) =
            step.as_map().and_then(|map| map.iter().next()).ok_or("an empty step")?;
        let verb = verb.as_str().unwrap_or_default();
        act(vector, &mut host, verb, given)
            .map_err(|why| format!("step {}, {verb}: {why}", number + 1))?;
    }
    match vector.says.get("expect") {
        Some(expected) => expect(&host, expected).map_err(|why| format!("in the end: {why}")),
        None => Ok(()),
    }
}

/// The graph; `None` when the vector is about what check says, and it says so.
fn checked(vector: &Vector) -> Result<Option<Arc<Graph>>, String> {
    let sources: Vec<Source> = vector.contracts.iter().map(source).collect();
    let mut config = BTreeMap::from([(String::new(), named(vector.says.get("config")))]);
    config.extend(named(vector.says.get("config_of")).into_iter().map(|(node, values)| {
        let values = named(Some(&values));
        (node, values)
    }));
    let ingress = list(&vector.says, "ingress").into_iter();
    let env = vector.says.get("env").and_then(Value::as_map);
    let env = env.into_iter().flat_map(|map| map.iter());
    let env = env.filter_map(|(k, v)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned())));
    let values = HostValues {
        config,
        ingress_allow: ingress.filter_map(|topic| Some(topic.as_str()?.to_owned())).collect(),
        env: env.collect(),
        secrets: vec!["TOKEN".to_owned()],
        allow: allowed(vector),
        strict: vector.says.get("strict").is_some(),
        ..HostValues::default()
    };
    let checked = onex_contract::check(&sources, &catalog(), &values);
    let found = |code: &str| checked.diagnostics.iter().any(|finding| finding.code == code);
    for key in ["refused", "warned"] {
        for code in list(&vector.says, key) {
            let code = code.as_str().unwrap_or_default();
            if !found(code) {
                let codes: Vec<_> = checked
                    .diagnostics
                    .iter()
                    .map(|d| format!("{} {}", d.code, d.message))
                    .collect();
                return Err(format!("check does not find {code}, but {codes:#?}"));
            }
        }
    }
    for told in list(&vector.says, "told") {
        let told = told.as_str().unwrap_or_default();
        let says = |text: &str| text.contains(told);
        let tells = |d: &Diagnostic| says(&d.message) || d.help.as_deref().is_some_and(says);
        if !checked.diagnostics.iter().any(tells) {
            return Err(format!("check does not tell {told}: {:#?}", checked.diagnostics));
        }
    }
    for code in list(&vector.says, "silent") {
        let code = code.as_str().unwrap_or_default();
        if found(code) {
            return Err(format!("check finds {code}"));
        }
    }
    match (checked.graph, list(&vector.says, "refused").is_empty()) {
        (Some(graph), true) => Ok(Some(Arc::new(graph))),
        (None, false) => Ok(None),
        (Some(_), false) => Err("the contracts are refused with a warning only".to_owned()),
        (None, true) => {
            let errors = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error);
            let errors: Vec<_> = errors.map(|d| format!("{} {}", d.code, d.message)).collect();
            Err(format!("the contracts are refused: {errors:#?}"))
        }
    }
}

/// Values by name.
fn named(values: Option<&Value>) -> BTreeMap<String, Value> {
    let values = values.and_then(Value::as_map).into_iter().flat_map(|map| map.iter());
    values.filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value.clone()))).collect()
}

/// The graph with some contracts replaced, and with other values of the host where they are given.
fn graph_with(vector: &Vector, given: &Value) -> Result<Arc<Graph>, String> {
    let with = given.as_list().map(|items| items.to_vec()).unwrap_or_default();
    let contracts = replaced(vector.contracts.clone(), with);
    let given = named(Some(given).filter(|given| given.as_map().is_some()));
    let says = vector.says.as_map().map(|says| {
        let judged = ["refused", "warned", "silent", "told"];
        let kept = says.iter().filter(|(key, _)| {
            let key = key.as_str().unwrap_or_default();
            !judged.contains(&key) && !given.contains_key(key)
        });
        let kept = kept.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone())));
        Value::map(kept.chain(given.clone()))
    });
    let changed = Vector {
        name: vector.name.clone(),
        pins: Vec::new(),
        contracts,
        says: says.unwrap_or(Value::Null),
    };
    checked(&changed)?.ok_or_else(|| "there is no graph".to_owned())
}

/// What each kind may reach, by kind.
fn allowed(vector: &Vector) -> BTreeMap<String, Vec<String>> {
    let allow = vector.says.get("allow").cloned().unwrap_or(Value::Null);
    let kinds = allow.as_map().into_iter().flat_map(|map| map.iter());
    let names = kinds.filter_map(|(kind, _)| Some(kind.as_str()?.to_owned()));
    let texts = |kind: &str| {
        let items = list(&allow, kind).into_iter();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    names.map(|kind| (kind.clone(), texts(&kind))).collect()
}

/// A contract as text; what every contract needs and no vector is about is filled in.
fn source(contract: &Value) -> Source {
    let name = contract.get("name").and_then(Value::as_str).unwrap_or("contract");
    if let Some(text) = contract.get("text").and_then(Value::as_str) {
        return Source::new(format!("{name}.yaml").as_str(), text);
    }
    let mut all = contract.as_map().expect("a contract is a map").clone();
    for (key, value) in [("contract_version", "1.0.0"), ("description", "Of a vector.")] {
        if all.get(key).is_none() {
            all.insert(onex_expr::Key::String(key.into()), Value::text(value));
        }
    }
    Source::new(format!("{name}.yaml").as_str(), Value::Map(all.into()).to_json())
}

fn set_answers(host: &mut Host, says: &Value) {
    let answers = says.get("answers").and_then(Value::as_map);
    for (operation, _) in answers.into_iter().flat_map(|map| map.iter()) {
        let operation = operation.as_str().unwrap_or_default();
        let answers = says.get("answers").map(|all| list(all, operation)).unwrap_or_default();
        host.answers.insert(operation.to_owned(), answers.into());
    }
}

fn act(vector: &Vector, host: &mut Host, verb: &str, given: &Value) -> Result<(), String> {
    match verb {
        "publish" => {
            let reply = host.request(Request::Publish(publish(given)));
            replied(given, &reply)
        }
        "start" => {
            let reply = host.request(Request::Start(start(host, given)));
            replied(given, &reply)
        }
        "cancel" | "retry" => {
            let name = given.as_str().or_else(|| given.get("run").and_then(Value::as_str));
            let run = view::run_id(host, name.ok_or("which run?")?)?;
            let request = if verb == "cancel" { Request::Cancel(run) } else { Request::Retry(run) };
            let reply = host.request(request);
            replied(given, &reply)
        }
        "redrive" => {
            let letters = view::letter_ids(host);
            let at = given.as_int().or_else(|| given.get("letter").and_then(Value::as_int));
            let at = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
            let letter = *letters.get(at).ok_or("there is no such letter")?;
            let reply = host.request(Request::Redrive { letters: vec![letter], dry_run: false });
            match (&reply, given.get("refused")) {
                (Reply::Redriven { refused, .. }, None) if !refused.is_empty() => {
                    Err(format!("it is refused: {}", refused[0].1))
                }
                (Reply::Redriven { refused, .. }, Some(_)) if refused.is_empty() => {
                    Err("it is not refused".to_owned())
                }
                _ => Ok(()),
            }
        }
        "answer" => {
            let operation = given.get("operation").and_then(Value::as_str).ok_or("of what?")?;
            let with = given.get("with").cloned().unwrap_or(Value::Int(200));
            host.answer(operation, &with)
        }
        "answers" => {
            set_answers(host, &Value::map([("answers", given.clone())]));
            Ok(())
        }
        "pass_ms" => {
            let ms = given.as_int().and_then(|ms| u64::try_from(ms).ok()).ok_or("how long?")?;
            host.pass_ms(ms);
            Ok(())
        }
        "down_ms" => {
            let ms = given.as_int().and_then(|ms| u64::try_from(ms).ok()).ok_or("how long?")?;
            host.down_ms(ms);
            Ok(())
        }
        "activate" | "load" => match host.activate(graph_with(vector, given)?) {
            Reply::Activated { .. } => Ok(()),
            other => Err(format!("it is not activated: {other:?}")),
        },
        "crash" => {
            host.crash();
            Ok(())
        }
        "expect" => expect(host, given),
        other => Err(format!("no step is called {other}")),
    }
}

fn id_of(given: &Value, key: &str) -> Option<Id> {
    let name = given.get(key)?.as_str()?.to_owned();
    Some(Id::of_text("vector", &name))
}

fn text(given: &Value, key: &str) -> Option<onex_expr::Text> {
    given.get(key).and_then(Value::as_str).map(Into::into)
}

fn publish(given: &Value) -> Publish {
    let id = id_of(given, "as");
    let made = Id::of_text("vector-message", &given.to_json());
    let id_given = id.is_some();
    let id = id.unwrap_or(made);
    Publish {
        id,
        id_given,
        topic: text(given, "topic").unwrap_or_default(),
        key: text(given, "key"),
        event_type: None,
        payload: payload(given.get("payload")),
        correlation_id: id_of(given, "story").unwrap_or(id),
    }
}

fn start(host: &Host, given: &Value) -> StartRun {
    let made = Id::of_text("vector-start", &format!("{} {}", host.now, given.to_json()));
    let run_id = id_of(given, "as").unwrap_or(made);
    StartRun {
        node: text(given, "node").unwrap_or_default(),
        run_id,
        key_given: given.get("as").is_some(),
        input: payload(given.get("input")),
        correlation_id: id_of(given, "story").unwrap_or(run_id),
    }
}

fn payload(value: Option<&Value>) -> Payload {
    let none: [(&str, Value); 0] = [];
    let value = value.cloned().unwrap_or_else(|| Value::map(none));
    let mut bytes = Vec::new();
    json::write(&value, &mut bytes);
    Payload { value, bytes: Some(bytes.into()) }
}

/// Whether a request was answered as the step says: accepted, unless `refused` says otherwise.
fn replied(given: &Value, reply: &Reply) -> Result<(), String> {
    let expected = given.get("refused");
    match (reply, expected) {
        (Reply::Refused(refusal), Some(expected)) => {
            let found = Value::map([
                ("status", Value::Int(refusal.status.into())),
                ("code", Value::text(refusal.code)),
                ("run", refusal.run_id.map_or(Value::Null, |id| Value::text(id.to_string()))),
            ]);
            match expected {
                Value::Int(_) => fits(expected, found.get("status"), "status"),
                other => fits(other, Some(&found), "refused"),
            }
        }
        (Reply::Refused(refusal), None) => Err(format!("refused: {refusal:?}")),
        (other, Some(_)) => Err(format!("it is not refused: {other:?}")),
        (Reply::Accepted { repeated, .. } | Reply::Started { repeated, .. }, None) => {
            let expected = given.get("repeated").and_then(Value::as_bool).unwrap_or(false);
            if *repeated == expected { Ok(()) } else { Err(format!("repeated: {repeated}")) }
        }
        _ => Ok(()),
    }
}

fn expect(host: &Host, expected: &Value) -> Result<(), String> {
    let expected = expected.as_map().ok_or("what is expected is a map")?;
    for (what, wanted) in expected.iter() {
        let what = what.as_str().unwrap_or_default();
        match what {
            "entities" => {
                each(wanted, |name, wanted| fits(wanted, view::entity(host, name).as_ref(), name))?
            }
            "runs" => {
                each(wanted, |name, wanted| fits(wanted, view::run(host, name)?.as_ref(), name))?
            }
            "events" => each(wanted, |topic, wanted| {
                let wanted = if wanted.as_list().is_some() {
                    wanted.clone()
                } else {
                    Value::list(vec![wanted.clone()])
                };
                fits(&wanted, Some(&view::events(host, topic)), topic)
            })?,
            "letters" => fits(wanted, Some(&view::letters(host)), what)?,
            "asked" => fits(wanted, Some(&Value::list(host.asked.clone())), what)?,
            "under_way" => fits(wanted, Some(&view::under_way(host)), what)?,
            "unrecorded" => {
                for text in list(&Value::Map(expected.clone().into()), what) {
                    let text = text.as_str().unwrap_or_default();
                    if view::is_recorded(host, text) {
                        return Err(format!("{text} is recorded"));
                    }
                }
            }
            "counts" => fits(wanted, Some(&view::counts(host)), what)?,
            other => return Err(format!("nothing is called {other}")),
        }
    }
    Ok(())
}

fn each(
    wanted: &Value,
    mut one: impl FnMut(&str, &Value) -> Result<(), String>,
) -> Result<(), String> {
    let entries = wanted.as_map().ok_or("a map is expected")?;
    for (name, wanted) in entries.iter() {
        one(name.as_str().unwrap_or_default(), wanted)?;
    }
    Ok(())
}
