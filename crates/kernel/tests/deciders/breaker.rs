//! The breaker: its table as committed, and what it never does whatever happens.

use onex_contract::graph::Breaker as Limits;
use onex_kernel::Micros;
use onex_kernel::breaker::{Breaker, Event, State, next};

use crate::schedules::random::Random;

const LIMITS: Limits =
    Limits { failure_threshold: 3, success_threshold: 2, timeout_ms: 1000, half_open_requests: 2 };

/// What the machine does, one line a case; `-` cannot happen.
const TABLE: &str = "\
Closed Answered Closed
Closed Recovered -
Closed Failed Closed
Closed Broke Open
Closed Elapsed -
Open Answered Open
Open Recovered -
Open Failed Open
Open Broke -
Open Elapsed HalfOpen
HalfOpen Answered HalfOpen
HalfOpen Recovered Closed
HalfOpen Failed Open
HalfOpen Broke -
HalfOpen Elapsed -
";

#[test]
fn the_machine_is_the_committed_table() {
    let states = [State::Closed, State::Open, State::HalfOpen];
    let events = [Event::Answered, Event::Recovered, Event::Failed, Event::Broke, Event::Elapsed];
    let mut table = String::new();
    for state in states {
        for event in events {
            let target = next(state, event).map_or("-".into(), |state| format!("{state:?}"));
            table.push_str(&format!("{state:?} {event:?} {target}\n"));
        }
    }
    assert_eq!(table, TABLE);
}

#[test]
fn failures_in_a_row_open_it_and_answers_in_between_do_not() {
    let (mut breaker, now) = (Breaker::default(), Micros(0));
    for success in [false, false, true, false, false] {
        assert_eq!(breaker.admit(&LIMITS, now), Ok(()));
        breaker.record(&LIMITS, now, success);
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.admit(&LIMITS, now), Ok(()));
    breaker.record(&LIMITS, now, false);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.admit(&LIMITS, now), Err(now.plus_ms(1000)));
}

fn opened() -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..LIMITS.failure_threshold {
        assert_eq!(breaker.admit(&LIMITS, Micros(0)), Ok(()));
        breaker.record(&LIMITS, Micros(0), false);
    }
    breaker
}

#[test]
fn after_its_timeout_a_few_calls_try_and_enough_answers_close_it() {
    let (mut breaker, later) = (opened(), Micros(0).plus_ms(1000));
    assert_eq!(breaker.admit(&LIMITS, later), Ok(()));
    assert_eq!(breaker.admit(&LIMITS, later), Ok(()));
    assert!(breaker.admit(&LIMITS, later).is_err_and(|again| again > later));
    breaker.record(&LIMITS, later, true);
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.record(&LIMITS, later, true);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_trial_that_fails_opens_it_for_another_timeout() {
    let (mut breaker, later) = (opened(), Micros(0).plus_ms(1500));
    assert_eq!(breaker.admit(&LIMITS, later), Ok(()));
    breaker.record(&LIMITS, later, false);
    assert_eq!(breaker.admit(&LIMITS, later), Err(later.plus_ms(1000)));
}

#[test]
fn never_more_calls_than_allowed_are_begun_while_it_is_half_open() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (mut breaker, mut now, mut under_way) = (Breaker::default(), Micros(0), 0);
        for _ in 0..300 {
            match random.below(4) {
                0 => now = now.plus_ms(random.below(1500) as u64),
                1 if under_way > 0 => {
                    under_way -= 1;
                    breaker.record(&LIMITS, now, random.once_in(2));
                }
                _ => match breaker.admit(&LIMITS, now) {
                    Ok(()) => {
                        under_way += 1;
                        let half_open = breaker.state() == State::HalfOpen;
                        assert!(
                            !half_open || under_way <= LIMITS.half_open_requests,
                            "seed {seed}"
                        );
                        assert_ne!(breaker.state(), State::Open, "seed {seed}");
                    }
                    Err(again) => assert!(again > now, "seed {seed}"),
                },
            }
            assert_eq!(breaker.under_way(), under_way, "seed {seed}");
        }
    }
}
