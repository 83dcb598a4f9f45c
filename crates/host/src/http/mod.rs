//! The port: one file a resource.
//!
//! In reading order: [`serve`] connections, [`places`] how many of them, [`stream`] their bytes, [`problem`] how a request fails, [`body`] and
//! [`params`] what comes in, then the resources.

mod at;
mod backup;
mod body;
mod contracts;
mod dlq;
mod health;
mod log;
mod messages;
mod metrics;
mod openapi;
mod params;
mod places;
mod problem;
mod root;
pub mod serve;
mod state;
mod stream;
mod why;
mod workflows;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use onex_expr::{Value, json};
use onex_runtime::Handle;

use crate::config::server::Server;
use problem::Problem;

/// What every route knows.
#[derive(Clone)]
pub struct Port {
    /// The running host.
    pub handle: Handle,
    /// Limits of the port.
    pub limits: Arc<Server>,
}

/// Every route with what it does; `openapi.yaml` describes each, and a test compares both.
fn routes() -> Vec<(&'static str, MethodRouter<Port>)> {
    vec![
        ("/", get(root::index)),
        ("/openapi.json", get(openapi::openapi)),
        ("/health", get(health::health)),
        ("/ready", get(health::ready)),
        ("/metrics", get(metrics::metrics)),
        ("/v1/messages", post(messages::publish)),
        ("/v1/log", get(log::log)),
        ("/v1/workflows", get(workflows::list)),
        ("/v1/workflows/{target}", get(workflows::get).post(workflows::post)),
        ("/v1/state/{node}", get(state::list)),
        ("/v1/state/{node}/{key}", get(state::get)),
        ("/v1/contracts", get(contracts::list)),
        ("/v1/contracts/{name}", get(contracts::get)),
        ("/v1/topics", get(contracts::topics)),
        ("/v1/graph", get(contracts::graph)),
        ("/v1/dlq", get(dlq::list)),
        ("/v1/dlq/{id}", get(dlq::get)),
        ("/v1/dlq:redrive", post(dlq::redrive)),
        ("/v1/dlq:discard", post(dlq::discard)),
        ("/v1/why/{*id}", get(why::why)),
        ("/v1/at/{offset}", get(at::at)),
        ("/v1/backup", get(backup::backup)),
    ]
}

/// The routes as one service.
pub fn router(port: Port) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(port)
}

async fn unknown_route(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_route",
        format!("there is nothing at {}", uri.path()),
    )
    .help("GET / lists every route")
}

async fn wrong_method(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!("{} does not take this method", uri.path()),
    )
}

/// An answer as JSON.
struct Json(StatusCode, Value);

impl Json {
    fn ok(value: Value) -> Json {
        Json(StatusCode::OK, value)
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(256);
        json::write(&self.1, &mut bytes);
        let content = [(axum::http::header::CONTENT_TYPE, "application/json")];
        (self.0, content, bytes).into_response()
    }
}
