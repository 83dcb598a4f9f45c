//! `/v1/workflows`: starts, lists, waits, cancels and retries of runs.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use onex_engine::input::StartRun;
use onex_expr::{Text, Value};
use onex_kernel::Id;
use onex_runtime::handle::new_id;
use onex_runtime::query::run::{Filter, has_ended};

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port, body};
use crate::shape;

const PREFIX: &str = "/v1/workflows/";

/// Longest Idempotency-Key, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// `GET /v1/workflows`
pub async fn list(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let known = ["node", "status", "key", "correlation_id", "started_after", "limit", "after"];
    let params = Params::read(&uri, &known)?;
    let words = "pending, running, paused, completed, failed or cancelled";
    let filter = Filter {
        node: params.text("node"),
        status: params.parse("status", words, shape::run::read_status)?,
        key: params.text("key"),
        correlation_id: params.id("correlation_id")?,
        started_after: params.time("started_after")?,
    };
    let page = port.handle.runs(filter, params.after(), params.limit()?).await?;
    Ok(Json::ok(shape::page(&page, shape::run::value)))
}

/// `GET /v1/workflows/{run_id}`
pub async fn get(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["wait"])?;
    let run = params::id(&params::segment(params::behind(&uri, PREFIX))?)?;
    let run = port.handle.run(run, params.wait()?).await?;
    Ok(Json::ok(shape::run::value(&run)))
}

/// `POST /v1/workflows/{node}`, `POST /v1/workflows/{run_id}:cancel` and `:retry`
pub async fn post(State(port): State<Port>, request: Request) -> Result<Json, Problem> {
    let (parts, body) = request.into_parts();
    let params = Params::read(&parts.uri, &["wait"])?;
    let target = params::segment(params::behind(&parts.uri, PREFIX))?;
    let Some((run, verb)) = target.rsplit_once(':') else {
        return start(&port, target, &params, &parts.headers, body).await;
    };
    Box::pin(steer(&port, params::id(run)?, verb, &params)).await
}

async fn steer(port: &Port, run: Id, verb: &str, params: &Params) -> Result<Json, Problem> {
    match verb {
        "cancel" => port.handle.cancel(run).await?,
        "retry" => port.handle.retry(run).await?,
        _ => {
            let detail = format!("a run cannot be told to {verb}");
            return Err(Problem::not_found(detail).help("there are: cancel, retry"));
        }
    }
    let run = port.handle.run(run, params.wait()?).await?;
    Ok(Json(StatusCode::ACCEPTED, shape::run::value(&run)))
}

async fn start(
    port: &Port,
    node: Text,
    params: &Params,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json, Problem> {
    let wait = params.wait()?;
    let key = header(headers, "idempotency-key")?;
    let correlation_id = match header(headers, "correlation-id")? {
        Some(text) => Id::parse(text)
            .ok_or_else(|| Problem::bad("invalid_header", "Correlation-Id is a UUID"))?,
        None => new_id(),
    };
    let bytes = body::read(body, &port.limits).await?;
    let input =
        if bytes.is_empty() { Value::map::<Text>([]) } else { body::parse(&bytes, &port.limits)? };
    let started = port
        .handle
        .start(
            StartRun {
                run_id: key.map_or_else(new_id, |key| Id::of_text(&node, key)),
                key_given: key.is_some(),
                input: body::payload(input),
                correlation_id,
                node,
            },
            wait,
        )
        .await?;
    let status = if wait.is_some() && has_ended(started.status) {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(Json(status, shape::run::started(&started)))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|text| !text.is_empty());
    let text = text.filter(|text| text.len() <= KEY_BYTES_MAX);
    text.map(Some).ok_or_else(|| {
        let detail = format!("{name} is a text of 1 to {KEY_BYTES_MAX} bytes");
        Problem::bad("invalid_header", detail)
    })
}
