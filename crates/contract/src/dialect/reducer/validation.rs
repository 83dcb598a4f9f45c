//! `validation`: what `is_valid` of a field means.

use std::ops::Range;

use onex_expr::Text;

use crate::dialect::translate::Translation;
use crate::section::fields::Fields;
use crate::yaml::{Node, Tree};

/// The rule of one field.
pub(in crate::dialect) struct Rule {
    /// The values it may have; any when there are none.
    pub values: Vec<Text>,
    /// What of it acts where a condition asks for it.
    pub acts: Vec<Range<usize>>,
}

/// Reads the rules.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    let Some(section) = fields.get("validation") else { return };
    if !matches!(section.tree, Tree::Map(_)) {
        return fields.not_enforced(&["validation"]);
    }
    let Some(mut inner) = Fields::open(fields.reading, section, "`validation`") else { return };
    for item in inner.items("rules") {
        let Some(mut rule) = Fields::open(inner.reading, item, "the rule") else { continue };
        let field = rule.word("field");
        let listed = rule.get("valid_values").map_or(&[][..], Node::items);
        let values = listed.iter().filter_map(scalar).collect();
        let required = rule.get("required").filter(|node| matches!(node.tree, Tree::Bool(true)));
        let acts = listed.iter().chain(rule.get("field")).chain(required);
        let acts = acts.map(|node| node.span.clone()).collect();
        rule.descriptive(&["description", "name", "rule", "type"]);
        rule.not_enforced(&["error_code", "error_message", "invalid_error_code"]);
        rule.close();
        if let Some(field) = field {
            made.rules.insert(field.value, Rule { values, acts });
        }
    }
    inner.descriptive(&["description", "version"]);
    inner.not_enforced(&["strict_mode", "fail_fast"]);
    inner.close();
}

fn scalar(node: &Node) -> Option<Text> {
    match &node.tree {
        Tree::String(text) => Some(text.clone()),
        Tree::Int(number) => Some(number.to_string().into()),
        Tree::Bool(truth) => Some(truth.to_string().into()),
        _ => None,
    }
}
