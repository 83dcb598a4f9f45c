//! How a request fails: RFC 9457 problem details with a stable `code`.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use onex_engine::Refusal;
use onex_expr::{Value, json};
use onex_kernel::Id;
use onex_runtime::query::QueryError;

use crate::shape;

/// Seconds after which a client that was told to come back may: the store looks so often whether a
/// full disk has room again, and what waits when it is too much is a second's work at most. How long
/// it takes until another host is there when this one drains, nobody here knows.
const RETRY_AFTER_S: &str = "1";

/// See the module.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Box<str>,
    help: Option<Box<str>>,
    diagnostics: Vec<(String, String)>,
    limit: Option<&'static str>,
    run_id: Option<Id>,
}

impl Problem {
    /// A problem with its code and what is wrong with this request.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            code,
            detail: detail.into().into(),
            help: None,
            diagnostics: Vec::new(),
            limit: None,
            run_id: None,
        }
    }

    /// 400: the request makes no sense.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The same with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into().into());
        self
    }

    /// The same with the limit that stands in the way, by its key in the configuration.
    #[must_use]
    pub fn limit(mut self, limit: &'static str) -> Problem {
        self.limit = Some(limit);
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        let mut entries = vec![
            ("type", Value::text(format!("urn:onex:problem:{}", self.code))),
            ("title", Value::text(self.code.replace('_', " "))),
            ("status", Value::Int(i64::from(self.status.as_u16()))),
            ("code", Value::text(self.code)),
            ("detail", Value::text(&*self.detail)),
        ];
        if let Some(help) = &self.help {
            entries.push(("help", Value::text(&**help)));
        }
        if !self.diagnostics.is_empty() {
            let diagnostics = self.diagnostics.iter().map(|(at, message)| {
                Value::map([
                    ("at", Value::text(at.as_str())),
                    ("message", Value::text(message.as_str())),
                ])
            });
            entries.push(("diagnostics", Value::list(diagnostics.collect())));
        }
        if let Some(limit) = self.limit {
            entries.push(("limit", Value::text(limit)));
        }
        if let Some(run) = self.run_id {
            entries.push(("run_id", shape::id(run)));
        }
        Value::map(entries)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Problem {
            status: StatusCode::from_u16(refusal.status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: refusal.code,
            detail: refusal.message.into(),
            help: None,
            diagnostics: refusal.misfits,
            limit: refusal.limit,
            run_id: refusal.run_id,
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::NotFound(what) => Problem::not_found(what),
            QueryError::Invalid(what) => Problem::bad("invalid_parameter", what),
            QueryError::NotRetained { .. } => {
                Problem::new(StatusCode::GONE, "not_retained", error.to_string())
            }
            QueryError::Store(_) | QueryError::Corrupt(_) => {
                tracing::error!(%error, "a query failed");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Problem::new(status, "internal", error.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(256);
        json::write(&self.value(), &mut bytes);
        let content = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content, bytes).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let after = HeaderValue::from_static(RETRY_AFTER_S);
            response.headers_mut().insert(RETRY_AFTER, after);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_to_come_back_is_told_when() {
        for (status, after) in [(429, true), (503, true), (409, false), (500, false)] {
            let refusal = Refusal::new(status, "word", "text");
            let response = Problem::from(refusal).into_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().contains_key(RETRY_AFTER), after);
        }
    }
}
