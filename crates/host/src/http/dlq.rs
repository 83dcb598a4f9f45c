//! `/v1/dlq`: dead letters.

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use onex_expr::{Key, Map, Text, Value};
use onex_kernel::Id;
use onex_kernel::row::{LetterStatus, Reason};
use onex_runtime::handle::letters::{LETTERS_AT_ONCE_MAX, Redrive};
use onex_runtime::query::letter::Filter;

use super::params::{self, Params};
use super::problem::Problem;
use super::{Json, Port, body};
use crate::shape::{self, time};

/// The longest reason for letting go of a letter.
const REASON_BYTES_MAX: usize = 1024;

/// `GET /v1/dlq`
pub async fn list(State(port): State<Port>, uri: Uri) -> Result<Json, Problem> {
    let known = ["node", "reason", "topic", "before", "status", "limit", "after"];
    let params = Params::read(&uri, &known)?;
    let filter = Filter {
        node: params.text("node"),
        reason: params.get("reason").map(reason).transpose()?,
        topic: params.text("topic"),
        before: params.time("before")?,
        status: statuses(&params)?,
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
    let map = object(&wanted, &["ids", "filter", "dry_run", "discarded", "rate"])?;
    let how = Redrive {
        dry_run: flag(map, "dry_run")?,
        discarded: flag(map, "discarded")?,
        rate: text(map, "rate")?.as_deref().map(rate).transpose()?,
    };
    let mut status = vec![LetterStatus::Open];
    status.extend(how.discarded.then_some(LetterStatus::Discarded));
    let (letters, more) = which(&port, map, status).await?;
    let outcome = port.handle.redrive(letters, how).await?;
    Ok(Json::ok(shape::letter::outcome("redriven", &outcome, more)))
}

/// `POST /v1/dlq:discard`
pub async fn discard(State(port): State<Port>, uri: Uri, body: Body) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    let bytes = body::read(body, &port.limits).await?;
    let wanted = body::parse(&bytes, &port.limits)?;
    let map = object(&wanted, &["ids", "filter", "reason"])?;
    let reason = text(map, "reason")?.filter(|reason| !reason.trim().is_empty());
    let reason = reason.ok_or_else(|| bad("a discard says why: `reason`"))?;
    if reason.len() > REASON_BYTES_MAX {
        return Err(bad(format!("`reason` is longer than {REASON_BYTES_MAX} bytes")));
    }
    let (letters, more) = which(&port, map, vec![LetterStatus::Open]).await?;
    let outcome = port.handle.discard(letters, reason).await?;
    Ok(Json::ok(shape::letter::outcome("discarded", &outcome, more)))
}

/// The letters that are meant, and whether a filter takes more than one request may name.
async fn which(
    port: &Port,
    map: &Map,
    status: Vec<LetterStatus>,
) -> Result<(Vec<Id>, bool), Problem> {
    match (map.get("ids"), map.get("filter")) {
        (Some(ids), None) => Ok((read_ids(ids)?, false)),
        (None, Some(filter)) => {
            let filter = Filter { status, ..read_filter(filter)? };
            Ok(port.handle.letter_ids(filter).await?)
        }
        _ => Err(bad("which letters? either `ids` or a `filter`")),
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad("invalid_request", detail)
        .help("{\"ids\": [...]} or {\"filter\": {\"node\", \"reason\", \"topic\", \"before\"}}; to redrive also \"dry_run\", \"discarded\" and \"rate\", to discard \"reason\"")
}

fn object<'v>(wanted: &'v Value, fields: &[&str]) -> Result<&'v Map, Problem> {
    let map = wanted.as_map().ok_or_else(|| bad("an object is wanted"))?;
    known(map, fields)?;
    Ok(map)
}

fn flag(map: &Map, field: &str) -> Result<bool, Problem> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(bad(format!("`{field}` is true or false"))),
    }
}

/// How many a second: `10/s`, `100/m` or `1000/h`.
fn rate(given: &str) -> Result<f64, Problem> {
    let read = given.split_once('/').and_then(|(number, unit)| {
        let number: u32 = number.trim().parse().ok().filter(|number| *number > 0)?;
        let seconds = match unit.trim() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Some(f64::from(number) / seconds)
    });
    read.ok_or_else(|| bad(format!("`rate` is such as 10/s, 100/m or 1000/h, not {given}")))
}

/// The statuses that a list is about: those that are open, unless it says which, or `all`.
fn statuses(params: &Params) -> Result<Vec<LetterStatus>, Problem> {
    if params.get("status") == Some("all") {
        return Ok(Vec::new());
    }
    let wanted = "open, redriven, discarded or all";
    let status = params.parse("status", wanted, shape::letter::read_status)?;
    Ok(vec![status.unwrap_or(LetterStatus::Open)])
}

fn read_ids(ids: &Value) -> Result<Vec<Id>, Problem> {
    let ids = ids.as_list().ok_or_else(|| bad("`ids` is a list"))?;
    let id = |id: &Value| id.as_str().and_then(Id::parse);
    let read: Option<Vec<Id>> = ids.iter().map(id).collect();
    let read = read.ok_or_else(|| bad("every one of `ids` is a UUID"))?;
    if read.len() > LETTERS_AT_ONCE_MAX {
        return Err(bad(format!("more than {LETTERS_AT_ONCE_MAX} ids in one request")));
    }
    Ok(read)
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
        status: Vec::new(),
    })
}

/// A reason that a letter can have.
fn reason(given: &str) -> Result<Text, Problem> {
    let words = Reason::ALL.map(Reason::as_str);
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
