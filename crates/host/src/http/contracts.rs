//! `/v1/contracts`, `/v1/topics` and `/v1/graph`: the checked system.

use axum::extract::State;
use axum::http::Uri;
use onex_runtime::query::Page;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port};
use crate::shape::{self, contract};

/// `GET /v1/contracts`
pub async fn list(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["limit", "after"])?;
    let graph = port.handle.graph();
    let page = page(&params, graph.nodes.iter(), |node| node.name.as_str())?;
    Ok(Json::ok(shape::page(&page, |node| contract::summary(node))))
}

/// `GET /v1/contracts/{name}`
pub async fn get(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    let name = params::segment(params::behind(&uri, "/v1/contracts/"))?;
    let graph = port.handle.graph();
    let at = graph
        .find(&name)
        .ok_or_else(|| Problem::not_found(format!("there is no contract {name}")))?;
    Ok(Json::ok(contract::value(&graph, graph.node(at))))
}

/// `GET /v1/topics`
pub async fn topics(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let params = Params::read(&uri, &["limit", "after"])?;
    let graph = port.handle.graph();
    let page = page(&params, graph.topics.values(), |topic| topic.name.as_str())?;
    let shape = |topic: &&_| contract::topic(&graph, topic);
    Ok(Json::ok(shape::page(&page, shape)))
}

/// `GET /v1/graph`
pub async fn graph(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    Ok(Json::ok(contract::graph(&port.handle.graph())))
}

/// A page of things that stand sorted by name.
fn page<'a, T>(
    params: &Params,
    sorted: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> &str,
) -> Result<Page<&'a T>, Problem> {
    let limit = params.limit()?;
    let after = params.get("after");
    let behind = |thing: &&T| after.is_none_or(|after| name(thing) > after);
    let mut items: Vec<&T> = sorted.filter(behind).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    Ok(Page { next: last.map(|last| name(last).to_owned()), items })
}
