//! What may be read of a host: answers from durable rows and records, and waiting for them.

use std::collections::BTreeMap;
use std::time::Duration;

use onex_expr::Text;
use onex_kernel::Id;
use onex_kernel::row::{Letter, RunHead};

use super::Handle;
use super::letters::LETTERS_AT_ONCE_MAX;
use crate::query::at;
use crate::query::chain::Chain;
use crate::query::entity::Entity;
use crate::query::log::{Filter as LogFilter, Position, Record, Slice};
use crate::query::run::{Filter as RunFilter, Run, has_ended};
use crate::query::why::Why;
use crate::query::{Page, QueryError, Reader, letter};
use crate::waiters::Waiter;

impl Handle {
    /// A run. With `wait` it answers when the run has ended or the time is up.
    pub async fn run(&self, id: Id, wait: Option<Duration>) -> Result<Run, QueryError> {
        if let Some(wait) = wait {
            self.run_end(id, wait).await?;
        }
        self.read(move |reader| reader.run(id)).await
    }

    /// Waits for the end of a run; its head if it has ended, `None` when the time is up.
    pub(super) async fn run_end(
        &self,
        id: Id,
        wait: Duration,
    ) -> Result<Option<RunHead>, QueryError> {
        let mut waiter: Waiter = self.shared.waiters.wait_for(id);
        // Read after the waiter is registered, so that no end falls between.
        let ended = |head: &RunHead| has_ended(head.status);
        match self.shared.reader.run_head(id)? {
            None => return Err(QueryError::NotFound(format!("there is no run {id}"))),
            Some(head) if ended(&head) => return Ok(Some(head)),
            Some(_) => {}
        }
        // Told or not: the row says what is so.
        let _ = tokio::time::timeout(wait, waiter.told()).await;
        Ok(self.shared.reader.run_head(id)?.filter(ended))
    }

    /// Runs, by id.
    pub async fn runs(
        &self,
        filter: RunFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Run>, QueryError> {
        self.read(move |reader| reader.runs(&filter, after.as_deref(), limit)).await
    }

    /// An entity of a reducer.
    pub async fn entity(&self, node: Text, key: Text) -> Result<Entity, QueryError> {
        self.read(move |reader| reader.entity(&node, &key)).await
    }

    /// Waits until a record is applied and durable; `false` when the time is up.
    pub async fn applied(&self, offset: u64, wait: Duration) -> bool {
        let mut durable = self.shared.durable.clone();
        let reached = durable.wait_for(|to| *to > offset);
        matches!(tokio::time::timeout(wait, reached).await, Ok(Ok(_)))
    }

    /// Entities of a reducer, by key.
    pub async fn entities(
        &self,
        node: Text,
        state: Option<Text>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Entity>, QueryError> {
        self.read(move |reader| reader.entities(&node, state.as_deref(), after.as_deref(), limit))
            .await
    }

    /// How many entities of a reducer are in each state.
    pub async fn counts(&self, node: Text) -> Result<BTreeMap<Text, u64>, QueryError> {
        self.read(move |reader| reader.counts(&node)).await
    }

    /// A page of the log.
    pub async fn log(
        &self,
        filter: LogFilter,
        from: Position,
        limit: usize,
    ) -> Result<Page<Record>, QueryError> {
        self.read(move |reader| reader.log(&filter, from, limit)).await
    }

    /// The offset of a position in the log.
    pub async fn offset_of(&self, position: Position) -> Result<u64, QueryError> {
        self.read(move |reader| reader.offset_of(position)).await
    }

    /// The next durable records that fit, from an offset on; waits until there is something to
    /// look at. `None` when the host ends.
    pub async fn tail(
        &self,
        filter: LogFilter,
        from: u64,
        limit: usize,
    ) -> Option<Result<Slice, QueryError>> {
        let mut durable = self.shared.durable.clone();
        durable.wait_for(|to| *to > from).await.ok()?;
        let read = self.read(move |reader| reader.slice(&filter, from, limit));
        Some(read.await)
    }

    /// Dead letters, by id.
    pub async fn letters(
        &self,
        filter: letter::Filter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<Letter>, QueryError> {
        self.read(move |reader| reader.letters(&filter, after.as_deref(), limit)).await
    }

    /// Ids of the dead letters that a filter takes, oldest first, as many as one request may name;
    /// and whether there are more.
    pub async fn letter_ids(&self, filter: letter::Filter) -> Result<(Vec<Id>, bool), QueryError> {
        self.read(move |reader| reader.letter_ids(&filter, LETTERS_AT_ONCE_MAX)).await
    }

    /// The causal chain of a message, run, intent or letter.
    pub async fn chain(&self, id: Id, from: Option<u64>) -> Result<Chain, QueryError> {
        self.read(move |reader| reader.chain(id, from)).await
    }

    /// States as they were once a record was applied.
    pub async fn at(&self, ask: at::Ask) -> Result<at::Answer, QueryError> {
        self.read(move |reader| reader.at(&ask)).await
    }

    /// One dead letter.
    pub async fn letter(&self, id: Id) -> Result<Letter, QueryError> {
        self.read(move |reader| reader.letter(id)).await
    }

    /// Everything that an id, `NODE/KEY` or bare entity key stands for, and why it stands there.
    pub async fn why(&self, what: String) -> Result<Vec<Why>, QueryError> {
        self.read(move |reader| reader.why(&what)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let reader = self.shared.reader.clone();
        match tokio::task::spawn_blocking(move || query(&reader)).await {
            Ok(answer) => answer,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}
