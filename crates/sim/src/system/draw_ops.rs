//! Draws what clients do.

use super::{Load, System, topic_name};
use crate::random::Random;
use crate::scenario::Op;
use onex_expr::Value;

/// The ops of a system.
pub(crate) fn ops(system: &System, random: &mut Random) -> Vec<(u64, Op)> {
    let count = 4 + random.below(22);
    (0..count).map(|number| (number, op(system, random, number))).collect()
}

/// Adds activations to some.
pub(crate) fn activations(ops: &mut Vec<(u64, Op)>, random: &mut Random) {
    let count = if random.percent(40) { 1 + random.below(4) } else { 0 };
    let first = ops.len() as u64;
    ops.extend((0..count).map(|at| (first + at, Op::Activate { other: random.percent(60) })));
}

fn op(system: &System, random: &mut Random, number: u64) -> Op {
    let before = |random: &mut Random, percent| {
        random.maybe(percent, |random| random.below(number.max(1))).filter(|_| number > 0)
    };
    match random.below(20) {
        0 => Op::Cancel,
        1 => Op::Retry,
        2 => Op::Redrive { discarded: random.percent(25) },
        3 => Op::Discard,
        4..8 if !system.workflows.is_empty() => {
            let workflow = random.index(system.workflows.len());
            let node = format!("w{workflow}").into();
            Op::Start { node, key: format!("k{number}").into(), input: load(random).value() }
        }
        _ => {
            let topic = random.index(system.topics);
            let misfits = random.percent(4) && system.has_subscribers(topic);
            let payload = if misfits { Value::Int(1) } else { load(random).value() };
            let topic = topic_name(topic).into();
            Op::Publish { topic, payload, story: before(random, 35), same_id: before(random, 3) }
        }
    }
}

pub(super) fn load(random: &mut Random) -> Load {
    let k = random.one_of(&["a", "b", "c", "a", "b", "c", "d", "e", ""]);
    Load { k: k.to_owned(), n: random.between(-2, 14), d: random.between(0, 2) }
}
