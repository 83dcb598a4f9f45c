//! Operators: they cancel, retry, put back and let go of what they find.

use onex_engine::Request;

use crate::promise::Watch;
use crate::random::Random;
use crate::scenario::Op;

/// The request of an operator, if there is something to ask for.
pub(super) fn request(op: &Op, watch: &Watch, seed: u64, number: u64) -> Option<Request> {
    let random = &mut Random::part(seed, &format!("steer {number}"));
    match op {
        Op::Cancel => {
            chosen(watch.runs(|head| head.ended_at.is_none()), random).map(Request::Cancel)
        }
        Op::Retry => {
            let runs = watch.runs(|head| head.error.is_some() && head.ended_at.is_some());
            chosen(runs, random).map(Request::Retry)
        }
        Op::Redrive { discarded } => {
            let letters = chosen(watch.letters(*discarded), random).into_iter().collect();
            let dry_run = random.percent(20);
            Some(match discarded {
                false => Request::Redrive { letters, dry_run },
                true => Request::RedriveDiscarded { letters, dry_run },
            })
        }
        Op::Discard => chosen(watch.letters(false), random)
            .map(|letter| Request::Discard { letters: vec![letter], reason: "drawn".into() }),
        Op::Publish { .. } | Op::Start { .. } | Op::Activate { .. } => None,
    }
}

fn chosen<T: Clone>(from: Vec<T>, random: &mut Random) -> Option<T> {
    (!from.is_empty()).then(|| random.one_of(&from))
}
