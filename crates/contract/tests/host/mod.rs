//! A host's catalog for tests: the kinds that the language's page describes.

use onex_contract::catalog::{Catalog, EffectKind};

/// `http`, `filesystem` and `echo`.
pub fn catalog() -> Catalog {
    let http = EffectKind {
        name: "http",
        config_schema: include_str!("http.config.json"),
        url_fields: &["url_template"],
        path_fields: &[],
        verb_field: Some("method"),
        idempotent_verbs: Some(&["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]),
        body_verbs: &["POST", "PUT", "PATCH"],
        response_schema: r#"{"type": "object", "required": ["status", "headers", "body"], "properties": {"status": {"type": "integer"}, "headers": {"type": "object", "additionalProperties": {"type": "string"}}, "body": {}}}"#,
        has_status: true,
    };
    let filesystem = EffectKind {
        name: "filesystem",
        config_schema: include_str!("filesystem.config.json"),
        url_fields: &[],
        path_fields: &["file_path_template"],
        verb_field: Some("operation"),
        idempotent_verbs: Some(&["read", "delete", "list"]),
        body_verbs: &[],
        response_schema: r#"{"type": "object", "required": ["path", "body"], "properties": {"path": {"type": "string"}, "bytes": {"type": "integer"}, "body": {}}}"#,
        has_status: false,
    };
    let echo = EffectKind {
        name: "echo",
        config_schema: r#"{"type": "object", "properties": {"handler_type": {"const": "echo"}, "timeout_ms": {"type": "integer"}}, "additionalProperties": false}"#,
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: r#"{"type": "object", "required": ["body"], "properties": {"body": {}}}"#,
        has_status: false,
    };
    let kinds = [http, filesystem, echo];
    Catalog { effects: kinds.into_iter().map(|kind| (kind.name, kind)).collect() }
}
