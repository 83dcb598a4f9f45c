//! What is known of the steps of a workflow: which end before which, and what they yield.

use std::sync::Arc;

use onex_expr::{Field, ObjectType, Template, Text, Type, Value};

use super::super::callers::Called;
use super::super::expression::Want;
use super::super::scope::{self, Roots};
use super::super::types::{nullable, object};
use super::super::{Linker, node_index};
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::roots::orchestrator as slot;
use crate::graph::{ErrorAction, Listening, StepWork};
use crate::model::{self, Ancestors, At, Contract, Data, GraphNode, Word, Work, Workflow};
use crate::system::event_segment;
use crate::topic::intent_topic;
use crate::yaml::{Node, Tree};

/// Steps and the types of what they yield.
pub(super) struct Outputs<'w, 'a> {
    workflow: &'w Workflow<'a>,
    ancestors: Ancestors,
    items: Vec<Type>,
    /// `steps`, with what is known so far.
    seen: Arc<ObjectType>,
}

impl<'w, 'a> Outputs<'w, 'a> {
    /// Nothing known yet.
    pub(super) fn of(workflow: &'w Workflow<'a>) -> Self {
        let unknown = |node: &GraphNode<'_>| (node.id.value.clone(), known(Type::Dyn));
        let fields = workflow.nodes.iter().map(unknown).collect();
        Outputs {
            workflow,
            ancestors: workflow.ancestors(),
            items: vec![Type::Dyn; workflow.nodes.len()],
            seen: Arc::new(ObjectType { name: None, fields, open: false }),
        }
    }

    /// Every step after those it waits for; steps on a cycle come somewhere.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.workflow.nodes.len()).collect();
        order.sort_by_key(|at| self.ancestors.count(*at));
        order
    }

    /// Notes what one run of a step yields.
    pub(super) fn ended(&mut self, at: usize, declared: &GraphNode<'_>, item: Type) {
        let continues = declared.error_action.value == ErrorAction::Continue;
        let skips = declared.condition.is_some() || declared.skip_condition.is_some();
        let mut ty = item.clone();
        if declared.for_each.is_some() {
            let item = if continues { nullable(ty) } else { ty };
            ty = Type::List(Box::new(item));
        }
        if skips || (continues && declared.for_each.is_none()) {
            ty = nullable(ty);
        }
        self.items[at] = item;
        let fields = &mut Arc::make_mut(&mut self.seen).fields;
        fields.insert(declared.id.value.clone(), known(step_type(&ty)));
    }

    /// What one item of a step yields.
    pub(super) fn item(&self, at: usize) -> Type {
        self.items[at].clone()
    }

    /// `steps` as the next step sees it. What it reads of steps that need not have ended is
    /// reported by [`Outputs::check`].
    pub(super) fn so_far(&self) -> Type {
        Type::Object(self.seen.clone())
    }

    /// What the last steps yield, by id.
    pub(super) fn of_last(&self) -> Type {
        let last = self.workflow.last_steps().into_iter();
        let output = |id: &Word| match self.seen.fields.get(&id.value).map(|step| &step.ty) {
            Some(Type::Object(step)) => step.fields.get("output").map(|field| field.ty.clone()),
            _ => None,
        };
        object(last.map(|id| (id.as_str(), output(id).unwrap_or(Type::Dyn))))
    }

    /// Indices of the steps that one waits for.
    pub(super) fn depends_on(&self, at: usize) -> Option<Vec<u16>> {
        let names = &self.workflow.nodes[at].depends_on;
        let mut indices: Vec<u16> = Vec::with_capacity(names.len());
        for name in names {
            let index = u16::try_from(self.workflow.find(name.as_str())?).ok()?;
            if !indices.contains(&index) {
                indices.push(index);
            }
        }
        Some(indices)
    }

    /// Reports what a step reads of steps that need not have ended when it begins.
    pub(super) fn check(
        &self,
        at: usize,
        declared: &GraphNode<'_>,
        template: &Template,
        findings: &mut Findings<'_>,
    ) {
        for path in template.paths(slot::STEPS) {
            let Some(name) = path.first() else { continue };
            let Some(other) = self.workflow.find(name) else {
                continue;
            };
            let read = &self.workflow.nodes[other];
            let place = mention(declared, &read.id.value).unwrap_or(declared.id.at);
            may_be_null(&condition(declared), read, template, place, findings);
            if self.ancestors.has(at, other) {
                continue;
            }
            let me = declared.id.as_str();
            let message = format!("`{me}` reads `steps.{name}` before it exists");
            let help = match other == at {
                true => "a step cannot read its own output".to_owned(),
                false => format!("add `{name}` to `depends_on` of `{me}`"),
            };
            let place = mention(declared, name).unwrap_or(declared.id.at);
            findings.error(code::OUTPUT_TOO_EARLY, place, message).help(help);
        }
    }
}

