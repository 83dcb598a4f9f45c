//! Plays the inputs of one scenario.

use onex_contract::graph::{Body, Graph, Operation};
use onex_contract::source::Source;
use onex_contract::yaml;
use onex_expr::{Text, Value};
use onex_kernel::decision::TimerOf;
use onex_kernel::orchestrate::RunInput;
use onex_kernel::port::CallError;
use onex_kernel::row::{Ending, Failure, Owner};
use onex_kernel::{Id, Intended, compute, effect};

use crate::bench::{Bench, Instance};
use crate::transcript::Transcript;

/// The transcript of a scenario's inputs.
pub fn play(graph: &Graph, name: &str, text: &str) -> String {
    let (root, faults) = yaml::parse_any(&Source::new(name, text));
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    let root = root.expect("a text without faults has a tree").to_value();
    let inputs = root.as_list().expect("a scenario is a list of inputs");
    let mut script =
        Script { bench: Bench::new(graph.clone()), transcript: Transcript::default(), run: None };
    for input in inputs {
        let entries = input.as_map().expect("an input is a map");
        let (verb, given) = entries.iter().next().expect("an input has a verb");
        let verb = verb.as_str().expect("a verb is text");
        script.transcript.input(verb, given);
        script.input(verb, given);
    }
    script.transcript.text
}

struct Script {
    bench: Bench,
    transcript: Transcript,
    /// The run that inputs are about: the last that was begun.
    run: Option<Id>,
}

impl Script {
    fn input(&mut self, verb: &str, given: &Value) {
        let done = match verb {
            "says" => return,
            "fuel" => {
                self.bench.fuel = given.as_int().expect("fuel is a number").cast_unsigned();
                return;
            }
            "wait_ms" => {
                let pause = given.as_int().expect("a pause is a number").cast_unsigned();
                self.bench.now = self.bench.now.plus_ms(pause);
                return;
            }
            "publish" => {
                let payload = given.get("payload").cloned().unwrap_or(Value::Null);
                self.bench.publish(text(given, "topic"), payload)
            }
            "start" => {
                let input = given.get("input").cloned().unwrap_or(Value::Null);
                vec![self.bench.start(text(given, "node"), input)]
            }
            "timeout" => {
                let node = self.bench.node(text(given, "node"));
                let instance = Instance::Entity(node, text(given, "key").into());
                vec![self.bench.fire(&instance, TimerOf::Instance)]
            }
            "stale_timeout" => {
                let node = self.bench.node(text(given, "node"));
                vec![self.bench.stale_timeout(node, &text(given, "key").into())]
            }
            "fire" => {
                let of = self.timer(given.as_str().expect("a timer is named"));
                let run = Instance::Run(self.run());
                vec![self.bench.fire(&run, of)]
            }
            "cancel" => vec![self.bench.advance(self.run(), &RunInput::Cancel)],
            "retry" => vec![self.bench.advance(self.run(), &RunInput::Retry)],
            "end" | "late" => {
                let (intent, ending) = (self.intent(given), ending(given));
                vec![self.bench.end(&intent, &ending)]
            }
            "judge" | "exhausted" | "request" | "next" | "compute" => {
                let line = self.ask(verb, given);
                return self.transcript.line(&line);
            }
            other => panic!("no input is called {other}"),
        };
        for done in &done {
            if let Some(Instance::Run(run)) = done.instance {
                self.run = Some(run);
            }
            self.transcript.done(&self.bench, done);
        }
    }

    fn run(&self) -> Id {
        self.run.unwrap_or_else(|| panic!("no run was begun:\n{}", self.transcript.text))
    }

    fn step(&self, id: &str) -> u16 {
        let head = &self.bench.runs[&self.run()].head;
        let Body::Orchestrator(plan) = &self.bench.graph.node(self.bench.node(&head.node)).body
        else {
            panic!("a run belongs to an orchestrator");
        };
        let at = plan.steps.iter().position(|step| step.id == id);
        u16::try_from(at.unwrap_or_else(|| panic!("no step is called {id}"))).expect("few steps")
    }

    fn timer(&self, name: &str) -> TimerOf {
        match name.split_once(' ') {
            None => TimerOf::Instance,
            Some(("step", id)) => TimerOf::Step(self.step(id)),
            Some((_, id)) => TimerOf::Pause(self.step(id)),
        }
    }

