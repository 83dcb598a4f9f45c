//! Request bodies: bounded, read whole, then JSON.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use onex_expr::{Value, json};
use onex_kernel::Payload;

use super::problem::Problem;
use crate::config::server::Server;

/// How much of a body that is too large is read and thrown away, so that the client reads the
/// answer instead of finding its connection closed while it writes.
const DISCARD_MAX: usize = 64 << 20;

/// How long that may take.
const DISCARD_FOR: Duration = Duration::from_secs(5);

/// What a body is called that has a value a line.
const LINES: [&str; 2] = ["application/jsonl", "application/x-ndjson"];

/// Reads a body, as long as that may take.
pub async fn read(body: Body, limits: &Server) -> Result<Bytes, Problem> {
    tokio::time::timeout(limits.body_timeout, whole(body, limits)).await.unwrap_or_else(|_| {
        let detail = format!("the body did not come within {:?}", limits.body_timeout);
        Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_body", detail)
            .help("the limit is `[server] body_timeout`"))
    })
}

async fn whole(body: Body, limits: &Server) -> Result<Bytes, Problem> {
    let mut body = body;
    let mut first: Option<Bytes> = None;
    let mut whole: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::bad("broken_body", format!("the body ended early: {error}"))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let so_far = first.as_ref().map_or(0, Bytes::len) + whole.len();
        if so_far + data.len() > limits.body_max {
            // Whether it was read to its end or not, the answer is the same.
            let _ = Box::pin(tokio::time::timeout(DISCARD_FOR, discard(body))).await;
            return Err(too_large(limits));
        }
        match (&mut first, whole.is_empty()) {
            (None, true) => first = Some(data),
            (held, _) => {
                if let Some(held) = held.take() {
                    whole.extend_from_slice(&held);
                }
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.into()))
}

async fn discard(mut body: Body) {
    let mut left = DISCARD_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn too_large(limits: &Server) -> Problem {
    let detail = format!("the body is longer than {} bytes", limits.body_max);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        .limit("server.body_max")
        .help("the limit is `[server] body_max`")
}

/// Reads a body as JSON.
pub fn parse(bytes: &[u8], limits: &Server) -> Result<Value, Problem> {
    parse_part("the body", bytes, limits)
}

/// Reads one line of a body as JSON.
pub fn parse_line(bytes: &[u8], limits: &Server) -> Result<Value, Problem> {
    parse_part("the line", bytes, limits)
}

fn parse_part(part: &str, bytes: &[u8], limits: &Server) -> Result<Value, Problem> {
    let bounds = json::Limits { depth_max: limits.depth_max };
    json::parse(bytes, &bounds).map_err(|error| {
        let detail = format!("{part} is no JSON: {} at byte {}", error.message, error.at);
        let problem = Problem::bad("malformed_json", detail);
        match error.too_deep {
            true => problem.limit("server.depth_max").help("the limit is `[server] depth_max`"),
            false => problem,
        }
    })
}

/// Whether the headers call the body JSON lines.
pub fn is_lines(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = content.and_then(|content| content.split(';').next()).unwrap_or_default().trim();
    LINES.iter().any(|lines| media.eq_ignore_ascii_case(lines))
}

/// The lines that are not blank, with their numbers from 1.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    lines.filter(|(line, _)| !line.trim_ascii().is_empty()).map(|(line, number)| (number, line))
}

/// A value as a payload. Its bytes are written anew, keys sorted: what is the same JSON is the same
/// content, however a client spells it.
pub fn payload(value: Value) -> Payload {
    let mut bytes = Vec::with_capacity(512);
    json::write(&value, &mut bytes);
    Payload { value, bytes: Some(bytes.into()) }
}
