//! Decisions as text that a person reviews: ids are numbered as they appear, times count from the
//! moment of the decision.

use std::collections::HashMap;
use std::fmt::Write;

use onex_contract::graph::Body;
use onex_expr::Value;
use onex_kernel::decision::{RowWrite, Subject, TimerChange, TimerOf};
use onex_kernel::effect::Judgement;
use onex_kernel::row::{Entity, ItemRow, Owner, RunHead, StepRow};
use onex_kernel::{Id, Intended, Micros, Produced, Published, Verdict};

use crate::bench::{Bench, Done, Instance};

/// What was decided so far.
#[derive(Default)]
pub struct Transcript {
    pub text: String,
    /// Every intent of a run so far.
    pub sent: Vec<Intended>,
    names: HashMap<Id, String>,
}

impl Transcript {
    pub fn input(&mut self, verb: &str, given: &Value) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let given = match given {
            Value::String(text) => text.to_string(),
            other => other.to_json(),
        };
        let _ = writeln!(self.text, "> {verb} {given}");
    }

    pub fn line(&mut self, line: &str) {
        let line = self.named(line);
        let _ = writeln!(self.text, "  {line}");
    }

    /// Ids that were named before stand under their names.
    fn named(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (id, name) in &self.names {
            line = line.replace(&id.to_string(), name);
        }
        line
    }

    fn name(&mut self, id: Id, kind: &str) -> String {
        let next = self.names.values().filter(|name| name.starts_with(kind)).count() + 1;
        self.names.entry(id).or_insert_with(|| format!("{kind}{next}")).clone()
    }

    pub fn done(&mut self, bench: &Bench, done: &Done) {
        let decision = &done.decision;
        let verdict = match &decision.verdict {
            Verdict::Applied => "applied".into(),
            Verdict::Ignored(reason) => format!("ignored: {reason}"),
            Verdict::Refused { trigger, guard } => format!("refused: {guard} on {trigger}"),
            Verdict::Dead(fault) => format!("dead {}: {}", fault.reason.as_str(), fault.detail),
        };
        if let Some(Instance::Run(run)) = &done.instance {
            self.name(*run, "run");
        }
        self.line(&verdict);
        for produced in &decision.messages {
            match produced {
                Produced::Event(event) => drop(self.name(event.id, "event")),
                Produced::Intent(intent) => drop(self.name(intent.id, "intent")),
                Produced::Tell(_) => {}
            }
        }
        for write in &decision.writes {
            let line = match write {
                RowWrite::Entity(entity) => entity_line(entity, bench),
                RowWrite::Head(head) => head_line(head),
                RowWrite::Step(step, row) => {
                    format!("step {}: {}", step_id(bench, done, *step), step_line(row))
                }
                RowWrite::Item(step, item, row) => {
                    format!("item {}[{item}]: {}", step_id(bench, done, *step), item_line(row))
                }
                RowWrite::Event(at, event) => {
                    let what = event.as_ref().map_or("taken", |event| event.topic.as_str());
                    format!("event {at}: {what}")
                }
                RowWrite::ClearItems(step) => {
                    format!("clear items of {}", step_id(bench, done, *step))
                }
            };
            self.line(&line);
        }
        for produced in &decision.messages {
            let line = match produced {
                Produced::Event(event) => self.event(event),
                Produced::Intent(intent) => self.intent(bench, intent),
                Produced::Tell(told) => format!("tell {}: {:?}", told.run, told.what),
            };
            self.line(&line);
        }
        for change in &decision.timers {
            let line = match change {
                TimerChange::Arm(of, armed) => {
                    format!(
                        "arm {} {} {}",
                        timer(bench, done, *of),
                        armed.arming,
                        since(bench.now, armed.due)
                    )
                }
                TimerChange::Disarm(of, armed) => {
                    format!("disarm {} {}", timer(bench, done, *of), armed.arming)
                }
            };
            self.line(&line);
        }
        for id in &decision.stop {
            self.line(&format!("stop {id}"));
        }
        for letter in &decision.letters {
            let subject = match &letter.subject {
                Subject::IntentAtHand => "the intent at hand".into(),
                Subject::Unsent(event) => self.event(event),
                Subject::Kept(event) => format!("kept {}", event.topic),
            };
            let step = letter.step.as_deref().unwrap_or("-");
            let fault = &letter.fault;
            self.line(&format!(
                "letter {} of {} step {step}: {}; {subject}",
                fault.reason.as_str(),
                letter.node,
                fault.detail
            ));
        }
        if decision.ended {
            self.line("ended");
        }
    }

    fn event(&mut self, event: &Published) -> String {
        let key = event.key.as_deref().unwrap_or("-");
        let name = self.name(event.id, "event");
        format!("{name} {} key {key} {}", event.topic, event.payload.to_json())
    }

    fn intent(&mut self, bench: &Bench, intent: &Intended) -> String {
        let name = self.name(intent.id, "intent");
        let again = match intent.generation {
            0 => String::new(),
            generation => format!(" generation {generation}"),
        };
        let owner = match &intent.owner {
            Owner::Entity { node, key } => format!("{node}/{key}"),
            Owner::Topic => "topic".into(),
            Owner::Step { run, step, item, visit, compensation } => {
                self.sent.push(intent.clone());
                let item = item.map_or(String::new(), |item| format!("[{item}]"));
                let verb = if *compensation { "undoing" } else { "for" };
                let step = step_of(bench, *run, *step);
                format!("{verb} {step}{item} visit {visit}")
            }
        };
        let key = intent.key.as_deref().unwrap_or("-");
        let payload = intent.payload.to_json();
        format!("{name}{again} {} {owner} key {key} {payload}", intent.topic)
    }

    pub fn judgement(&self, judged: &Judgement) -> String {
        let publish = |publish: &Option<(onex_expr::Text, Value)>| {
            publish.as_ref().map_or(String::new(), |(topic, payload)| {
                format!(", publishes {topic} {}", payload.to_json())
            })
        };
        match judged {
            Judgement::Completed { output, publish: told } => {
                format!("completed {}{}", output.to_json(), publish(told))
            }
            Judgement::Refused { error, publish: told, answered } => {
                let answered = if *answered { ", answered" } else { "" };
                format!("refused {}: {}{answered}{}", error.0, error.1, publish(told))
            }
            Judgement::Failed { error, sent, retry_after_ms } => {
                let sent = if *sent { "sent" } else { "not sent" };
                let wait =
                    retry_after_ms.map_or(String::new(), |ms| format!(", again after {ms} ms"));
                format!("failed {}: {}, {sent}{wait}", error.0, error.1)
            }
        }
    }
}

