//! Query parameters and path segments: read strictly, so that a filter with a typo is an error
//! and not a longer list.

use std::time::Duration;

use axum::http::Uri;
use onex_expr::Text;
use onex_kernel::{Id, Micros};
use onex_runtime::query::log::{self, Position};

use super::problem::Problem;
use crate::config::unit;
use crate::shape::time;

/// Items of a list when nobody says how many.
const LIMIT: usize = 100;

/// Items of a list at most.
const LIMIT_MAX: usize = 1000;

/// The longest wait; longer ones end then.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The query's parameters.
pub struct Params {
    given: Vec<(String, String)>,
}

impl Params {
    /// Reads the query. A parameter that this route does not know is an error.
    pub fn read(uri: &Uri, known: &[&str]) -> Result<Params, Problem> {
        let mut given = Vec::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let detail = format!("there is no parameter `{name}` here");
                let help = format!("there are: {}", known.join(", "));
                return Err(Problem::bad("unknown_parameter", detail).help(help));
            }
            if !value.is_empty() {
                given.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Params { given })
    }

    /// A text; of one that is given twice the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// A text of ours.
    pub fn text(&self, name: &str) -> Option<Text> {
        self.get(name).map(Text::from)
    }

    /// Whatever `read` reads; what it cannot read is an error that says what is wanted.
    pub fn parse<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(given) = self.get(name) else {
            return Ok(None);
        };
        read(given).map(Some).ok_or_else(|| {
            let detail = format!("`{name}` must be {wanted}, not {given}");
            Problem::bad("invalid_parameter", detail)
        })
    }

    /// An id.
    pub fn id(&self, name: &str) -> Result<Option<Id>, Problem> {
        self.parse(name, "a UUID", Id::parse)
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Option<Micros>, Problem> {
        self.parse(name, "a time such as 2026-01-31T12:00:00Z", time::read)
    }

    /// How long to wait.
    pub fn wait(&self) -> Result<Option<Duration>, Problem> {
        let wanted = "a span of time such as 30s";
        let wait = self.parse("wait", wanted, unit::read_duration)?;
        Ok(wait.map(|wait| wait.min(WAIT_MAX)))
    }

    /// How many items.
    pub fn limit(&self) -> Result<usize, Problem> {
        Ok(self.limit_to(LIMIT_MAX)?.unwrap_or(LIMIT))
    }

    /// How many items, where a list may have so many at most.
    pub fn limit_to(&self, most: usize) -> Result<Option<usize>, Problem> {
        self.parse("limit", &format!("a whole number from 1 to {most}"), |text| {
            let limit: usize = text.parse().ok()?;
            (1..=most).contains(&limit).then_some(limit)
        })
    }

    /// Where a list goes on.
    pub fn after(&self) -> Option<String> {
        self.get("after").map(str::to_owned)
    }

    /// A position of the log: `from`, or behind `after`.
    pub fn position(&self) -> Result<Option<Position>, Problem> {
        let wanted = "an offset, `beginning`, `end`, a time, or the `next` of a list";
        let from = self.parse("from", wanted, read_position)?;
        let after = self.parse("after", wanted, |text| match read_position(text)? {
            // The `next` of a list already names what comes after it.
            Position::Offset(offset) if !text.starts_with('~') => {
                Some(Position::Offset(offset.checked_add(1)?))
            }
            position => Some(position),
        })?;
        Ok(after.or(from))
    }
}

/// Reads a position of the log.
pub fn read_position(text: &str) -> Option<Position> {
    match text {
        "beginning" => Some(Position::Beginning),
        "end" => Some(Position::End),
        _ => {
            let offset = log::read_token(text).or_else(|| text.parse().ok());
            let time = || time::read(text).map(Position::Time);
            offset.map(Position::Offset).or_else(time)
        }
    }
}

/// A segment of the path, percent-decoded.
pub fn segment(raw: &str) -> Result<Text, Problem> {
    percent_encoding::percent_decode_str(raw)
        .decode_utf8()
        .map(Text::from)
        .map_err(|_| Problem::bad("invalid_path", "the path is not UTF-8"))
}

/// The raw segments of a path behind a prefix.
pub fn behind<'a>(uri: &'a Uri, prefix: &str) -> &'a str {
    uri.path().strip_prefix(prefix).unwrap_or_default()
}

/// Reads an id of the path.
pub fn id(text: &str) -> Result<Id, Problem> {
    Id::parse(text).ok_or_else(|| Problem::bad("invalid_id", format!("{text} is no UUID")))
}
