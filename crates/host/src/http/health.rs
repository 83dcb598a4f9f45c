//! `GET /health` and `GET /ready`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use onex_expr::Value;

use super::problem::Problem;
use super::{Json, Port};
use crate::shape;

/// Liveness with detail: 503 only when nothing but a new start helps.
pub async fn health(State(port): State<Port>) -> Json {
    let value = shape::health::value(&port.handle.health());
    let unhealthy = value.get("status").and_then(Value::as_str) == Some("unhealthy");
    let status = if unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Json(status, value)
}

/// Whether requests are taken.
pub async fn ready(State(port): State<Port>) -> Response {
    if port.handle.is_ready() {
        return Json::ok(Value::map([("ready", Value::Bool(true))])).into_response();
    }
    let (code, detail) = if port.handle.health().draining {
        ("draining", "the host is shutting down")
    } else {
        ("starting", "the host is starting")
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).into_response()
}
