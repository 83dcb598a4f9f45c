//! Triggers: the events of topics that the node hears.

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, text},
    topic::name as topic_name,
    translate::Translation,
};
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// A trigger is the event of a topic that the node hears. One that none of them has gets a command
/// topic of its own, so that whoever drove the machine can still do so.
fn translate(reading: &mut Reading<'_, '_>, written: &Node, made: &mut Translation) -> Node {
    let Tree::String(word) = &written.tree else {
        return written.clone();
    };
    match exact(word, made) {
        Some(event) if event == TIMER => named_timeout(written, made),
        Some(event) => {
            lowered(reading, &event, written);
            heard(&event, written, made)
        }
        None => own_topic(reading, &topic_name::segment(word), written, made),
    }
}

/// The word that names no topic but the timer of a state.
const TIMER: &str = "timeout";

/// Translates a trigger of a machine with timers or without. Without one, a timeout can only be the
/// event of a topic that the node hears; where there is none, the normal form refuses it.
pub(in crate::dialect) fn of_transition(
    reading: &mut Reading<'_, '_>,
    written: &Node,
    made: &mut Translation,
    is_timed: bool,
) -> Node {
    let is_timer = written.as_str().is_some_and(|word| topic_name::segment(word) == TIMER);
    match is_timer && (is_timed || exact(TIMER, made).is_none()) {
        true => text(TIMER, &written.span),
        false => translate(reading, written, made),
    }
}

/// The same of a state that is entered by its name: also the event of the one topic that ends with
/// it, as `order-shipped` does for `shipped`.
pub(in crate::dialect) fn of_state(
    reading: &mut Reading<'_, '_>,
    state: &Node,
    made: &mut Translation,
) -> Node {
    let word = state.as_str().unwrap_or_default();
    if exact(word, made).is_some() {
        return translate(reading, state, made);
    }
    let ending = format!("-{}", topic_name::segment(word));
    let listed = made.topics.subscribe.iter().map(|listed| listed.topic.as_str());
    let ends: Vec<&str> =
        listed.filter(|topic| topic_name::event(topic).ends_with(&ending)).collect();
    let [topic] = ends.as_slice() else {
        return translate(reading, state, made);
    };
    let at = reading.at(&state.span);
    let message = format!("the state `{word}` is entered by `{topic}`");
    reading.findings.note(code::TRIGGER_TOPIC, at, message);
    let event = topic_name::event(topic).to_owned();
    heard(&event, state, made)
}

/// The event of a topic that is this word.
fn exact(word: &str, made: &Translation) -> Option<String> {
    let segment = topic_name::segment(word);
    let mut events = made.topics.subscribe.iter().map(|listed| topic_name::event(&listed.topic));
    events.find(|event| [segment.as_str(), word].contains(event)).map(str::to_owned)
}

/// Notes a trigger that is heard in small letters, as topics are written.
fn lowered(reading: &mut Reading<'_, '_>, event: &str, written: &Node) {
    let word = written.as_str().unwrap_or_default();
    if word.contains(|c: char| c.is_uppercase()) {
        let at = reading.at(&written.span);
        let message = format!("the trigger `{word}` is the event `{event}`");
        reading.findings.note(code::TRIGGER_TOPIC, at, message);
    }
}

/// An event of topics that the node hears.
fn heard(event: &str, written: &Node, made: &mut Translation) -> Node {
    for listed in &mut made.topics.subscribe {
        listed.used |= topic_name::event(&listed.topic) == event;
    }
    text(event, &written.span)
}

/// A topic that the node hears whose event has the timer's word.
fn named_timeout(written: &Node, made: &mut Translation) -> Node {
    let mut listed = made.topics.subscribe.iter_mut();
    let named = listed.find(|listed| topic_name::event(&listed.topic) == TIMER);
    let mut out = Made::new(&written.span);
    if let Some(named) = named {
        named.used = true;
        out.text("topic", named.topic.as_str(), &written.span);
    }
    out.done()
}

/// A command that is the node's own.
fn own_topic(
    reading: &mut Reading<'_, '_>,
    segment: &str,
    written: &Node,
    made: &mut Translation,
) -> Node {
    let word = written.as_str().unwrap_or_default();
    let topic = format!("onex.cmd.{}.{segment}.v1", topic_name::segment(&made.name));
    let is_new = made.topics.subscribe.iter().all(|listed| listed.topic != topic);
    made.topics.hear(topic.clone(), &written.span);
    if is_new {
        let at = reading.at(&written.span);
        let message = format!("no topic here has the trigger `{word}`: it is taken from `{topic}`");
        reading.findings.note(code::TRIGGER_TOPIC, at, message);
    }
    if segment != TIMER {
        return text(segment, &written.span);
    }
    let mut out = Made::new(&written.span);
    out.text("topic", topic, &written.span);
    out.done()
}
