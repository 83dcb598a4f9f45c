//! The kinds as plain data, for contracts to be checked against. One line a kind.

use std::collections::BTreeMap;

use onex_contract::catalog::Catalog;

/// Every kind that [`crate::build`] makes.
pub fn catalog() -> Catalog {
    let kinds = [crate::echo::kind(), crate::filesystem::kind(), crate::http::kind()];
    Catalog { effects: kinds.into_iter().map(|kind| (kind.name, kind)).collect::<BTreeMap<_, _>>() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onex_expr::json::{Limits, parse};

    #[test]
    fn every_schema_is_a_closed_json_object_that_takes_the_common_keys() {
        for kind in catalog().effects.values() {
            for text in [kind.config_schema, kind.response_schema] {
                let schema = parse(text.as_bytes(), &Limits::default()).expect(kind.name);
                assert_eq!(schema.get("type").and_then(|v| v.as_str()), Some("object"));
                assert_eq!(
                    schema.get("additionalProperties").and_then(|v| v.as_bool()),
                    Some(false),
                    "{}",
                    kind.name
                );
            }
            let config = parse(kind.config_schema.as_bytes(), &Limits::default()).expect(kind.name);
            let properties = config.get("properties").expect("properties");
            for key in ["handler_type", "timeout_ms"] {
                assert!(properties.get(key).is_some(), "{} lacks {key}", kind.name);
            }
            for field in kind.url_fields.iter().chain(kind.path_fields) {
                assert!(properties.get(field).is_some(), "{} lacks {field}", kind.name);
            }
        }
    }
}
