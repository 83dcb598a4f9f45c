//! Dead letters in bulk: put back or let go of, in portions, so that nobody else is kept waiting
//! and no target is flooded.

use std::time::Duration;

use onex_engine::{Refusal, Reply, Request};
use onex_expr::Text;
use onex_kernel::Id;

use super::{Handle, unexpected};

/// Letters that one request may put back or let go of.
pub const LETTERS_AT_ONCE_MAX: usize = 10_000;

/// Letters that the engine is given at a time: as many as it keeps in memory.
const PORTION_MAX: usize = 64;

/// Portions a second, where letters are spaced.
const PORTIONS_A_SECOND: f64 = 10.0;

/// How letters are to be put back.
#[derive(Clone, Debug, Default)]
pub struct Redrive {
    /// Say what would be, change nothing.
    pub dry_run: bool,
    /// Also those that were let go of.
    pub discarded: bool,
    /// How many a second; without, as fast as they are taken.
    pub rate: Option<f64>,
}

/// What became of letters.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Those with which it was done.
    pub done: Vec<Id>,
    /// Those with which it was not, and why.
    pub refused: Vec<(Id, String)>,
}

impl Handle {
    /// Puts dead letters back. What was put back before a refusal stays so: the others name it.
    pub async fn redrive(&self, letters: Vec<Id>, how: Redrive) -> Result<Outcome, Refusal> {
        let pace = Pace::of(how.rate.filter(|_| !how.dry_run));
        let request = |letters| match how.discarded {
            true => Request::RedriveDiscarded { letters, dry_run: how.dry_run },
            false => Request::Redrive { letters, dry_run: how.dry_run },
        };
        self.in_portions(letters, pace, request).await
    }

    /// Lets go of dead letters, for a reason that stays with them.
    pub async fn discard(&self, letters: Vec<Id>, reason: Text) -> Result<Outcome, Refusal> {
        let request = |letters| Request::Discard { letters, reason: reason.clone() };
        self.in_portions(letters, Pace::of(None), request).await
    }

    async fn in_portions(
        &self,
        letters: Vec<Id>,
        pace: Pace,
        request: impl Fn(Vec<Id>) -> Request,
    ) -> Result<Outcome, Refusal> {
        let mut outcome = Outcome::default();
        for (index, portion) in letters.chunks(pace.portion).enumerate() {
            if index > 0 && !pace.pause.is_zero() {
                self.pause(pace.pause).await;
            }
            match self.ask(request(portion.to_vec())).await.map(told) {
                Ok(Ok((done, refused))) => {
                    outcome.done.extend(done);
                    outcome.refused.extend(refused);
                }
                Ok(Err(refusal)) | Err(refusal) if index == 0 => return Err(refusal),
                Ok(Err(refusal)) | Err(refusal) => {
                    let left = letters.iter().skip(index * pace.portion);
                    outcome.refused.extend(left.map(|id| (*id, refusal.message.clone())));
                    break;
                }
            }
        }
        Ok(outcome)
    }
}

impl Handle {
    /// Waits, but not longer than the host runs: a drain must not.
    async fn pause(&self, span: Duration) {
        let over = tokio::time::sleep(span);
        tokio::pin!(over);
        let mut durable = self.shared.durable.clone();
        loop {
            tokio::select! {
                () = &mut over => return,
                moved = durable.changed() => if moved.is_err() {
                    return;
                }
            }
        }
    }
}

type Portion = (Vec<Id>, Vec<(Id, String)>);

fn told(reply: Reply) -> Result<Portion, Refusal> {
    match reply {
        Reply::Redriven { redriven, refused } => Ok((redriven, refused)),
        Reply::Discarded { discarded, refused } => Ok((discarded, refused)),
        other => Err(unexpected(other)),
    }
}

/// How many letters at a time, and how long between.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    portion: usize,
    pause: Duration,
}

impl Pace {
    fn of(rate: Option<f64>) -> Pace {
        let Some(rate) = rate else {
            return Pace { portion: PORTION_MAX, pause: Duration::ZERO };
        };
        let portion = ((rate / PORTIONS_A_SECOND) as usize).clamp(1, PORTION_MAX);
        Pace { portion, pause: Duration::from_secs_f64(portion as f64 / rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_whatever_the_portions_are() {
        for rate in [0.5, 1.0, 7.0, 10.0, 250.0, 5000.0] {
            let pace = Pace::of(Some(rate));
            let reached = pace.portion as f64 / pace.pause.as_secs_f64();
            assert!((reached - rate).abs() < rate / 1000.0, "{rate}: {pace:?}");
        }
        assert_eq!(Pace::of(None).pause, Duration::ZERO);
    }
}