impl Outputs<'_, '_> {
    /// Reports what the result reads of the output of a step that may have none.
    pub(super) fn check_result(
        &self,
        data: &Data<'_>,
        template: &Template,
        findings: &mut Findings<'_>,
    ) {
        let mut names: Vec<Text> =
            template.paths(slot::STEPS).iter().filter_map(|path| path.first().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let Some(read) = self.workflow.find(&name) else { continue };
            let at = find(data.node, &format!("steps.{name}"), data.at.file).unwrap_or(data.at);
            may_be_null("", &self.workflow.nodes[read], template, at, findings);
        }
    }
}

/// What a step asks before it runs.
fn condition(step: &GraphNode<'_>) -> String {
    let said = step.condition.or(step.skip_condition);
    said.and_then(|said| said.node.as_str()).unwrap_or_default().to_owned()
}

/// Reports what is read of the output of a step that may have none: it may be skipped, or fail and
/// count as done. Whoever asks for its status, its error or `null` knows that, be it in `asked`.
fn may_be_null(
    asked: &str,
    read: &GraphNode<'_>,
    template: &Template,
    at: At,
    findings: &mut Findings<'_>,
) {
    let name = read.id.as_str();
    let skips = read.condition.is_some() || read.skip_condition.is_some();
    let continues = read.error_action.value == ErrorAction::Continue && read.for_each.is_none();
    let alike = !asked.is_empty() && condition(read) == asked && !continues;
    if !(skips || continues) || alike || guards(asked, name) {
        return;
    }
    let mut found = false;
    template.for_each_program(&mut |program| {
        let text = program.source();
        let path = format!("steps.{name}.output");
        let mut reads = text.match_indices(&path).map(|(at, _)| &text[at + path.len()..]);
        let plain = |rest: &str| {
            let inside = rest.strip_prefix('.').or_else(|| rest.strip_prefix('['));
            inside.is_some_and(|inside| !inside.starts_with('?'))
        };
        found |= reads.any(plain) && !guards(text, name);
    });
    if found {
        let why = if skips { "is skipped" } else { "fails and goes on" };
        let message = format!("`steps.{name}.output` is null when `{name}` {why}");
        let help = format!("read `steps.{name}.output.?field.orValue(...)`");
        findings.warning(code::MAYBE_MISSING, at, message).help(help);
    }
}

/// Whether an expression asks how a step ended before it reads the output.
fn guards(text: &str, step: &str) -> bool {
    let asks = ["status", "error", "output == null", "output != null"];
    let asks = asks.iter().any(|what| text.contains(&format!("steps.{step}.{what}")));
    asks || text.contains(&format!("has(steps.{step}.output"))
}

