//! The example of the language's page: it is clean, it links, and its graph can be stored.

mod host;

use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::graph::{Body, Graph};
use onex_contract::source::Source;
use onex_contract::{Checked, check, load_folder};
use onex_expr::Value;

fn example() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/example");
    load_folder(&folder).expect("the example is there")
}

fn checked(strict: bool) -> Checked {
    let gateways = ["gateway", "warehouse", "carrier"];
    let config = gateways
        .map(|name| (name.to_owned(), Value::text("http://localhost:9000")))
        .into();
    let host = HostValues {
        config: [(String::new(), config)].into(),
        strict,
        ..HostValues::default()
    };
    check(&example(), &host::catalog(), &host)
}

fn graph() -> Graph {
    let checked = checked(true);
    checked
        .graph
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

#[test]
fn the_example_has_neither_errors_nor_warnings() {
    let grave: Vec<_> = checked(true)
        .diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.severity > Severity::Note)
        .collect();
    assert!(grave.is_empty(), "{grave:#?}");
}

#[test]
fn the_example_links_every_node() {
    let graph = graph();
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    let expected = [
        "carrier",
        "fulfil_order",
        "order",
        "payment",
        "shipping_label",
        "stock",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_restored_graph_is_the_same_graph() {
    let graph = graph();
    let restored = Graph::restore(&graph.stored, &host::catalog());
    let restored = restored.unwrap_or_else(|checked| panic!("{:#?}", checked.diagnostics));
    assert_eq!(restored.id, graph.id);
    assert_eq!(restored.stored, graph.stored);
}

#[test]
fn another_value_of_the_host_is_another_graph() {
    let config = [("gateway".to_owned(), Value::text("http://localhost:9001"))].into();
    let host = HostValues {
        config: [(String::new(), config)].into(),
        ..HostValues::default()
    };
    let other = check(&example(), &host::catalog(), &host)
        .graph
        .expect("it links");
    assert_ne!(other.id, graph().id);
}

#[test]
fn candidates_follow_state_trigger_and_terminality() {
    let graph = graph();
    let order = graph.node(graph.find("order").expect("order"));
    let Body::Reducer(order) = &order.body else {
        panic!("order is a reducer")
    };
    let tried = |state: &str, trigger: &str| -> Vec<&str> {
        let state = order
            .states
            .iter()
            .position(|s| s.name == state)
            .expect("state");
        let trigger = order
            .triggers
            .iter()
            .position(|t| t.name == trigger)
            .expect("trigger");
        let indices = order.candidates[state][trigger].iter();
        indices
            .map(|index| order.transitions[usize::from(*index)].name.as_str())
            .collect()
    };
    assert_eq!(
        tried("new", "order-placed"),
        ["new__order-placed__awaiting_payment"]
    );
    assert_eq!(
        tried("cancelled", "payment-captured"),
        ["cancelled__payment-captured"]
    );
    assert_eq!(
        tried("awaiting_payment", "timeout"),
        ["awaiting_payment__timeout__cancelled"]
    );
    assert!(tried("shipped", "payment-failed").is_empty());
}
