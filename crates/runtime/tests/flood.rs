//! One topic floods a host whose disk stands still, beside a graph that goes round for ever: others
//! keep their share, the limit is named, and what was accepted happens exactly once.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::input::Publish;
use onex_expr::Value;
use onex_kernel::port::BoxFuture;
use onex_kernel::{Id, Payload};
use onex_runtime::handle::new_id;
use onex_runtime::query::log::{Filter, Position};
use onex_runtime::{Options, query};
use onex_store::memory::Memory;
use support::{Asks, Does, answer, start_with};

const COUNTS: &str = "
name: counts
node_type: reducer
contract_version: 1.0.0
description: Counts what two topics say.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.flood.v1}, {topic: onex.evt.test.other.v1}]
state_machine:
  initial_state: open
  initial_data: {count: 0}
  entity_key: \"'all'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: flood, actions: [&count {action_type: state_update, set: {count: '${state.count + 1}'}}]}
    - {from_state: open, trigger: other, actions: [*count]}
";

const ROUND: &str = "
name: round
node_type: reducer
contract_version: 1.0.0
description: Hears what it says.
event_bus:
  subscribe_topics: [{topic: onex.evt.test.in.v1}, {topic: onex.evt.test.again.v1}]
  publish_topics: [onex.evt.test.again.v1]
state_machine:
  initial_state: open
  entity_key: \"'one'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: in, actions: [&say {action_type: event, topic: onex.evt.test.again.v1, payload: {}}]}
    - {from_state: open, trigger: again, actions: [*say]}
";

/// Messages of one topic that may wait.
const QUOTA: usize = 300;

fn graph() -> Graph {
    let sources = [Source::new("counts.yaml", COUNTS), Source::new("round.yaml", ROUND)];
    let checked = onex_contract::check(&sources, &onex_effects::catalog(), &Default::default());
    checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

fn message(topic: &str) -> Publish {
    let id = new_id();
    Publish {
        id,
        id_given: true,
        topic: format!("onex.evt.test.{topic}.v1").into(),
        key: None,
        event_type: None,
        payload: Payload { value: Value::map::<&str>([]), bytes: Some(b"{}".as_slice().into()) },
        correlation_id: id,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_topic_leaves_others_their_share_and_loses_nothing() {
    let stands = Arc::new(AtomicBool::new(false));
    let gate = stands.clone();
    let before = move || {
        while gate.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        Ok(())
    };
    let store = Arc::new(Asks { inner: Memory::new(), before });
    let engine = onex_engine::Options { turn_records_max: 64, ..Default::default() };
    let options =
        Options { engine, inbox_max: 1_000, inbox_topic_max: QUOTA, ..Options::default() };
    let never = Does(|_| -> BoxFuture<_> { Box::pin(async { Ok(answer(Value::Null)) }) });
    let running = start_with(store, options, Arc::new(never), graph()).await;
    let handle = running.handle.clone();
    handle.publish(message("in")).await.expect("the round begins");

    stands.store(true, Ordering::SeqCst);
    let ask = |topic: &str| {
        let (handle, message) = (handle.clone(), message(topic));
        tokio::spawn(async move {
            let id = message.id;
            handle.publish(message).await.map(|_| id)
        })
    };
    // More than the engine and the quota hold, whatever the engine took before the disk stood.
    let flood: Vec<_> = (0..4_000).map(|_| ask("flood")).collect();
    while !handle.metrics(Default::default()).contains("limit=\"engine.inbox_topic_max\"") {
        tokio::task::yield_now().await;
    }
    let others: Vec<_> = (0..200).map(|_| ask("other")).collect();
    while handle.health().inbox < QUOTA + 200 {
        tokio::task::yield_now().await;
    }
    stands.store(false, Ordering::SeqCst);

    let mut accepted: BTreeSet<Id> = BTreeSet::new();
    for asked in others {
        accepted.insert(asked.await.expect("no panic").expect("its topic is within its share"));
    }
    let mut refused = 0;
    for asked in flood {
        match asked.await.expect("no panic") {
            Ok(id) => _ = accepted.insert(id),
            Err(refusal) => {
                assert_eq!((refusal.status, refusal.code), (429, "busy"));
                assert_eq!(refusal.limit, Some("engine.inbox_topic_max"));
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && accepted.len() + refused == 4_200);
    let all = handle.entity("counts".into(), "all".into()).await.expect("it is there");
    let count = all.row.data.get("count").and_then(Value::as_int);
    assert_eq!(count, i64::try_from(accepted.len()).ok(), "each happened once");
    for topic in ["flood", "other"] {
        let filter = Filter { topic: Some(format!("onex.evt.test.{topic}.v1").into()) };
        let log: query::Page<_> =
            handle.log(filter, Position::Beginning, 10_000).await.expect("it can be read");
        assert!(log.items.iter().all(|record| accepted.remove(&record.message.id)));
    }
    assert!(accepted.is_empty(), "what was accepted is in the log");
    // The round goes on beside all of it.
    let turns = handle.health().store.durable_to;
    while handle.health().store.durable_to < turns + 1_000 {
        tokio::task::yield_now().await;
    }
}