    /// The open intent that an input is about, or for `late` the last that the step had.
    fn intent(&self, given: &Value) -> Intended {
        let wanted_item = given.get("item").and_then(Value::as_int);
        let undoing = given.get("undo").is_some();
        let wanted_step = self.step(text(given, if undoing { "undo" } else { "step" }));
        let known = |intent: &&Intended| {
            matches!(intent.owner, Owner::Step { run, step, item, compensation, .. }
                if run == self.run() && step == wanted_step && compensation == undoing
                    && item.map(i64::from) == wanted_item)
        };
        let found = self.transcript.sent.iter().rev().find(known);
        found.cloned().unwrap_or_else(|| panic!("no intent for {}", given.to_json()))
    }

    fn operation(&self, given: &Value) -> &Operation {
        let node = self.bench.node(text(given, "node"));
        let Body::Effect(found) = &self.bench.graph.node(node).body else {
            panic!("an operation belongs to an effect");
        };
        let name = text(given, "operation");
        let found = found.operations.iter().find(|one| one.name == name);
        found.unwrap_or_else(|| panic!("no operation is called {name}"))
    }

    /// Inputs about functions that decide nothing by themselves.
    fn ask(&mut self, verb: &str, given: &Value) -> String {
        let fuel = self.bench.fuel;
        let input = given.get("input").cloned().unwrap_or(Value::Null);
        if verb == "compute" {
            let node = self.bench.node(text(given, "node"));
            let Body::Compute(body) = &self.bench.graph.node(node).body else {
                panic!("a pipeline belongs to a compute");
            };
            let mut left = fuel;
            let result = compute::evaluate(body, &input, &mut left);
            assert!(left <= fuel, "fuel is only used");
            return match result {
                Ok(value) => value.to_json(),
                Err(fault) => format!("{fault:?}"),
            };
        }
        let attempts = given.get("attempts").and_then(Value::as_int).unwrap_or(1);
        let attempts = u32::try_from(attempts).expect("few attempts");
        let intent = self.bench.message("onex.intent.test.call.v1", input);
        let operation = self.operation(given);
        match verb {
            "request" => {
                let secrets = given.get("secrets").cloned().unwrap_or(Value::Null);
                match effect::request(operation, &intent, &secrets, fuel) {
                    Ok(request) => request.to_json(),
                    Err(error) => format!("error: {error}"),
                }
            }
            "exhausted" => {
                let error = (Text::new("exhausted"), Text::new("no answer"));
                match effect::on_exhausted(operation, &intent, &error, attempts, fuel) {
                    Some(Ok((topic, payload))) => format!("{topic} {}", payload.to_json()),
                    Some(Err((topic, fault))) => {
                        format!("{topic} not published: {}", fault.reason.as_str())
                    }
                    None => "nothing".into(),
                }
            }
            "next" => {
                let asked = given.get("retry_after_ms").and_then(Value::as_int);
                let asked = asked.map(i64::cast_unsigned);
                let due =
                    effect::next_attempt(operation, Id::default(), attempts, self.bench.now, asked);
                due.map_or("none".into(), |due| format!("in {} us", due.0 - self.bench.now.0))
            }
            _ => {
                let answer = match given.get("error") {
                    None => Ok(given.get("answer").cloned().unwrap_or(Value::Null)),
                    Some(error) => Err(CallError {
                        code: text(error, "code").into(),
                        message: "it went wrong".into(),
                        passing: error.get("passing").and_then(Value::as_bool).unwrap_or(false),
                        sent: error.get("sent").and_then(Value::as_bool).unwrap_or(false),
                    }),
                };
                let judged = effect::judge(operation, &intent, &answer, attempts, fuel);
                self.transcript.judgement(&judged)
            }
        }
    }
}

fn text<'a>(given: &'a Value, name: &str) -> &'a str {
    let found = given.get(name).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("`{name}` is missing in {}", given.to_json()))
}

/// `completed: OUTPUT`, or a word under `as`.
fn ending(given: &Value) -> Ending {
    if let Some(output) = given.get("completed") {
        return Ending::Completed(output.clone());
    }
    let word = text(given, "as");
    let failure =
        Failure { code: word.into(), message: format!("it was {word}").into(), step: None };
    match word {
        "refused" => Ending::Refused(failure),
        "exhausted" => Ending::Exhausted { failure, unknown: true },
        "unsent" => Ending::Exhausted { failure, unknown: false },
        "in_doubt" => Ending::InDoubt(failure),
        "expired" => Ending::Expired(failure),
        "withdrawn" => Ending::Withdrawn,
        "stopped" => Ending::Stopped { failure, unknown: true },
        other => panic!("no ending is called {other}"),
    }
}
