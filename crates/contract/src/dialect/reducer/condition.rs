//! `conditions` and `guard` of a transition. One that cannot be judged is never dropped: it stays as
//! it is written, and the node that has it is quarantined.

use crate::diagnostic::code;
use crate::dialect::{
    made::{Made, text},
    reducer::predicate::{self, Meaning},
    translate::Translation,
};
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// What must hold, in the normal form.
pub(in crate::dialect) fn all(
    fields: &mut Fields<'_, '_, '_, '_>,
    made: &Translation,
) -> Vec<Node> {
    let mut all = Vec::new();
    for (key, what) in [("conditions", What::Condition), ("guard", What::Guard)] {
        let Some(written) = fields.get(key) else { continue };
        let items = match &written.tree {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(written),
        };
        for item in items {
            all.extend(one(fields.reading, item, what, made));
        }
    }
    all
}

/// Which of the two a condition is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Two or three words, or an expression: anything else is refused.
    Condition,
    /// Often the name of a function of the older host.
    Guard,
}

/// A condition as those of the normal form; all of them must hold.
fn one(reading: &mut Reading<'_, '_>, item: &Node, what: What, made: &Translation) -> Vec<Node> {
    if matches!(item.tree, Tree::String(_) | Tree::Bool(_)) {
        return said(reading, item, item, None, what, made);
    }
    let Some(mut fields) = Fields::open(reading, item, "the condition") else {
        return vec![item.clone()];
    };
    let name = fields.get("condition_name").cloned();
    let expression = fields.get("expression");
    let required = fields.flag("required").is_none_or(|flag| flag.value);
    fields.acts(&["required"]);
    fields.descriptive(&["version", "description", "condition_type"]);
    fields.not_enforced(&["error_message", "retry_count", "timeout_ms"]);
    if expression.is_none() {
        fields.missing("expression");
    }
    fields.close();
    match expression {
        // Older hosts did not look at what is not required.
        _ if !required => Vec::new(),
        Some(expression) => said(reading, expression, item, name, what, made),
        None => vec![item.clone()],
    }
}

fn said(
    reading: &mut Reading<'_, '_>,
    expression: &Node,
    item: &Node,
    name: Option<Node>,
    what: What,
    made: &Translation,
) -> Vec<Node> {
    let condition = |value: Node| {
        let mut out = Made::new(&item.span);
        if let Some(name) = &name {
            out.put("condition_name", name.clone());
        }
        out.put("expression", value);
        out.done()
    };
    let Tree::String(written) = &expression.tree else {
        return vec![condition(expression.clone())];
    };
    let texts = match predicate::read(written, &made.rules) {
        Meaning::All(texts) => texts,
        Meaning::None(why) if what == What::Condition => {
            let message = match written.trim().is_empty() {
                true => "the condition says nothing".to_owned(),
                false => format!("`{written}`: {why}"),
            };
            reading.error(code::BAD_PREDICATE, expression, message);
            return vec![condition(expression.clone())];
        }
        Meaning::Unknown | Meaning::None(_) => {
            let message = format!("`{written}` is a predicate that is not known");
            let at = reading.at(&expression.span);
            reading
                .findings
                .warning(code::BAD_PREDICATE, at, message)
                .help("the node is left out: nothing may happen unguarded; write an expression");
            return vec![condition(expression.clone())];
        }
    };
    for rule in made.rules.iter().filter(|(field, _)| is_valid(written, field)) {
        rule.1.acts.iter().for_each(|span| reading.acted(span));
    }
    let is_same = |text: &String| text == written.as_str();
    let value = |cel: String| match is_same(&cel) {
        true => condition(expression.clone()),
        false => condition(text(cel, &expression.span)),
    };
    texts.into_iter().map(value).collect()
}

/// Whether a condition asks whether this field is valid.
fn is_valid(written: &str, field: &str) -> bool {
    written.split_whitespace().eq([field, "is_valid"])
}
