//! Schedules under crashes, pauses and lost frames, seed by seed.

mod driver;

use driver::Driver;
use onex_engine::{Input, key};
use onex_expr::Value;

const CLOCK: &str = "
name: clock
node_type: compute
contract_version: 1.0.0
description: Hears what the clock says.
event_bus:
  subscribe_topics: [onex.evt.clock.each.v1, onex.evt.clock.latest.v1, onex.evt.clock.next.v1]
  publish_topics: [onex.evt.clock.heard.v1]
  schedules:
    - {topic: onex.evt.clock.each.v1, every_ms: 1000, missed: all}
    - {topic: onex.evt.clock.latest.v1, every_ms: 3000}
    - {topic: onex.evt.clock.next.v1, every_ms: 7000, missed: none}
compute_operations: {operation_name: hear, pipeline: [{step_name: all, step_type: expression, expression_config: {value: input}}]}
";

/// Numbers from a seed: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) % limit
    }
}

/// Due times in seconds since the clock began, each with its number.
fn published(driver: &Driver, topic: &str) -> Vec<(i64, i64)> {
    let due = |payload: Value| {
        let text = payload.get("due_at").and_then(Value::as_str).expect("when it was due");
        let at: jiff::Timestamp = text.parse().expect("RFC 3339");
        let number = payload.get("sequence").and_then(Value::as_int).expect("its number");
        (at.as_second() - i64::try_from(driver::BEGIN / 1_000_000).expect("small"), number)
    };
    driver.published(topic).into_iter().map(due).collect()
}

fn play(seed: u64) -> Driver {
    let mut random = Random(seed);
    let mut driver = Driver::new(&[CLOCK]);
    driver.turn();
    for _ in 0..30 {
        match random.below(4) {
            0 => driver.crash(),
            1 => {
                driver.now += random.below(20_000_000);
                driver.crash();
            }
            2 => {
                // A frame that is not synced when the process ends never was.
                driver.slow_disk = true;
                driver.pass_ms(random.below(3000));
                driver.slow_disk = false;
                driver.crash();
            }
            _ => driver.pass_ms(random.below(10_000)),
        }
    }
    driver.pass_ms(7000);
    driver
}

#[test]
fn every_due_time_is_published_as_its_schedule_says_whatever_crashes() {
    for seed in 0..60 {
        let driver = play(seed);
        let now = i64::try_from((driver.now - driver::BEGIN) / 1_000_000).expect("small");
        let each = published(&driver, "onex.evt.clock.each.v1");
        let expected: Vec<(i64, i64)> = (1..=now).map(|second| (second, second)).collect();
        assert_eq!(each, expected, "seed {seed}");
        for (topic, seconds) in [("latest", 3), ("next", 7)] {
            let begin = i64::try_from(driver::BEGIN / 1_000_000).expect("small");
            let found = published(&driver, &format!("onex.evt.clock.{topic}.v1"));
            let numbers: Vec<i64> = found.iter().map(|(_, number)| *number).collect();
            let count = i64::try_from(found.len()).expect("small");
            assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "seed {seed}, {topic}");
            assert!(found.iter().all(|(due, _)| (due + begin) % seconds == 0), "seed {seed}");
            assert!(found.is_sorted_by(|a, b| a.0 < b.0), "seed {seed}, {topic}");
            let latest = (begin + now) / seconds * seconds - begin;
            assert_eq!(found.last().map(|last| last.0), Some(latest), "seed {seed}, {topic}");
        }
        assert_eq!(driver.rows(key::SCHEDULES), 3, "seed {seed}");
    }
}

#[test]
fn with_only_the_reserve_of_the_disk_left_schedules_wait_and_are_counted() {
    let mut driver = Driver::new(&[CLOCK]);
    driver.turn();
    driver.pass_ms(1500);
    driver.give(Input::Reserve(true));
    let before = driver.frames;
    for _ in 0..4 {
        driver.now += 1_000_000;
        driver.give(Input::Tick);
    }
    assert_eq!(driver.frames, before, "nothing is written of it");
    assert_eq!(published(&driver, "onex.evt.clock.each.v1"), [(1, 1)]);
    let held = driver.engine.counts().get("held:clock:disk_full");
    assert_eq!(held, Some(&2), "two schedules came due, each counts once");
    driver.give(Input::Reserve(false));
    driver.pass_ms(0);
    let each = published(&driver, "onex.evt.clock.each.v1");
    assert_eq!(each, (1..=5).map(|second| (second, second)).collect::<Vec<_>>());
}

#[test]
fn a_full_host_publishes_nothing_and_makes_up_for_it() {
    let options = onex_engine::Options { unfinished_max: 0, ..Default::default() };
    let mut driver = Driver::with(&[CLOCK], options, Box::new(onex_engine::Unguarded));
    driver.turn();
    driver.pass_ms(5000);
    assert_eq!(published(&driver, "onex.evt.clock.each.v1"), []);
    driver.options.unfinished_max = 10;
    driver.crash();
    driver.pass_ms(1000);
    assert_eq!(published(&driver, "onex.evt.clock.each.v1").len(), 6);
}
