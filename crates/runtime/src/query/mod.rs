//! Answers read from durable rows and records: runs, entities, dead letters, the log, chains of
//! causes, states of the past, and why.
//!
//! Everything here reads the store, decodes and filters; it blocks while it does, so the handle
//! calls what scans from a blocking task. It never asks the engine and never changes anything.

pub mod alive;
pub mod at;
pub mod chain;
pub mod entity;
pub mod letter;
pub mod log;
pub mod pattern;
pub mod run;
pub mod wait;
pub mod why;

use std::fmt;
use std::sync::Arc;

use onex_engine::codec::Corrupt;
use onex_engine::key;
use onex_store::{RowBytes, RowKey, Store, StoreError};

use crate::graphs::Graphs;

/// Rows that one scan takes at a time.
const SCAN_ROWS: usize = 512;

/// Reads the store.
#[derive(Clone)]
pub(crate) struct Reader {
    /// Where rows and records are.
    pub store: Arc<dyn Store>,
    /// Names of steps and states.
    pub graphs: Arc<Graphs>,
    /// Records that one query of the log looks at.
    pub scan_records_max: usize,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// What to give as `after` for the next part; `None` at the end.
    pub next: Option<String>,
}

/// Why a query has no answer.
#[derive(Debug)]
pub enum QueryError {
    /// There is nothing of that name or id.
    NotFound(String),
    /// An argument cannot be read.
    Invalid(String),
    /// What is asked for is older than what is kept.
    NotRetained {
        /// The oldest offset that is kept.
        oldest: u64,
    },
    /// The store failed.
    Store(StoreError),
    /// A row or record cannot be read.
    Corrupt(Corrupt),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryError::NotFound(what) | QueryError::Invalid(what) => f.write_str(what),
            QueryError::NotRetained { oldest } => write!(f, "not retained before {oldest}"),
            QueryError::Store(error) => write!(f, "reading the store: {error}"),
            QueryError::Corrupt(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            QueryError::Store(error) => Some(error),
            QueryError::Corrupt(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotRetained { oldest } => QueryError::NotRetained { oldest },
            other => QueryError::Store(other),
        }
    }
}

impl From<Corrupt> for QueryError {
    fn from(error: Corrupt) -> Self {
        QueryError::Corrupt(error)
    }
}

impl Reader {
    /// One row.
    fn row(&self, key: RowKey) -> Result<Option<RowBytes>, QueryError> {
        Ok(self.store.load(&[key])?.pop().flatten())
    }

    /// Calls `visit` with every row under a prefix, in key order, from the one after `after` on,
    /// until it says stop. True when it said so.
    fn each(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: impl FnMut(&[u8], &[u8]) -> Result<Visit, QueryError>,
    ) -> Result<bool, QueryError> {
        each_row(&*self.store, prefix, after, visit)
    }

    /// A page of what `read` makes of the rows under a prefix (`None`: filtered out).
    /// `name` is the token of a row, as `next` gives it.
    fn page<T>(
        &self,
        scan: Scan<'_>,
        mut read: impl FnMut(&[u8], &[u8]) -> Result<Option<T>, QueryError>,
        name: impl Fn(&T) -> String,
    ) -> Result<Page<T>, QueryError> {
        let mut items: Vec<T> = Vec::new();
        let more = self.each(scan.prefix, scan.after.as_deref(), |key, row| {
            if let Some(item) = read(key, row)? {
                if items.len() == scan.limit {
                    return Ok(Visit::Stop);
                }
                items.push(item);
            }
            Ok(Visit::Next)
        })?;
        let next = if more { items.last().map(name) } else { None };
        Ok(Page { items, next })
    }
}

/// See [`Reader::each`].
fn each_row(
    store: &dyn Store,
    prefix: &[u8],
    after: Option<&[u8]>,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<Visit, QueryError>,
) -> Result<bool, QueryError> {
    let end = key::end_of(prefix);
    let mut from = after.map_or_else(|| prefix.to_vec(), next_key);
    loop {
        let rows = store.scan(&from, &end, SCAN_ROWS)?;
        for (key, row) in &rows {
            if let Visit::Stop = visit(key, row)? {
                return Ok(true);
            }
        }
        match rows.last() {
            Some((last, _)) if rows.len() == SCAN_ROWS => from = next_key(last),
            _ => return Ok(false),
        }
    }
}

/// Which rows a page is about.
struct Scan<'a> {
    prefix: &'a [u8],
    after: Option<Vec<u8>>,
    limit: usize,
}

/// Whether to go on.
enum Visit {
    Next,
    Stop,
}

fn next_key(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}
