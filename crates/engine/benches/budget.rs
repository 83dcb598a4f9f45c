//! What each part of one record costs beside what it may cost: a message of about 200 bytes to a
//! reducer with a guard of two clauses and two fields to set.
//!
//! `cargo bench -p onex-engine --bench budget` prints microseconds of one core. The parts are called
//! as the engine calls them; what is left of the whole is routing, rows and replies.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

mod support;

use std::hint::black_box;
use std::time::Instant;

use onex_contract::graph::roots::reducer::{COUNT, PAYLOAD, STATE};
use onex_contract::graph::{ActionWork, Body, Graph, NodeIndex, Reducer, Subscriber};
use onex_engine::Request;
use onex_engine::codec::{record, row};
use onex_engine::key;
use onex_expr::{Fuel, Text, Value, json};
use onex_kernel::decision::RowWrite;
use onex_kernel::reduce::{Delivery, entity_key, reduce};
use onex_kernel::row::Entity;
use onex_kernel::{Category, Circumstances, Message, Micros, Origin};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TOPIC: &str = "onex.evt.bench.spent.v1";
const ROUNDS: u64 = 200_000;
const FUEL: u64 = 1_000_000;

/// Microseconds of one call.
fn timed<T>(mut call: impl FnMut() -> T) -> f64 {
    let began = Instant::now();
    for _ in 0..ROUNDS {
        black_box(call());
    }
    began.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64
}

/// A message and everything that takes it.
struct Case<'g> {
    graph: &'g Graph,
    subscriber: &'g Subscriber,
    reducer: &'g Reducer,
    message: Message,
    key: Text,
    entity: Entity,
}

impl<'g> Case<'g> {
    fn new(graph: &'g Graph) -> Case<'g> {
        let subscriber = &graph.topics[TOPIC].subscribers[0];
        let Body::Reducer(reducer) = &graph.node(subscriber.node).body else {
            panic!("the topic is a reducer's");
        };
        let publish = support::message(TOPIC, 7);
        let message = Message {
            id: publish.id,
            category: Category::Event,
            origin: Origin::External,
            topic: publish.topic,
            key: publish.key,
            event_type: publish.event_type,
            payload: publish.payload,
            correlation_id: publish.correlation_id,
            causation_id: None,
            node: None,
            time: Micros(1_000_000),
            generation: 0,
        };
        let key = entity_key(&reducer.triggers[0], &message, FUEL).expect("it has a key");
        let entity = Case::step(graph, subscriber.node, &message, &key, None);
        Case { graph, subscriber, reducer, message, key, entity }
    }

    fn step(
        graph: &Graph,
        node: NodeIndex,
        message: &Message,
        key: &Text,
        entity: Option<&Entity>,
    ) -> Entity {
        let at = Circumstances { now: Micros(1_000_000), offset: 1, fuel: FUEL };
        let delivery = Delivery { trigger: 0, key, entity, message };
        match reduce(graph, node, delivery, &at).writes.pop() {
            Some(RowWrite::Entity(entity)) => entity,
            other => panic!("the transition is taken: {other:?}"),
        }
    }

    fn expressions(&self) {
        let mut roots: [Value; COUNT] = std::array::from_fn(|_| Value::Null);
        roots[PAYLOAD] = self.message.payload.value.clone();
        roots[STATE] = self.entity.data.clone();
        let transition = &self.reducer.transitions[0];
        let guards = transition.guards.iter().map(|guard| &guard.condition);
        let fields = transition.actions.iter().flat_map(|action| match &action.work {
            ActionWork::StateUpdate(fields) => fields.iter().map(|(_, field)| field),
            other => panic!("it only updates: {other:?}"),
        });
        for template in guards.chain(fields) {
            black_box(template.render(&roots, &mut Fuel(FUEL)).expect("it yields a value"));
        }
    }
}

fn main() {
    let graph = support::graph();
    let case = Case::new(&graph);
    let bytes = case.message.payload.bytes.clone().expect("it came as bytes");
    let schema = case.subscriber.schema.as_ref().expect("the contract gives one");
    let decode = timed(|| {
        let value = json::parse(&bytes, &json::Limits::default()).expect("JSON");
        schema.validate(&value).expect("it fits");
        value
    });
    let expressions = timed(|| case.expressions());
    let node = case.subscriber.node;
    let whole_step =
        timed(|| Case::step(case.graph, node, &case.message, &case.key, Some(&case.entity)));
    let frame = timed(|| {
        let mut body = Vec::with_capacity(512);
        record::encode(&mut body, &case.message, case.graph.id);
        (body, key::entity(&case.graph.node(node).name, &case.key), row::entity(&case.entity))
    });
    let engine =
        support::timed(false, ROUNDS, |number| Request::Publish(support::message(TOPIC, number)));
    assert!((engine.records - 1.0).abs() < f64::EPSILON, "a message is a record");
    let rest = engine.micros - whole_step - frame;
    println!("{:<44} {:>8} {:>8}", "part of a record", "us", "budget");
    for (part, micros, budget) in [
        ("decode and validate", decode, 3.0),
        ("expressions", expressions, 3.0),
        ("step without its expressions", whole_step - expressions, 1.0),
        ("record and row as bytes", frame, 2.0),
        ("route, load, validate, dispatch, reply", rest, 4.0),
    ] {
        println!("{part:<44} {micros:>8.2} {budget:>8.1}");
    }
}
