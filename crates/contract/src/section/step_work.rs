//! What a step does: one of the keys of `step_config`.

use super::fields::Fields;
use super::reading::{Reading, list};
use crate::diagnostic::code;
use crate::model::{Data, Listening, Word, Work};
use crate::yaml::Node;

/// What `step_config` says.
#[derive(Default)]
pub(super) struct What<'a> {
    pub work: Option<Work<'a>>,
    pub input: Option<Data<'a>>,
    pub for_each: Option<Data<'a>>,
    pub max_parallel: Option<u32>,
}

/// Keys of `step_config` that this version does not perform.
const NOT_BUILT: [&str; 3] = ["read", "repeat", "handler"];

/// Reads `step_config`.
pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<What<'a>> {
    let mut fields = Fields::open(reading, node, "`step_config`")?;
    let work = work(&mut fields);
    let alone = matches!(work, Some(Work::Wait(_) | Work::WaitFor { .. } | Work::Fail { .. }));
    let what = if alone {
        What { work, ..What::default() }
    } else {
        What {
            work,
            input: fields.data("input"),
            for_each: fields.cel("for_each"),
            max_parallel: fields.count("max_parallel", 1),
        }
    };
    if what.for_each.is_none() {
        fields.idle(&["max_parallel"], "it bounds the items of a `for_each`");
    }
    if let Some(Work::Publish { payload, .. }) = &what.work {
        fields.idle(&["max_parallel"], "messages are published in one commit");
        if payload.is_some() {
            fields.idle(&["input"], "the message is the `payload`");
        }
    }
    if what.work.is_none() {
        fields.descriptive(&["input", "operation", "trigger", "payload"]);
    }
    fields.not_built(&NOT_BUILT);
    fields.close();
    Some(what)
}

const WORKS: [&str; 8] = [
    "effect_node",
    "compute_node",
    "reducer_node",
    "workflow",
    "publish",
    "wait_ms",
    "wait_for_event",
    "fail",
];

fn work<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<Work<'a>> {
    let given: Vec<&str> = WORKS.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let not_built = NOT_BUILT.iter().any(|key| fields.node().get(key).is_some());
    let at = fields.head();
    match given.as_slice() {
        [] if not_built => None,
        [] => {
            fields
                .reading
                .findings
                .error(code::MISSING_KEY, at, "the step does not say what it does")
                .help(format!("add one of {}", list(&WORKS)));
            None
        }
        ["effect_node"] => {
            let node = fields.word("effect_node")?;
            Some(Work::Effect { node, operation: fields.word("operation") })
        }
        ["compute_node"] => fields.word("compute_node").map(Work::Compute),
        ["reducer_node"] => {
            let node = fields.word("reducer_node");
            let trigger = fields.required_word("trigger");
            Some(Work::Reduce { node: node?, trigger: trigger? })
        }
        ["workflow"] => fields.word("workflow").map(Work::Run),
        ["publish"] => {
            let topic = fields.word("publish")?;
            Some(Work::Publish { topic, payload: fields.data("payload") })
        }
        ["wait_ms"] => fields.cel("wait_ms").map(Work::Wait),
        ["wait_for_event"] => {
            let node = fields.get("wait_for_event")?;
            wait_for(fields.reading, node)
        }
        ["fail"] => {
            let node = fields.get("fail")?;
            fail(fields.reading, node)
        }
        several => {
            let message = format!("a step does one thing, not {}", list(several));
            fields.reading.findings.error(code::BAD_VALUE, at, message);
            None
        }
    }
}

fn wait_for<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Work<'a>> {
    let mut fields = Fields::open(reading, node, "`wait_for_event`")?;
    let event = event(&mut fields);
    let timeout_ms = fields.data("timeout_ms");
    fields.close();
    Some(Work::WaitFor { event: event?, timeout_ms })
}

/// `topic` and `when`.
fn event<'a>(fields: &mut Fields<'a, '_, '_, '_>) -> Option<Listening<'a>> {
    let topic: Option<Word> = fields.required_word("topic");
    let when = fields.cel("when");
    fields.not_built(&["match"]);
    Some(Listening { topic: topic?, when })
}

/// An entry of `cancel_on`.
pub(super) fn listening<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
) -> Option<Listening<'a>> {
    let mut fields = Fields::open(reading, node, "`cancel_on`")?;
    let event = event(&mut fields);
    fields.close();
    event
}

fn fail<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<Work<'a>> {
    let mut fields = Fields::open(reading, node, "`fail`")?;
    let (code, message) = (fields.data("code"), fields.data("message"));
    for (key, given) in [("code", code.is_some()), ("message", message.is_some())] {
        if !given {
            fields.missing(key);
        }
    }
    fields.close();
    Some(Work::Fail { code: code?, message: message? })
}
