//! Who waits for the end of a run. A waiter is registered before anything can end the run, or
//! before its row is read, so no end is missed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onex_engine::Reply;
use onex_engine::output::RunEnd;
use onex_kernel::Id;
use tokio::sync::oneshot;

/// What a waiter is told.
#[derive(Debug)]
pub(crate) enum Told {
    /// The run is over.
    Ended(RunEnd),
    /// The request that should begin it got another reply.
    Reply(Reply),
}

/// Everybody who waits, by run.
#[derive(Default)]
pub(crate) struct Waiters {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_run: HashMap<Id, Vec<(u64, oneshot::Sender<Told>)>>,
    next: u64,
}

/// One waiter, as those who may tell it know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    run: Id,
    number: u64,
}

/// One waiter's end. Dropping it ends the waiting.
pub(crate) struct Waiter {
    waiters: Arc<Waiters>,
    waiting: Waiting,
    told: oneshot::Receiver<Told>,
}

impl Waiters {
    /// Registers a waiter for a run's end.
    pub fn wait_for(self: &Arc<Self>, run: Id) -> Waiter {
        let (sender, told) = oneshot::channel();
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.by_run.entry(run).or_default().push((number, sender));
        Waiter { waiters: self.clone(), waiting: Waiting { run, number }, told }
    }

    /// Tells everybody who waits for this run that it is over.
    pub fn ended(&self, end: RunEnd) {
        let Some(senders) = self.lock().by_run.remove(&end.run_id) else {
            return;
        };
        for (_, sender) in senders {
            // Who went away in the meantime does not need to know.
            let _ = sender.send(Told::Ended(end.clone()));
        }
    }

    /// Tells one waiter that its request got this reply instead.
    pub fn replied(&self, waiting: Waiting, reply: Reply) {
        if let Some(sender) = self.remove(waiting) {
            let _ = sender.send(Told::Reply(reply));
        }
    }

    /// Lets go of everybody: nothing will end any more.
    pub fn close(&self) {
        self.lock().by_run.clear();
    }

    fn remove(&self, waiting: Waiting) -> Option<oneshot::Sender<Told>> {
        let mut state = self.lock();
        let senders = state.by_run.get_mut(&waiting.run)?;
        let at = senders.iter().position(|(number, _)| *number == waiting.number)?;
        let (_, sender) = senders.swap_remove(at);
        if senders.is_empty() {
            state.by_run.remove(&waiting.run);
        }
        Some(sender)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, so the map is whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// How others know this waiter.
    pub fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// What it is told; `None` when the engine is gone.
    pub async fn told(&mut self) -> Option<Told> {
        (&mut self.told).await.ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.waiters.remove(self.waiting);
    }
}

#[cfg(test)]
mod tests {
    use onex_expr::Value;
    use onex_kernel::row::RunStatus;

    use super::*;

    fn end(run_id: Id) -> RunEnd {
        RunEnd {
            run_id,
            node: "n".into(),
            status: RunStatus::Completed,
            correlation_id: Id::default(),
            result: Value::Null,
            error: None,
        }
    }

    #[tokio::test]
    async fn everybody_who_waits_for_a_run_is_told_and_nobody_else() {
        let waiters = Arc::new(Waiters::default());
        let (a, b) = (Id([1; 16]), Id([2; 16]));
        let (mut first, mut second) = (waiters.wait_for(a), waiters.wait_for(a));
        let other = waiters.wait_for(b);
        waiters.ended(end(a));
        assert!(matches!(first.told().await, Some(Told::Ended(_))));
        assert!(matches!(second.told().await, Some(Told::Ended(_))));
        drop(other);
        assert!(waiters.lock().by_run.is_empty());
    }

    #[tokio::test]
    async fn a_reply_reaches_only_the_waiter_whose_request_it_answers() {
        let waiters = Arc::new(Waiters::default());
        let run = Id([1; 16]);
        let (mut asked, mut other) = (waiters.wait_for(run), waiters.wait_for(run));
        waiters.replied(asked.waiting(), Reply::Done);
        assert!(matches!(asked.told().await, Some(Told::Reply(Reply::Done))));
        waiters.close();
        assert!(other.told().await.is_none());
    }
}