fn since(now: Micros, then: Micros) -> String {
    let us = then.0 - now.0;
    format!("in {} ms", us / 1000)
}

fn step_of(bench: &Bench, run: Id, step: u16) -> String {
    let Some(run) = bench.runs.get(&run) else {
        return step.to_string();
    };
    let node = bench.graph.node(bench.node(&run.head.node));
    match &node.body {
        Body::Orchestrator(plan) => plan.steps[usize::from(step)].id.to_string(),
        _ => step.to_string(),
    }
}

fn step_id(bench: &Bench, done: &Done, step: u16) -> String {
    match &done.instance {
        Some(Instance::Run(run)) => step_of(bench, *run, step),
        _ => step.to_string(),
    }
}

fn timer(bench: &Bench, done: &Done, of: TimerOf) -> String {
    match of {
        TimerOf::Instance => "instance".into(),
        TimerOf::Step(step) => format!("step {}", step_id(bench, done, step)),
        TimerOf::Pause(step) => format!("pause {}", step_id(bench, done, step)),
    }
}

fn entity_line(entity: &Entity, bench: &Bench) -> String {
    let mut line = format!(
        "entity: {} v{} from {} {}",
        entity.state,
        entity.version,
        entity.previous_state.as_deref().unwrap_or("-"),
        entity.data.to_json()
    );
    if entity.since == bench.now {
        line.push_str(" since now");
    }
    if let Some(refused) = &entity.last_refusal {
        let _ = write!(line, " last refused by {} on {}", refused.guard, refused.trigger);
    }
    line
}

fn head_line(head: &RunHead) -> String {
    let mut line = format!("head: {:?}", head.status).to_lowercase();
    let _ = write!(line, " in flight {}", head.in_flight);
    if head.visit > 0 {
        let _ = write!(line, " visit {}", head.visit);
    }
    if head.compensation != onex_kernel::row::Undoing::None {
        let undoing = format!("{:?}", head.compensation).to_lowercase();
        let _ = write!(line, " compensation {undoing}");
    }
    if let Some(key) = &head.key {
        let _ = write!(line, " key {key}");
    }
    if let Some(error) = &head.error {
        let step = error.step.as_deref().unwrap_or("-");
        let _ = write!(line, " error {} at {step}: {}", error.code, error.message);
    }
    if !head.result.is_null() {
        let _ = write!(line, " result {}", head.result.to_json());
    }
    line
}

fn step_line(row: &StepRow) -> String {
    let mut line = format!("{:?}", row.status).to_lowercase();
    if row.attempts > 1 {
        let _ = write!(line, " attempt {}", row.attempts);
    }
    if row.visit > 0 {
        let _ = write!(line, " visit {}", row.visit);
    }
    if let Some(items) = &row.items {
        let _ = write!(
            line,
            " {} of {} done, {} failed, {} running, next {}",
            items.completed, items.total, items.failed, items.running, items.next
        );
    }
    if row.unknown {
        line.push_str(" unknown");
    }
    if !row.output.is_null() {
        let _ = write!(line, " output {}", row.output.to_json());
    }
    if let Some(error) = &row.error {
        let _ = write!(line, " error {}: {}", error.code, error.message);
    }
    for (index, error) in &row.errors {
        let _ = write!(line, " error[{index}] {}", error.code);
    }
    line
}

fn item_line(row: &ItemRow) -> String {
    let mut line = format!("{:?} {}", row.status, row.input.to_json()).to_lowercase();
    if row.unknown {
        line.push_str(" unknown");
    }
    if !row.output.is_null() {
        let _ = write!(line, " output {}", row.output.to_json());
    }
    if let Some(error) = &row.error {
        let _ = write!(line, " error {}", error.code);
    }
    line
}
