//! Topics, by the order in which upstream checks them, and patterns over them.

use onex_contract::topic::{self, Category, Kind, Pattern, Rule};

#[test]
fn a_topic_is_taken_apart() {
    let name = topic::parse("onex.evt.omnibase-infra.node-2-registered.v12").expect("a topic");
    assert_eq!((name.kind, name.producer), (Kind::Event, "omnibase-infra"));
    assert_eq!((name.event, name.version), ("node-2-registered", 12));
    for kind in ["cmd", "evt", "dlq", "intent", "snapshot"] {
        let topic = format!("onex.{kind}.a.b.v1");
        assert_eq!(topic::parse(&topic).expect("a topic").kind.word(), kind);
    }
}

#[test]
fn the_first_broken_rule_is_reported_with_its_place_and_remedy() {
    let grammar = "a topic is `onex.<kind>.<producer>.<event>.v<n>`";
    let such_as = |topic: &str| format!("{grammar}, such as `{topic}`");
    for (text, rule, part, remedy) in [
        ("Onex.evt\n", Rule::ControlCharacter, "\n", "remove it"),
        ("", Rule::Empty, "", grammar),
        ("  ", Rule::Empty, "  ", grammar),
        ("dev.Onex.evt", Rule::LowerCase, "O", "write `dev.onex.evt`"),
        (
            "dev.onex.evt.a.b.v1",
            Rule::Environment,
            "dev.",
            "write `onex.evt.a.b.v1`: a topic carries no environment",
        ),
        ("onex.evt.a.v1", Rule::Segments(4), "onex.evt.a.v1", &such_as("onex.evt.app.a.v1")),
        ("dev", Rule::Segments(1), "dev", &such_as("onex.evt.app.dev.v1")),
        (
            "shop/commands/pay_now/v2",
            Rule::Segments(1),
            "shop/commands/pay_now/v2",
            &such_as("onex.cmd.shop.pay-now.v2"),
        ),
        ("a.ü", Rule::Segments(2), "a.ü", grammar),
        ("one.evt.a.b.v1", Rule::Prefix, "one", grammar),
        ("onex.events.a.b.v1", Rule::Kind, "events", "did you mean `evt`?"),
        ("onex.int.a.b.v1", Rule::Kind, "int", "did you mean `intent`?"),
        ("onex.snapshto.a.b.v1", Rule::Kind, "snapshto", "did you mean `snapshot`?"),
        ("onex.other.a.b.v1", Rule::Kind, "other", grammar),
        ("onex.evt.my_node.b.v1", Rule::Producer, "my_node", "write `my-node`"),
        ("onex.evt.1a.b.v1", Rule::Producer, "1a", grammar),
        ("onex.evt..b.v1", Rule::Producer, "", grammar),
        ("onex.evt.a.b--c.v1", Rule::Event, "b--c", grammar),
        ("onex.evt.a.b-.v1", Rule::Event, "b-", grammar),
        ("onex.evt.a.ü.v1", Rule::Event, "ü", grammar),
        ("onex.evt.a.b.1", Rule::Version, "1", grammar),
        ("onex.evt.a.b.v", Rule::Version, "v", grammar),
        ("onex.evt.a.b.v0", Rule::Version, "v0", grammar),
        ("onex.evt.a.b.v+1", Rule::Version, "v+1", grammar),
        ("onex.evt.a.b.v99999999999", Rule::Version, "v99999999999", grammar),
    ] {
        let error = topic::parse(text).expect_err(text);
        assert_eq!(error.rule, rule, "{text}");
        assert_eq!(&text[error.range.clone()], part, "{text}");
        assert_eq!(error.remedy(text), remedy, "{text}");
    }
}

#[test]
fn the_category_comes_from_the_kind_or_an_older_word() {
    for (text, category) in [
        ("onex.evt.a.b.v1", Some(Category::Event)),
        ("onex.cmd.a.b.v1", Some(Category::Command)),
        ("onex.intent.a.b.v1", Some(Category::Intent)),
        ("onex.snapshot.a.b.v1", None),
        ("onex.dlq.a.b.v1", None),
        ("dev.billing.Events.v1", Some(Category::Event)),
        ("postgres-query-completed", None),
    ] {
        assert_eq!(topic::category(text), category, "{text}");
        if let Ok(name) = topic::parse(text) {
            assert_eq!(name.kind.category(), category, "{text}");
        }
    }
}

#[test]
fn an_intent_is_recorded_under_its_node_and_type() {
    let topic = topic::intent_topic("order_reducer", "payment.capture_all");
    assert_eq!(topic, "onex.intent.order-reducer.payment-capture-all.v1");
    assert!(topic::parse(&topic).is_ok());
}

#[test]
fn patterns_stand_for_segments() {
    let topic = "onex.evt.shop.order-placed.v1";
    for (pattern, fits) in [
        (topic, true),
        ("onex.evt.*.order-placed.v1", true),
        ("onex.*.*.*.*", true),
        ("onex.*.*.*", false),
        ("*", false),
        ("**", true),
        ("onex.**", true),
        ("**.v1", true),
        ("**.shop.**.v1", true),
        ("**.shop.**.order-placed.**.v1.**", true),
        ("onex.**.onex", false),
        ("**.**.v2", false),
        ("onex.evt.shop.order-*.v1", true),
        ("onex.evt.shop.*-placed.v*", true),
        ("onex.evt.sh*t.**", false),
        ("", false),
    ] {
        assert_eq!(Pattern::new(pattern).matches(topic), fits, "{pattern}");
    }
    assert!(!Pattern::new("a.*").matches("a."));
}

#[test]
fn a_hostile_pattern_takes_no_time_that_explodes() {
    let topic = "a.".repeat(2000) + "b";
    assert!(!Pattern::new(&("**.a.".repeat(500) + "c")).matches(&topic));
    assert!(!Pattern::new(&("*a".repeat(500) + "c")).matches(&"a".repeat(2000)));
}
