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

#[test]
fn showing_the_shown_text_again_gives_the_same_text() {
    let checked = checked(true);
    for node in &checked.nodes {
        let shown = node
            .normal_form
            .as_ref()
            .expect("a readable contract is shown");
        let source = Source::new(format!("{}.yaml", node.name), shown);
        let again = check(&[source], &host::catalog(), &HostValues::default());
        assert_eq!(
            again.nodes[0].normal_form.as_ref(),
            Some(shown),
            "{}",
            node.name
        );
    }
}

#[test]
fn the_normal_form_is_in_the_order_of_the_page_with_versions_as_text_and_aliases_expanded() {
    let text = "
state_machine:
  transitions:
    - {trigger: pressed, actions: [&note {set: {zeta: 1, alpha: 2}, action_type: state_update}], to_state: lit, from_state: dark}
    - {trigger: pressed, actions: [*note], from_state: lit}
  states: [{is_terminal: false, waits: forever, state_name: dark}, {state_name: lit, waits: forever}]
  initial_state: dark
event_bus: {subscribe_topics: [onex.evt.house.pressed.v1]}
contract_version: {major: 1, minor: 2, patch: 3}
node_type: reducer
name: light
";
    let source = Source::new("light.yaml", text);
    let checked = check(&[source], &host::catalog(), &HostValues::default());
    let expected = "\
name: light
node_type: reducer
contract_version: 1.2.3
event_bus: {subscribe_topics: [onex.evt.house.pressed.v1]}
state_machine:
  initial_state: dark
  states:
    - {state_name: dark, is_terminal: false, waits: forever}
    - {state_name: lit, waits: forever}
  transitions:
    - from_state: dark
      to_state: lit
      trigger: pressed
      actions: [{action_type: state_update, set: {zeta: 1, alpha: 2}}]
    - from_state: lit
      trigger: pressed
      actions: [{action_type: state_update, set: {zeta: 1, alpha: 2}}]
";
    assert_eq!(checked.nodes[0].normal_form.as_deref(), Some(expected));
}
