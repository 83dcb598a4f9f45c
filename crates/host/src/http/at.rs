//! `GET /v1/at/{offset}`: states as they were once a record was applied.

use axum::extract::State;
use axum::http::Uri;
use onex_runtime::query::at::Ask;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port};
use crate::shape;

/// States of an answer: each answer is one look at the whole log, so they are large.
const LIMIT: usize = 10_000;

/// Entities by node and key, then runs by id.
pub async fn at(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["node", "key", "limit", "after"])?;
    let given = params::segment(params::behind(&uri, "/v1/at/"))?;
    let offset = given.parse().map_err(|_| {
        Problem::bad("invalid_offset", format!("{given} is no offset: a whole number from 0"))
    })?;
    let ask = Ask {
        offset,
        node: params.text("node"),
        key: params.text("key"),
        after: params.after(),
        limit: params.limit_to(LIMIT)?.unwrap_or(LIMIT),
    };
    let answer = port.handle.at(ask).await?;
    Ok(Json::ok(shape::at::value(&answer)))
}
