//! One node of an execution graph: when, what if, and what.

use super::fields::Fields;
use super::reading::Reading;
use super::step_work;
use crate::diagnostic::code;
use crate::graph::ErrorAction;
use crate::model::{CompensationRule, GraphNode, Located, Word, Work};
use crate::yaml::{Node, Tree};

/// Reads a step.
pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<GraphNode<'a>> {
    let mut fields = Fields::open(reading, node, "the graph node")?;
    let head = fields.head();
    let id = fields.required_word("node_id");
    let node_type = fields.word("node_type");
    fields.descriptive(&["description", "node_name", "version"]);
    let depends_on = fields.words("depends_on");
    let condition = fields.cel("condition");
    let skip_condition = fields.cel("skip_condition");
    let timeout_ms = fields.millis("timeout_ms", 1);
    let error_action = fields.choice("error_action", &ERROR_ACTIONS);
    let what = match fields.get("step_config") {
        Some(node) => step_work::read(fields.reading, node),
        None => {
            fields.missing("step_config");
            None
        }
    };
    let compensation =
        fields.get("compensation").and_then(|node| compensation(fields.reading, node));
    fields.not_built(&["on_event", "collect", "max_visits", "repeat"]);
    fields.not_enforced(&["metadata", "contract_ref", "target_node_type"]);
    if let (Some(_), Some(skip)) = (&condition, &skip_condition) {
        fields
            .reading
            .findings
            .error(code::BAD_VALUE, skip.at, "a step has either `condition` or `skip_condition`")
            .help("join both in `condition`");
    }
    let what = what.unwrap_or_default();
    if matches!(what.work, Some(Work::Publish { .. } | Work::Compute(_) | Work::Fail { .. })) {
        fields.idle(&["timeout_ms"], "the step ends in the commit that begins it");
    }
    if let Some(id) = id.as_ref().filter(|id| !(1..=ID_MAX).contains(&id.as_str().len())) {
        let message = format!("a `node_id` has 1 to {ID_MAX} bytes");
        fields.reading.findings.error(code::BAD_NAME, id.at, message);
    }
    fields.close();
    Some(GraphNode {
        id: id?,
        node_type,
        depends_on,
        condition,
        skip_condition,
        timeout_ms,
        error_action: error_action.unwrap_or(Located { value: ErrorAction::Stop, at: head }),
        compensation,
        work: what.work,
        input: what.input,
        for_each: what.for_each,
        max_parallel: what.max_parallel.unwrap_or(1),
    })
}

/// The longest id of a step, in bytes.
const ID_MAX: usize = 100;

const ERROR_ACTIONS: [(&str, ErrorAction); 4] = [
    ("stop", ErrorAction::Stop),
    ("continue", ErrorAction::Continue),
    ("compensate", ErrorAction::Compensate),
    ("retry", ErrorAction::Retry),
];

fn compensation<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<CompensationRule<'a>> {
    if let Tree::String(text) = &node.tree {
        if text == "none" {
            return Some(CompensationRule::Nothing);
        }
        let message = format!("`compensation` must be `none` or a mapping, not `{text}`");
        reading
            .error(code::BAD_VALUE, node, message)
            .help(format!("write `compensation: {{operation: {text}}}`"));
        return None;
    }
    let mut fields = Fields::open(reading, node, "`compensation`")?;
    let at = fields.at();
    let effect: Option<Word> = fields.word("effect_node");
    let operation = fields.word("operation");
    let input = fields.data("input");
    fields.not_built(&["compute_node", "reducer_node", "workflow", "publish"]);
    fields.close();
    Some(CompensationRule::Operation { at, node: effect, operation, input })
}
