//! What the inbox takes, refuses and gives, in which order.

use onex_engine::input::Publish;
use onex_expr::Text;
use onex_kernel::Payload;

use super::*;

const ROOM: usize = 1000;

fn inbox(messages_max: usize) -> Inbox {
    Inbox::new(Limits { messages_max, lane_max: messages_max, bytes_max: 1 << 20 })
}

fn bring(inbox: &Inbox, request: Request) -> Result<(), Closed> {
    let (sender, _receiver) = oneshot::channel();
    inbox.request(request, Sink::Reply(sender))
}

fn ask(inbox: &Inbox) -> Result<(), Closed> {
    bring(inbox, Request::Cancel(Id::default()))
}

fn publish(topic: &str, bytes: usize) -> Publish {
    let payload = Payload { value: Value::Null, bytes: Some(vec![b' '; bytes].into()) };
    Publish {
        id: Id::default(),
        id_given: false,
        topic: topic.into(),
        key: None,
        event_type: None,
        payload,
        correlation_id: Id::default(),
    }
}

fn say(inbox: &Inbox, topic: &str) -> Result<(), Closed> {
    bring(inbox, Request::Publish(publish(topic, 10)))
}

/// Topics of the messages that a take gives.
fn topics(inbox: &Inbox, room: usize) -> Vec<Text> {
    let mut taken = Vec::new();
    inbox.take(&mut taken, Duration::ZERO, room);
    let of = |arrival: Arrival| match arrival {
        Arrival::Request(Request::Publish(publish), _) => vec![publish.topic],
        Arrival::Request(Request::Batch(items), _) => {
            items.into_iter().map(|publish| publish.topic).collect()
        }
        _ => Vec::new(),
    };
    taken.into_iter().flat_map(of).collect()
}

#[test]
fn a_topic_that_floods_leaves_the_others_their_share() {
    let inbox = Inbox::new(Limits { messages_max: 10_000, lane_max: 6_000, bytes_max: 1 << 30 });
    let accepted = (0..9_000).filter(|_| say(&inbox, "flood").is_ok()).count();
    assert_eq!(accepted, 6_000);
    assert_eq!(say(&inbox, "flood"), Err(Closed::Full("engine.inbox_topic_max")));
    for _ in 0..1_000 {
        assert_eq!(say(&inbox, "other"), Ok(()));
    }
    let batch = (0..1_000).map(|_| publish("batch", 10)).collect();
    assert_eq!(bring(&inbox, Request::Batch(batch)), Ok(()));
    let mut seen = Vec::new();
    while seen.len() < 3_600 {
        seen.extend(topics(&inbox, 100));
    }
    let count = |topic: &str| seen.iter().filter(|seen| *seen == topic).count();
    assert_eq!((count("other"), count("batch")), (1_000, 1_000));
    while seen.len() < 8_000 {
        seen.extend(topics(&inbox, 100));
    }
    assert_eq!(topics(&inbox, 100), Vec::<Text>::new(), "nothing accepted is lost or doubled");
    assert_eq!(inbox.waits(), Waits::default());
    assert_eq!(say(&inbox, "flood"), Ok(()));
}

#[test]
fn a_topic_keeps_its_order_whatever_waits() {
    let inbox = Inbox::new(Limits { messages_max: 1_000, lane_max: 1_000, bytes_max: 1 << 30 });
    for number in 0..300_usize {
        let topic = ["a", "b", "c"][number % 3];
        assert_eq!(bring(&inbox, Request::Publish(publish(topic, number))), Ok(()));
    }
    let mut lengths: [Vec<usize>; 3] = Default::default();
    for _ in 0..10 {
        let mut taken = Vec::new();
        inbox.take(&mut taken, Duration::ZERO, 40);
        for arrival in taken {
            let Arrival::Request(Request::Publish(publish), _) = arrival else { continue };
            let lane = usize::from(publish.topic.as_bytes()[0] - b'a');
            lengths[lane].push(publish.payload.bytes.map_or(0, |bytes| bytes.len()));
        }
    }
    for (lane, lengths) in lengths.into_iter().enumerate() {
        assert!(lengths.into_iter().eq((0..100).map(|number| 3 * number + lane)));
    }
}

#[test]
fn what_waits_is_bounded_in_messages_and_bytes_and_the_limit_is_named() {
    let inbox = Inbox::new(Limits { messages_max: 3, lane_max: 3, bytes_max: 1_000 });
    let batch = |count: usize| (0..count).map(|_| publish("a", 10)).collect();
    assert_eq!(bring(&inbox, Request::Batch(batch(9))), Ok(()), "alone it is taken");
    assert_eq!(say(&inbox, "b"), Err(Closed::Full("engine.inbox_max")));
    assert_eq!(topics(&inbox, 1).len(), 9, "a batch is taken as a whole");
    assert_eq!(bring(&inbox, Request::Publish(publish("a", 900))), Ok(()));
    let large = Request::Publish(publish("b", 101));
    assert_eq!(bring(&inbox, large), Err(Closed::Full("engine.inbox_bytes_max")));
    assert_eq!(bring(&inbox, Request::Batch(batch(3))), Err(Closed::Full("engine.inbox_max")));
    assert_eq!(bring(&inbox, Request::Batch(batch(2))), Ok(()));
}

#[test]
fn without_room_only_what_the_shell_brings_is_taken() {
    let inbox = inbox(8);
    assert_eq!(say(&inbox, "a"), Ok(()));
    inbox.answer(Id::default(), 1, Ok(Value::Null));
    let mut taken = Vec::new();
    inbox.take(&mut taken, Duration::ZERO, 0);
    assert!(matches!(taken[..], [Arrival::Answered { .. }]));
    assert_eq!(topics(&inbox, ROOM).len(), 1);
}

#[test]
fn a_full_inbox_refuses_requests_but_never_answers() {
    let inbox = inbox(1);
    assert_eq!(ask(&inbox), Ok(()));
    assert_eq!(ask(&inbox), Err(Closed::Full("engine.inbox_max")));
    inbox.answer(Id::default(), 1, Ok(Value::Null));
    let mut taken = Vec::new();
    inbox.take(&mut taken, Duration::ZERO, ROOM);
    assert_eq!(taken.len(), 2);
    assert_eq!(ask(&inbox), Ok(()));
}

#[test]
fn a_draining_inbox_takes_answers_only_and_says_drain_once() {
    let inbox = inbox(8);
    inbox.drain();
    inbox.drain();
    assert_eq!(ask(&inbox), Err(Closed::Draining));
    inbox.answer(Id::default(), 1, Ok(Value::Null));
    let mut taken = Vec::new();
    inbox.take(&mut taken, Duration::ZERO, ROOM);
    let drains = taken.iter().filter(|arrival| matches!(arrival, Arrival::Drain));
    assert_eq!(drains.count(), 1);
    assert_eq!(taken.len(), 2);
}

#[test]
fn an_arrival_wakes_the_thread_that_waits() {
    let inbox = inbox(8);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut taken = Vec::new();
            inbox.take(&mut taken, Duration::from_secs(60), ROOM);
            taken.len()
        });
        inbox.answer(Id::default(), 1, Ok(Value::Null));
        assert_eq!(waiter.join().expect("the waiter does not panic"), 1);
    });
}
