//! The example of the language's page: it is clean, it links, and its graph can be stored.

mod host;

use std::path::Path;

use onex_contract::catalog::HostValues;
use onex_contract::diagnostic::Severity;
use onex_contract::graph::{
    Body, Compensation, Entry, Graph, Performer, Published, Recovery, StepWork,
};
use onex_contract::source::Source;
use onex_contract::{Checked, check, load_folder};
use onex_expr::{Template, Text, Value};

fn example() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/example");
    load_folder(&folder).expect("the example is there")
}

fn checked(strict: bool) -> Checked {
    let gateways = ["gateway", "warehouse", "carrier"];
    let config =
        gateways.map(|name| (name.to_owned(), Value::text("http://localhost:9000"))).into();
    let host =
        HostValues { config: [(String::new(), config)].into(), strict, ..HostValues::default() };
    check(&example(), &host::catalog(), &host)
}

fn graph() -> Graph {
    let checked = checked(true);
    checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
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
    let expected = ["carrier", "fulfil_order", "order", "payment", "shipping_label", "stock"];
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
    let host = HostValues { config: [(String::new(), config)].into(), ..HostValues::default() };
    let other = check(&example(), &host::catalog(), &host).graph.expect("it links");
    assert_ne!(other.id, graph().id);
}

#[test]
fn candidates_follow_state_trigger_and_terminality() {
    let graph = graph();
    let order = graph.node(graph.find("order").expect("order"));
    let Body::Reducer(order) = &order.body else { panic!("order is a reducer") };
    let tried = |state: &str, trigger: &str| -> Vec<&str> {
        let state = order.states.iter().position(|s| s.name == state).expect("state");
        let trigger = order.triggers.iter().position(|t| t.name == trigger).expect("trigger");
        let indices = order.candidates[state][trigger].iter();
        indices.map(|index| order.transitions[usize::from(*index)].name.as_str()).collect()
    };
    assert_eq!(tried("new", "order-placed"), ["new__order-placed__awaiting_payment"]);
    assert_eq!(tried("cancelled", "payment-captured"), ["cancelled__payment-captured"]);
    assert_eq!(tried("awaiting_payment", "timeout"), ["awaiting_payment__timeout__cancelled"]);
    assert!(tried("shipped", "payment-failed").is_empty());
}

#[test]
fn showing_the_shown_text_again_gives_the_same_text() {
    let checked = checked(true);
    for node in &checked.nodes {
        let shown = node.normal_form.as_ref().expect("a readable contract is shown");
        let source = Source::new(format!("{}.yaml", node.name), shown);
        let again = check(&[source], &host::catalog(), &HostValues::default());
        assert_eq!(again.nodes[0].normal_form.as_ref(), Some(shown), "{}", node.name);
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

#[test]
fn an_operation_carries_what_the_contract_says_and_defaults_for_the_rest() {
    let graph = graph();
    let payment = graph.node(graph.find("payment").expect("payment"));
    let Body::Effect(payment) = &payment.body else { panic!("payment is an effect") };
    let [capture, refund] = payment.operations.as_slice() else { panic!("two operations") };
    assert!(capture.idempotent && refund.idempotent && capture.ordered && capture.has_status);
    assert_eq!((capture.timeout_ms, refund.timeout_ms), (120_000, 30_000));
    assert_eq!((capture.retry.max_retries, capture.retry.base_delay_ms), (5, 200));
    assert_eq!((refund.retry.max_retries, refund.retry.max_delay_ms), (3, 30_000));
    assert_eq!(capture.breaker.map(|b| (b.failure_threshold, b.timeout_ms)), Some((5, 30_000)));
    assert_eq!(capture.refusals[0].codes, [402]);
    let topic = |published: &Option<Published>| published.as_ref().map(|p| p.topic.to_string());
    let captured = "onex.evt.shop.payment-captured.v1".to_owned();
    assert_eq!(topic(&capture.outcome), Some(captured));
    assert_eq!(topic(&refund.outcome), None);
    let performer = graph.performers["payment.refund"];
    assert_eq!(performer, Performer::Operation(graph.find("payment").expect("payment"), 1));
}

#[test]
fn steps_name_their_targets_dependents_and_undoing() {
    let graph = graph();
    let stock = graph.find("stock").expect("stock");
    let node = graph.node(graph.find("fulfil_order").expect("fulfil_order"));
    let Body::Orchestrator(workflow) = &node.body else { panic!("it is an orchestrator") };
    let [reserve, label, parcels] = workflow.steps.as_slice() else { panic!("three steps") };
    assert_eq!((&*reserve.dependents, &*label.depends_on), ([1].as_slice(), [0].as_slice()));
    assert_eq!((parcels.max_parallel, reserve.max_parallel), (4, 1));
    let StepWork::Effect { node, operation, topic } = &reserve.work else { panic!("an effect") };
    assert_eq!((*node, *operation), (stock, 0));
    assert_eq!(topic, "onex.intent.fulfil-order.reserve.v1");
    let Compensation::Operation { operation, topic, input, .. } = &reserve.compensation else {
        panic!("it is undone by an operation")
    };
    assert_eq!((*operation, topic.as_str()), (1, "onex.intent.fulfil-order.release.v1"));
    assert!(input.is_none());
    let topics = |outcome: &Option<(Text, Option<Template>)>| {
        outcome.as_ref().map(|(topic, _)| topic.to_string())
    };
    let ends = &workflow.outcomes;
    assert_eq!(topics(&ends.cancelled), topics(&ends.failed));
    assert_eq!((workflow.timeout_ms, workflow.recovery), (600_000, Recovery::Compensate));
}

#[test]
fn topics_know_their_subscribers_and_whether_clients_may_publish() {
    let graph = graph();
    let node = |name: &str| graph.find(name).expect("it is there");
    let placed = &graph.topics["onex.evt.shop.order-placed.v1"];
    assert!(placed.ingress && !placed.produced);
    assert_eq!(placed.subscribers[0].entry, Entry::Trigger(0));
    let paid = &graph.topics["onex.evt.shop.order-paid.v1"];
    assert!(paid.produced && !paid.ingress && paid.producer_schema.is_some());
    let subscriber = &paid.subscribers[0];
    assert_eq!((subscriber.node, subscriber.entry), (node("fulfil_order"), Entry::Run));
}
