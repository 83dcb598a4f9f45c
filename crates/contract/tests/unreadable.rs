//! A file that cannot be read is told once: what others miss because of it is no news.

mod host;

use onex_contract::catalog::HostValues;
use onex_contract::check;
use onex_contract::source::Source;

const FLOW: &str = "
name: flow
node_type: orchestrator
contract_version: 1.0.0
workflow_coordination:
  workflow_definition:
    execution_graph:
      nodes:
        - {node_id: a, step_config: {effect_node: shop, operation: sell}, compensation: none}
        - {node_id: b, step_config: {effect_node: mill, operation: grind}, compensation: none}
";

const ASK: &str = "
name: ask
node_type: reducer
contract_version: 1.0.0
event_bus: {subscribe_topics: [onex.evt.test.go.v1]}
state_machine:
  initial_state: idle
  states: [{state_name: idle, waits: forever}]
  transitions:
    - {from_state: idle, trigger: go, actions: [{action_type: intent_emission, intent_type: shop.buy}]}
    - {from_state: idle, trigger: go, priority: 1, actions: [{action_type: intent_emission, intent_type: shop.burn}]}
";

const CUT: &str = "
name: shop
node_type: effect
contract_version: 1.0.0
effect_operations: {operations: [{operation_name: buy, on_intent: shop.buy
";

#[test]
fn what_a_file_that_cannot_be_read_may_hold_is_not_missed() {
    let sources = [("flow.yaml", FLOW), ("ask.yaml", ASK), ("shop.yaml", CUT)];
    let sources = sources.map(|(path, text)| Source::new(path, text));
    let checked = check(&sources, &host::catalog(), &HostValues::default());
    let told = |text: &str| checked.diagnostics.iter().any(|found| found.message.contains(text));
    assert!(checked.diagnostics.iter().any(|found| &*found.file == "shop.yaml"));
    assert!(!told("no node is called `shop`") && !told("nobody performs the intent `shop.buy`"));
    assert!(told("no node is called `mill`") && told("nobody performs the intent `shop.burn`"));
    assert!(checked.graph.is_none());
}
