//! `GET /v1/log`: messages of the log, as a list, as server-sent events, or as a chain of causes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use onex_expr::json;
use onex_kernel::Id;
use onex_runtime::Handle;
use onex_runtime::query::log::{Filter, Position, Record};

use super::params::Params;
use super::problem::Problem;
use super::{Json, Port};
use crate::shape;

/// Records that one look at the log takes for a follower.
const FOLLOW_RECORDS: usize = 256;

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Lists or follows.
pub async fn log(
    State(port): State<Port>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = ["topic", "from", "after", "limit", "follow", "chain"];
    let params = Params::read(&uri, &known)?;
    if let Some(id) = params.id("chain")? {
        return chain(&port, &params, id).await;
    }
    let filter = Filter { topic: params.text("topic") };
    let follow = params.parse("follow", "true or false", |text| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })?;
    let position = params.position()?;
    if follow != Some(true) {
        let from = position.unwrap_or(Position::Beginning);
        let page = port.handle.log(filter, from, params.limit()?).await?;
        let list = shape::page(&page, shape::record::value);
        return Ok(Json::ok(list).into_response());
    }
    let limit = params.parse("limit", "a whole number", |text| text.parse().ok())?;
    let from = match behind_last_event(&headers)? {
        Some(offset) => Position::Offset(offset),
        None => position.unwrap_or(Position::End),
    };
    let from = port.handle.offset_of(from).await?;
    let follower = Follower {
        handle: port.handle.clone(),
        filter,
        next: from,
        left: limit.unwrap_or(usize::MAX),
        ready: Vec::new().into_iter(),
    };
    let events = stream::unfold(follower, Follower::step);
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

/// The causes of a message, run, intent or dead letter, and what came of it.
async fn chain(port: &Port, params: &Params, id: Id) -> Result<Response, Problem> {
    if let Some(other) =
        ["topic", "after", "limit", "follow"].into_iter().find(|name| params.get(name).is_some())
    {
        let detail = format!("a chain is told as a whole: `{other}` does not go with `chain`");
        return Err(Problem::bad("invalid_parameter", detail));
    }
    let from = match params.position()? {
        Some(position) => Some(port.handle.offset_of(position).await?),
        None => None,
    };
    let chain = port.handle.chain(id, from).await?;
    Ok(Json::ok(shape::chain::value(&chain)).into_response())
}

/// The offset behind the last event that a client has seen.
fn behind_last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(given) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let read = given.to_str().ok().and_then(|text| text.parse::<u64>().ok()?.checked_add(1));
    read.map(Some).ok_or_else(|| Problem::bad("invalid_header", "Last-Event-ID is an offset"))
}

/// Somebody who follows the log.
struct Follower {
    handle: Handle,
    filter: Filter,
    next: u64,
    left: usize,
    ready: std::vec::IntoIter<Record>,
}

impl Follower {
    async fn step(mut self) -> Option<(Result<Event, Infallible>, Follower)> {
        if self.left == 0 {
            return None;
        }
        loop {
            if let Some(record) = self.ready.next() {
                self.left -= 1;
                let data = json::to_string(&shape::record::value(&record));
                let event = Event::default().id(record.offset.to_string()).data(data);
                return Some((Ok(event), self));
            }
            let most = self.left.min(FOLLOW_RECORDS);
            let tailed = self.handle.tail(self.filter.clone(), self.next, most).await?;
            match tailed {
                Ok(slice) => {
                    self.next = slice.next;
                    self.ready = slice.records.into_iter();
                }
                Err(error) => {
                    let problem = Problem::from(error).value();
                    self.left = 0;
                    let event = Event::default().event("error").data(json::to_string(&problem));
                    return Some((Ok(event), self));
                }
            }
        }
    }
}
