//! `GET /v1/why/{id}`: why something stands where it stands.

use axum::extract::State;
use axum::http::Uri;
use onex_expr::Value;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port};
use crate::shape;

/// One answer as it is; several (a bare entity key that more than one reducer has) as a list.
pub async fn why(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    let what = params::segment(params::behind(&uri, "/v1/why/"))?;
    let found = port.handle.why(what.to_string()).await?;
    let mut shapes: Vec<Value> = found.iter().map(shape::why::value).collect();
    if shapes.len() == 1
        && let Some(only) = shapes.pop()
    {
        return Ok(Json::ok(only));
    }
    Ok(Json::ok(Value::map([("items", Value::list(shapes)), ("next", Value::Null)])))
}
