//! `/v1/state`: entities of reducers.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use onex_expr::Value;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port};
use crate::shape;

const PREFIX: &str = "/v1/state/";

/// How long `min_offset` waits when nobody says so.
const WAIT: Duration = Duration::from_secs(5);

/// `GET /v1/state/{node}`
pub async fn list(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["state", "count_by", "limit", "after"])?;
    let node = params::segment(params::behind(&uri, PREFIX))?;
    match params.get("count_by") {
        None => {}
        Some("state") => {
            let counts = port.handle.counts(node).await?;
            let counts = counts.into_iter().map(|(state, number)| (state, shape::count(number)));
            return Ok(Json::ok(Value::map([("counts", Value::map(counts))])));
        }
        Some(other) => {
            let detail = format!("entities are counted by `state`, not by {other}");
            return Err(Problem::bad("invalid_parameter", detail));
        }
    }
    let page =
        port.handle.entities(node, params.text("state"), params.after(), params.limit()?).await?;
    Ok(Json::ok(shape::page(&page, shape::entity::value)))
}

/// `GET /v1/state/{node}/{key}`
pub async fn get(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["min_offset", "wait"])?;
    let path = params::behind(&uri, PREFIX);
    let (node, key) = path.split_once('/').unwrap_or((path, ""));
    let (node, key) = (params::segment(node)?, params::segment(key)?);
    let offset = params.parse("min_offset", "an offset", |text| text.parse().ok())?;
    if let Some(offset) = offset {
        let wait = params.wait()?.unwrap_or(WAIT);
        if !port.handle.applied(offset, wait).await {
            let detail = format!("offset {offset} is not applied yet");
            let status = StatusCode::GATEWAY_TIMEOUT;
            return Err(Problem::new(status, "not_applied", detail));
        }
    }
    let entity = port.handle.entity(node, key).await?;
    Ok(Json::ok(shape::entity::value(&entity)))
}
