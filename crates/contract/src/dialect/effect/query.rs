//! Queries of databases: the faults that a file alone can tell.

use crate::diagnostic::code;
use crate::section::reading::Reading;
use crate::yaml::{Node, Tree};

/// What a transaction has to know of a query.
pub(in crate::dialect) struct Query {
    /// The connection it runs on.
    pub connection: Option<String>,
    /// Whether it is one of a database.
    pub is_of_database: bool,
}

/// Judges the request of an operation.
pub(in crate::dialect) fn read(reading: &mut Reading<'_, '_>, operation: &Node) -> Option<Query> {
    let request = operation.get("io_config")?;
    let word = |key: &str| request.get(key).and_then(Node::as_str);
    if word("handler_type") != Some("db") {
        return Some(Query { connection: None, is_of_database: false });
    }
    let template = request.get("query_template");
    if let Some((node, Tree::String(text))) = template.map(|node| (node, &node.tree)) {
        if word("operation") == Some("raw") && text.contains("${input.") {
            reading
                .error(code::BAD_QUERY, node, "a raw query cannot hold values of the input")
                .help("write $1 and give the value in `query_params`");
        }
        let params = request.get("query_params").map_or(0, |params| params.items().len());
        let highest = highest_placeholder(text);
        if highest != params && !request.get("query_params").is_some_and(is_template) {
            let message =
                format!("the query has {highest} placeholders and {params} `query_params`");
            reading
                .error(code::BAD_QUERY, node, message)
                .help("number the placeholders from $1 and give one parameter for each");
        }
    }
    if let Some(verb) = word("operation").filter(|verb| WRITES.contains(verb))
        && let Some(only) = request.get("read_only").filter(|only| is_true(only))
    {
        reading
            .error(code::BAD_QUERY, only, format!("`{verb}` writes, and `read_only` forbids it"))
            .help("leave `read_only` out, or let the operation be `select`");
    }
    Some(Query { connection: word("connection_name").map(str::to_owned), is_of_database: true })
}

/// Operations of a database that change it.
const WRITES: [&str; 4] = ["delete", "insert", "update", "upsert"];

/// Whether a switch is on.
pub(in crate::dialect) fn is_true(switch: &Node) -> bool {
    matches!(switch.tree, Tree::Bool(true))
}

fn is_template(node: &Node) -> bool {
    matches!(node.tree, Tree::String(_) | Tree::Map(_))
}

/// The highest `$n` of a query.
fn highest_placeholder(text: &str) -> usize {
    let after = text.split('$').skip(1);
    let number = |rest: &str| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        rest[..digits].parse().ok()
    };
    after.filter_map(number).max().unwrap_or(0)
}
