//! `input_model` and `output_model`: the name of a class, which is a schema where the file defines
//! one of that name.

use crate::dialect::{made::text, translate::Translation};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::yaml::Node;

/// Takes the models over that name a definition of an orchestrator.
pub(in crate::dialect) fn translate(fields: &mut Fields<'_, '_, '_, '_>, made: &mut Translation) {
    for (key, keys) in [("input_model", ["input_model"]), ("output_model", ["output_model"])] {
        let Some(model) = fields.get(key) else { continue };
        let named = model.get("name").unwrap_or(model);
        let class = named.as_str().and_then(|name| name.rsplit(['.', ':']).next());
        let known = class.filter(|class| made.definitions.contains(*class));
        match known.filter(|_| made.kind == Some(Kind::Orchestrator)) {
            Some(class) => put(made, key, class, named),
            None => fields.not_enforced(&keys),
        }
    }
}

fn put(made: &mut Translation, key: &'static str, class: &str, named: &Node) {
    made.out.put(key, text(class, &named.span));
}
