//! `GET /`: what there is.

use axum::extract::State;
use axum::response::Html;

use super::Port;

const ROUTES: [(&str, &str); 20] = [
    ("GET /health", "liveness with detail"),
    ("GET /ready", "whether requests are taken"),
    ("GET /metrics", "OpenMetrics"),
    ("POST /v1/messages", "publish a message, or a list of them"),
    ("GET /v1/log?topic=&from=&limit=&follow=", "messages of the log"),
    ("POST /v1/workflows/{node}?wait=30s", "start a run"),
    ("GET /v1/workflows?node=&status=", "runs"),
    ("GET /v1/workflows/{run_id}?wait=30s", "a run"),
    ("POST /v1/workflows/{run_id}:cancel", "cancel a run"),
    ("POST /v1/workflows/{run_id}:retry", "retry a run"),
    ("GET /v1/state/{node}?state=&count_by=state", "entities of a reducer"),
    ("GET /v1/state/{node}/{key}?min_offset=&wait=5s", "an entity"),
    ("GET /v1/contracts", "contracts"),
    ("GET /v1/contracts/{name}", "a contract in its normal form"),
    ("GET /v1/topics", "topics"),
    ("GET /v1/graph", "nodes, topics and intents"),
    ("GET /v1/dlq, /v1/dlq/{id}", "dead letters"),
    ("POST /v1/dlq:redrive", "put dead letters back"),
    ("GET /openapi.json", "this, for programs (OpenAPI 3.1)"),
    ("GET /v1/why/{id}", "what something waits for, and how it came to be"),
];

/// A plain page.
pub async fn index(State(port): State<Port>) -> Html<String> {
    let mut page = String::from(
        "<!doctype html><meta charset=utf-8><title>onex</title>\
         <style>body{font:16px system-ui;margin:2rem}td{padding:.2rem 1rem .2rem 0}\
         code{white-space:nowrap}</style><h1>onex</h1>",
    );
    let contracts = port.handle.graph().nodes.len();
    page.push_str(&format!(
        "<p>version {}, {contracts} contracts</p><table>",
        env!("CARGO_PKG_VERSION")
    ));
    for (route, what) in ROUTES {
        let route = route.replace('&', "&amp;");
        page.push_str(&format!("<tr><td><code>{route}</code><td>{what}"));
    }
    page.push_str("</table>");
    Html(page)
}
