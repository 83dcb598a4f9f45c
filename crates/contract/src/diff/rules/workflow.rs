//! Workflows: a run stays with the graph that began it, so what is inside changes without harm;
//! what callers and hearers see does not.

use super::super::rule::{Case, Judge, Judged, Rule, compatible, parts, rule, whole};
use super::super::verdict::Verdict::{Breaking, Compatible, NeedsDrain};
use super::super::verdict::{Touches, What};
use super::PAYLOAD;
use crate::model::Workflow;

const BEGUN: &str = "runs that have begun keep their graph";

pub(super) const RULES: &[Rule] = &[
    rule(
        "workflow_coordination",
        Judge::Each(
            (Compatible, "it had nothing to run before"),
            (Breaking, "it has nothing to run any more: no run can be started"),
            (Compatible, BEGUN),
        ),
    ),
    rule("workflow_coordination.workflow_definition.workflow_metadata.run_key", Judge::By(run_key)),
    parts("workflow_coordination.workflow_definition.execution_graph.nodes", compatible(BEGUN)),
    rule("workflow_coordination.workflow_definition.execution_graph.nodes[]", Judge::By(step)),
    whole(
        "workflow_coordination.workflow_definition.execution_graph.nodes[].depends_on",
        Judge::By(step),
    ),
    rule("workflow_coordination.workflow_definition.result", Judge::By(result)),
    rule(
        "workflow_coordination.workflow_definition.result.*",
        Judge::Told(
            (Compatible, "callers get a field more"),
            (Compatible, "the field is made differently"),
        ),
    ),
    rule("workflow_coordination.workflow_definition.outcomes.*", Judge::By(outcome)),
    parts("workflow_coordination.workflow_definition.outcomes", Judge::By(outcome)),
    rule("workflow_coordination.workflow_definition.outcomes.*.event", Judge::Elsewhere),
    parts("workflow_coordination.workflow_definition.outcomes.*.payload", PAYLOAD),
];

fn run_key(case: &Case<'_, '_>) -> Judged {
    let reason = "runs that are alive are known by their old key: a second one could begin";
    let node = case.old.name.as_str().to_owned();
    match case.what {
        What::Removed => Judged::new(Compatible, "several runs may be alive at a time"),
        _ => Judged::new(NeedsDrain, reason).touching(Touches::Runs { node }),
    }
}

fn step(case: &Case<'_, '_>) -> Judged {
    if let (Some(old), Some(new)) = (&case.old.workflow, &case.new.workflow) {
        let unsaid = old.result.is_none() && new.result.is_none();
        if unsaid && last_steps(old) != last_steps(new) {
            let reason = "no `result` is said, so it is made of the last steps, which are others";
            return Judged::new(Breaking, reason);
        }
    }
    Judged::new(Compatible, BEGUN)
}

/// The ids of the last steps.
fn last_steps<'w>(workflow: &'w Workflow<'_>) -> Vec<&'w str> {
    workflow.last_steps().into_iter().map(|id| id.as_str()).collect()
}

fn result(_: &Case<'_, '_>) -> Judged {
    Judged::new(Breaking, "callers get a result of another form")
}

/// Whether cancelled runs ended with the message of failed ones, and now with one on another topic.
fn leaves_failed(case: &Case<'_, '_>) -> bool {
    let old = case.old.workflow.as_ref().and_then(|workflow| workflow.outcomes.failed.as_ref());
    let new = case.new.workflow.as_ref().and_then(|workflow| workflow.outcomes.cancelled.as_ref());
    old.zip(new).is_some_and(|(old, new)| old.topic.value != new.topic.value)
}

fn outcome(case: &Case<'_, '_>) -> Judged {
    let outcomes = case.new.workflow.as_ref().map(|workflow| &workflow.outcomes);
    let falls_back = outcomes.is_some_and(|outcomes| outcomes.failed.is_some());
    match case.what {
        What::Added if case.difference.last() == "cancelled" && leaves_failed(case) => {
            let reason =
                "who hears of cancelled runs by the message of failed ones does not any more";
            Judged::new(Breaking, reason)
        }
        What::Added => Judged::new(Compatible, "a fact more"),
        What::Changed => Judged::new(Compatible, "the fact is told differently"),
        What::Removed if case.difference.last() == "cancelled" && falls_back => {
            Judged::new(Compatible, "a cancelled run ends with the message of a failed one")
        }
        What::Removed => Judged::new(Breaking, "who waits for the end of the run is not told"),
    }
}