/// A step that triggers a reducer.
pub(super) fn reduce(
    linker: &mut Linker<'_, '_, '_>,
    contract: &Contract<'_>,
    (name, trigger): (&Word, &Word),
    given: &Type,
    declared: &GraphNode<'_>,
) -> Option<StepWork> {
    let system = linker.system;
    let target = system.find(name.as_str())?;
    let reducer = &system.contracts[target];
    let heard = reducer.event_bus.subscribe.iter();
    let mut alike =
        heard.filter(|entry| event_segment(entry.topic.as_str()) == Some(&trigger.value));
    let schema = alike.find_map(|entry| system.schema_of(entry.payload.as_ref()));
    let at = declared.input.map_or(declared.id.at, |data| data.at);
    match schema {
        Some(schema) => {
            let whose = "what the reducer wants under this trigger";
            linker.fits(given, schema, at, "this input", whose);
        }
        None => {
            let called = Called::Heard(node_index(target)?, trigger.value.clone());
            linker.call(called, given, at);
        }
    }
    let index = linker.step_triggers.get(&(target, trigger.value.clone())).copied()?;
    Some(StepWork::Reduce {
        node: node_index(target)?,
        trigger: index,
        topic: intent_topic(contract.name.as_str(), trigger.as_str()).into(),
        schema: schema.cloned(),
    })
}

/// What a step that triggers a reducer yields.
pub(super) fn entity_type() -> Type {
    object([
        ("key", Type::String),
        ("state", Type::String),
        ("data", Type::Dyn),
        ("version", Type::Int),
        ("applied", Type::Bool),
    ])
}

/// What is known of a topic's events.
pub(super) fn event_type(linker: &Linker<'_, '_, '_>, topic: &str) -> Type {
    linker.producer_type(topic)
}

/// An event that runs listen for.
pub(super) fn listening(
    linker: &mut Linker<'_, '_, '_>,
    node: usize,
    declared: &model::Listening<'_>,
    roots: &Roots,
) -> Option<Listening> {
    let payload = event_type(linker, declared.topic.as_str());
    let roots = roots.clone().with(slot::PAYLOAD, payload);
    let when = match declared.when {
        Some(data) => Some(linker.expressions(node).cel(data, Want::Bool, roots.scope())?),
        None => None,
    };
    Some(Listening { topic: declared.topic.value.clone(), when })
}

/// Reports a pause that stands there as a number and can be none.
pub(super) fn check_pause(pause: &Template, data: Data<'_>, findings: &mut Findings<'_>) {
    let wrong = match pause.as_literal() {
        Some(Value::Int(ms)) => *ms < 0,
        Some(Value::Double(ms)) => *ms < 0.0 || ms.fract() != 0.0,
        _ => false,
    };
    if wrong {
        findings
            .error(code::BAD_VALUE, data.at, "this is no number of milliseconds")
            .help("write a whole number of at least 0");
    }
}

fn known(ty: Type) -> Field {
    Field { ty, required: true }
}

fn step_type(output: &Type) -> Type {
    let [code, message] = scope::fault();
    let item = object([("index", Type::Int), code.clone(), message.clone()]);
    object([
        ("output", output.clone()),
        ("status", Type::String),
        ("error", nullable(object([code, message]))),
        ("errors", Type::List(Box::new(item))),
    ])
}

/// Where a step's data first speaks of `steps.<name>`.
fn mention(declared: &GraphNode<'_>, name: &Text) -> Option<At> {
    let work = match &declared.work {
        Some(Work::Publish { payload, .. }) => [*payload, None],
        Some(Work::Wait(data)) => [Some(*data), None],
        Some(Work::WaitFor { event, timeout_ms }) => [event.when, *timeout_ms],
        Some(Work::Fail { code, message }) => [Some(*code), Some(*message)],
        _ => [None, None],
    };
    let places = [declared.condition, declared.skip_condition, declared.for_each, declared.input];
    let text = format!("steps.{name}");
    places.into_iter().chain(work).flatten().find_map(|data| find(data.node, &text, data.at.file))
}

fn find(node: &Node, wanted: &str, file: u32) -> Option<At> {
    match &node.tree {
        Tree::String(text) => {
            let start = text.find(wanted)?;
            Some(At::new(file, &node.source_range(start..start + wanted.len())))
        }
        Tree::List(items) => items.iter().find_map(|item| find(item, wanted, file)),
        Tree::Map(entries) => entries.iter().find_map(|entry| find(&entry.value, wanted, file)),
        _ => None,
    }
}
