//! A chain of causes.

use onex_expr::Value;
use onex_runtime::query::chain::{Chain, Link, Place};

use super::{count, id, record, with};

/// A chain as JSON: its records in the order of the tree.
pub fn value(chain: &Chain) -> Value {
    let searched = chain.searched;
    Value::map([
        ("id", chain.id.map_or(Value::Null, id)),
        ("correlation_id", id(chain.correlation_id)),
        ("items", Value::list(chain.links.iter().map(link).collect())),
        ("next", Value::Null),
        (
            "searched",
            Value::map([
                ("from", count(searched.from)),
                ("to", count(searched.to)),
                ("oldest", count(searched.oldest)),
            ]),
        ),
        ("cut", Value::Bool(chain.cut)),
        ("cause_missing", Value::Bool(chain.cause_missing)),
    ])
}

/// A record, with its place in the tree.
fn link(link: &Link) -> Value {
    let place = match link.place {
        Place::Before => "before",
        Place::Itself => "itself",
        Place::After => "after",
    };
    let places = [
        ("depth", count(link.depth)),
        ("cause_offset", link.cause.map_or(Value::Null, count)),
        ("place", Value::text(place)),
    ];
    with(&record::value(&link.record), places)
}
