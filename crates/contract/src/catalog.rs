//! What the host can perform, as plain data: nothing here runs.

use std::collections::BTreeMap;
use std::ops::Range;

use onex_expr::Value;

use crate::source::Source;

/// The effect kinds of a host.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By `handler_type`.
    pub effects: BTreeMap<&'static str, EffectKind>,
}

/// One effect kind.
#[derive(Clone, Debug)]
pub struct EffectKind {
    /// `http`, `filesystem`, `echo`, ...
    pub name: &'static str,
    /// JSON Schema of `io_config`, text.
    pub config_schema: &'static str,
    /// Fields of `io_config` whose template is a URL.
    pub url_fields: &'static [&'static str],
    /// Fields of `io_config` whose template is a file path.
    pub path_fields: &'static [&'static str],
    /// Field of `io_config` that selects the operation (`method`, `operation`), for idempotency.
    pub verb_field: Option<&'static str>,
    /// Verbs (upper or lower case as written in contracts) that are idempotent by default;
    /// `None` when every call is.
    pub idempotent_verbs: Option<&'static [&'static str]>,
    /// Verbs for which the field `body` must be given.
    pub body_verbs: &'static [&'static str],
    /// JSON Schema of `response`, text: what `response.*` may select.
    pub response_schema: &'static str,
    /// Whether answers carry an HTTP-like status that `success_codes` and `refusals` judge.
    pub has_status: bool,
}

/// A place in what a host was told.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file, or what stands for it.
    pub source: Source,
    /// Byte range in it.
    pub span: Range<usize>,
}

/// What the host gives to contracts at load.
#[derive(Clone, Debug, Default)]
pub struct HostValues {
    /// `[config] X`, overridden by `[config.<node>] X` and environment: by node, then key; the node
    /// name `""` holds the values for every node.
    pub config: BTreeMap<String, BTreeMap<String, Value>>,
    /// Environment for `${env.X}`.
    pub env: BTreeMap<String, String>,
    /// Where the host was told so, by key: `config.limit`, `config.payment.limit`, `ingress.allow`.
    /// What has no place is not judged.
    pub places: BTreeMap<String, Place>,
    /// Topics that clients may publish to although they are internal (`[ingress] allow`).
    pub ingress_allow: Vec<String>,
    /// Names of secrets the host can resolve.
    pub secrets: Vec<String>,
    /// What each effect kind may reach (`[effects.<kind>] allow`); a kind that is not there is not
    /// judged.
    pub allow: BTreeMap<String, Vec<String>>,
    /// False for `check` (a missing value is a warning), true for `run` (an error).
    pub strict: bool,
}
