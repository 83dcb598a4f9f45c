//! The effect kinds of the bench: one with statuses, one without.

use onex_contract::catalog::{Catalog, EffectKind};

const ANYTHING: &str = r#"{"type": "object", "additionalProperties": true}"#;

/// `http` and `echo`.
pub fn catalog() -> Catalog {
    let http = EffectKind {
        name: "http",
        config_schema: ANYTHING,
        url_fields: &["url_template"],
        path_fields: &[],
        verb_field: Some("method"),
        idempotent_verbs: Some(&["GET", "PUT", "DELETE"]),
        body_verbs: &[],
        response_schema: ANYTHING,
        has_status: true,
    };
    let echo = EffectKind {
        name: "echo",
        config_schema: ANYTHING,
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: ANYTHING,
        has_status: false,
    };
    let kinds = [http, echo];
    Catalog { effects: kinds.into_iter().map(|kind| (kind.name, kind)).collect() }
}
