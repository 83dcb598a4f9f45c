//! When a step runs, and what its failure does: `enabled`, conditions, `skip_on_failure`,
//! `continue_on_error`, `error_action`.

use onex_expr::Text;

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, node, text},
    reducer::predicate::is_in_words,
    switch,
    workflow::coordination::Rules,
    workflow::order::Order,
};
use crate::section::fields::Fields;
use crate::yaml::{Node, Tree};

/// Whether the step is switched off: it counts as done, and what waits for it goes on.
pub(super) fn is_off(step: &mut Fields<'_, '_, '_, '_>) -> bool {
    step.acts(&["enabled"]);
    let is_off = switch::is_off(step.node());
    if is_off {
        switch::tell(step.reading, step.node(), "the step");
    }
    is_off
}

/// The work of a step that is off and says none that could be done here.
pub(super) fn nothing(step: &Node) -> Node {
    let mut out = Made::new(&step.span);
    out.put("wait_ms", node(Tree::Int(1), &step.span));
    out.done()
}

/// The steps whose failure skips this one: each that runs before it. They are waited for, whether
/// the file says so or not: what has not ended may still fail.
pub(super) fn skipped_by<'o>(
    step: &mut Fields<'_, '_, '_, '_>,
    id: &str,
    is_off: bool,
    order: &'o Order,
) -> &'o [Text] {
    let skips = step.flag("skip_on_failure").filter(|flag| flag.value && !is_off);
    step.acts(&["skip_on_failure"]);
    match skips {
        Some(_) => order.before(id),
        None => &[],
    }
}

/// Puts the condition under which a step runs.
pub(super) fn condition(
    step: &mut Fields<'_, '_, '_, '_>,
    out: &mut Made,
    is_off: bool,
    earlier: &[Text],
) {
    let config = step.node().get("step_config");
    let mut said = |key| step.get(key).or_else(|| config?.get(key));
    let (when, unless) = (said("condition"), said("skip_condition"));
    if is_off {
        when.iter().chain(&unless).for_each(|written| step.reading.acted(&written.span));
        return out.put("condition", node(Tree::Bool(false), &step.node().span));
    }
    for written in when.iter().chain(&unless) {
        let Some(text) = written.as_str().filter(|text| is_in_words(text)) else { continue };
        let at = step.reading.at(&written.span);
        let message =
            format!("`{text}` is no condition of a step: only guards of a reducer are words");
        let help = "write an expression, such as `input.approved == true` or `has(input.x)`";
        step.reading.findings.warning(code::BAD_PREDICATE, at, message).help(help);
    }
    let is_joined = !earlier.is_empty() || (when.is_some() && unless.is_some());
    let words = || when.iter().chain(&unless).all(|written| cel(written).is_some());
    if !is_joined || !words() {
        // What is no expression stays as it is written: the normal form judges it.
        when.into_iter().for_each(|when| out.put("condition", when.clone()));
        unless.into_iter().for_each(|unless| out.put("skip_condition", unless.clone()));
        return;
    }
    let when_holds = when.and_then(cel).map(|when| format!("({when})"));
    let unless_fails = unless.and_then(cel).map(|unless| format!("!({unless})"));
    let none_failed = earlier.iter().map(|id| format!("steps.{id}.status != 'failed'"));
    let all: Vec<String> = when_holds.into_iter().chain(unless_fails).chain(none_failed).collect();
    let at = when.or(unless).map_or(&step.node().span, |written| &written.span).clone();
    when.iter().chain(&unless).for_each(|written| step.reading.acted(&written.span));
    out.put("condition", text(all.join(" && "), &at));
}

/// An expression, or a truth value as one.
fn cel(written: &Node) -> Option<String> {
    match &written.tree {
        Tree::String(text) => Some(text.to_string()),
        Tree::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Puts what undoes a step of an effect: `compensation_action` names an operation of it.
pub(super) fn undone_by(step: &mut Fields<'_, '_, '_, '_>, out: &mut Made, rules: &Rules) {
    let is_effect = step.node().get("step_config").is_some_and(|c| c.get("effect_node").is_some());
    if !rules.compensates || !is_effect || out.has("compensation") {
        return step.not_enforced(&["compensation_action"]);
    }
    if let Some(action) = step.word("compensation_action") {
        let at = action.at.span();
        let mut compensation = Made::new(&at);
        compensation.text("operation", action.value, &at);
        out.put("compensation", compensation.done());
    }
}

/// Puts what a failed step does to the run.
pub(super) fn on_error(step: &mut Fields<'_, '_, '_, '_>, out: &mut Made, rules: &Rules) {
    if let Some(action) = step.get("error_action") {
        match action.as_str() {
            Some(word) => out.text("error_action", word.to_ascii_lowercase(), &action.span),
            None => out.put("error_action", action.clone()),
        }
    }
    let goes_on = step.flag("continue_on_error").is_some_and(|flag| flag.value);
    if out.has("error_action") {
        step.idle(&["continue_on_error"], "`error_action` counts");
    }
    step.acts(&["continue_on_error"]);
    if goes_on || rules.goes_on {
        out.text("error_action", "continue", &step.node().span);
    }
}
