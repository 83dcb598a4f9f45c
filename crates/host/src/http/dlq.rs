//! `/v1/dlq`: dead letters.

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use onex_expr::{Key, Map, Text, Value};
use onex_kernel::Id;
use onex_kernel::row::Reason;
use onex_runtime::query::letter::Filter;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port, body};
use crate::shape::{self, time};

/// Every reason.
const REASONS: [Reason; 14] = [
    Reason::InvalidPayload,
    Reason::Unhandled,
    Reason::NoKey,
    Reason::GuardError,
    Reason::ExpressionError,
    Reason::Refused,
    Reason::CompensationFailed,
    Reason::Exhausted,
    Reason::InDoubt,
    Reason::Expired,
    Reason::Exceeded,
    Reason::TooLarge,
    Reason::NoRoute,
    Reason::StepPanicked,
];

/// `GET /v1/dlq`
pub async fn list(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let known = ["node", "reason", "topic", "before", "limit", "after"];
    let params = Params::read(&uri, &known)?;
    let filter = Filter {
        node: params.text("node"),
        reason: params.get("reason").map(reason).transpose()?,
        topic: params.text("topic"),
        before: params.time("before")?,
        open: false,
    };
    let page = port.handle.letters(filter, params.after(), params.limit()?).await?;
    Ok(Json::ok(shape::page(&page, shape::letter::value)))
}

/// `GET /v1/dlq/{id}`
pub async fn get(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    let id = params::id(&params::segment(params::behind(&uri, "/v1/dlq/"))?)?;
    let letter = port.handle.letter(id).await?;
    Ok(Json::ok(shape::letter::value(&letter)))
}

/// `POST /v1/dlq:redrive`
pub async fn redrive(State(port): State<Port>, uri: Uri, body: Body) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    let bytes = body::read(body, &port.limits).await?;
    let wanted = body::parse(&bytes, &port.limits)?;
    let (which, dry_run) = read(&wanted)?;
    let letters = match which {
        Which::Ids(ids) => ids,
        Which::Filter(filter) => port.handle.letter_ids(filter).await?,
    };
    let (redriven, refused) = port.handle.redrive(letters, dry_run).await?;
    Ok(Json::ok(shape::letter::redriven(&redriven, &refused)))
}

enum Which {
    Ids(Vec<Id>),
    Filter(Filter),
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad("invalid_request", detail)
        .help("{\"ids\": [...]} or {\"filter\": {\"node\", \"reason\", \"topic\", \"before\"}}, and \"dry_run\"")
}

fn read(wanted: &Value) -> Result<(Which, bool), Problem> {
    let map = wanted.as_map().ok_or_else(|| bad("a redrive is an object"))?;
    known(map, &["ids", "filter", "dry_run"])?;
    let dry_run = match map.get("dry_run") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(dry_run)) => *dry_run,
        Some(_) => return Err(bad("`dry_run` is true or false")),
    };
    let which = match (map.get("ids"), map.get("filter")) {
        (Some(ids), None) => Which::Ids(read_ids(ids)?),
        (None, Some(filter)) => Which::Filter(read_filter(filter)?),
        _ => return Err(bad("a redrive has either `ids` or a `filter`")),
    };
    Ok((which, dry_run))
}

fn read_ids(ids: &Value) -> Result<Vec<Id>, Problem> {
    let ids = ids.as_list().ok_or_else(|| bad("`ids` is a list"))?;
    let id = |id: &Value| id.as_str().and_then(Id::parse);
    let read: Option<Vec<Id>> = ids.iter().map(id).collect();
    read.ok_or_else(|| bad("every one of `ids` is a UUID"))
}

fn read_filter(filter: &Value) -> Result<Filter, Problem> {
    let map = filter.as_map().ok_or_else(|| bad("`filter` is an object"))?;
    known(map, &["node", "reason", "topic", "before"])?;
    let before = text(map, "before")?
        .map(|before| time::read(&before).ok_or_else(|| bad("`before` is a time")))
        .transpose()?;
    Ok(Filter {
        node: text(map, "node")?,
        reason: text(map, "reason")?.as_deref().map(reason).transpose()?,
        topic: text(map, "topic")?,
        before,
        open: true,
    })
}

/// A reason that a letter can have.
fn reason(given: &str) -> Result<Text, Problem> {
    let words = REASONS.map(Reason::as_str);
    if words.contains(&given) {
        return Ok(Text::from(given));
    }
    let problem = Problem::bad("invalid_parameter", format!("there is no reason `{given}`"));
    let nearest = words.map(|word| (strsim::damerau_levenshtein(word, given), word));
    Err(match nearest.into_iter().min() {
        Some((distance, word)) if distance <= 3 => problem.help(format!("did you mean `{word}`?")),
        _ => problem.help(format!("there are: {}", words.join(", "))),
    })
}

fn text(map: &Map, field: &str) -> Result<Option<Text>, Problem> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(format!("`{field}` is a text"))),
    }
}

fn known(map: &Map, fields: &[&str]) -> Result<(), Problem> {
    for (key, _) in map.iter() {
        if let Key::String(name) = key
            && !fields.contains(&name.as_str())
        {
            return Err(bad(format!("there is no field `{name}`")));
        }
    }
    Ok(())
}
